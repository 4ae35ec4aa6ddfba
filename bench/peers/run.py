#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same loads on Weir and on its peers: each round goes through every load, and each load
through every pool, so that what the machine does meanwhile falls on all of them alike; and once
through what Weir costs without a load. Prints the goals and writes docs/performance.md.

A peer that is not installed is left out, and said to be. Called by `./dev bench peers`, which
installs them and builds Weir."""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import sys
import time

import goals
import installed
import page

# With a hold or a query there is one cycle for a thousand of those without, and a tail to be seen.
HELD_TIMES = 5
# From which share of the processors on others disturb.
BUSY = 0.05


def measure_load(load: dict, pools: list, seconds: float) -> list:
    """A line for each pool, as its program wrote it; none for one that cannot run it here."""
    lines = []
    for pool in pools:
        if pool.runs(load):
            found = installed.json_lines(installed.output(pool.arguments(load, seconds)))
            print("".join(f" {pool.name} {line['per_s']:.4g}/s" for line in found), end="",
                  flush=True)
            lines += found
    return lines


def measure(suites: list, peers: installed.Peers, args) -> list:
    """A line for each cell and round, and for each measure without a load."""
    lines = []
    for number in range(args.rounds):
        for suite in suites:
            # Nobody is always the one who comes after the same other.
            turn = number % len(suite.pools)
            for load in suite.loads:
                print(f"round {number + 1} of {args.rounds}, {load['load']}:", end="", flush=True)
                times = 1 if load["hold"] == "none" else HELD_TIMES
                lines += measure_load(load, suite.pools[turn:] + suite.pools[:turn],
                                      args.seconds * times)
                print(flush=True)
        if not args.load and not args.pool:
            print(f"round {number + 1} of {args.rounds}, without a load:", end="", flush=True)
            found = peers.costs()
            print("".join(f" {line['measure']} {line['value']:.4g}" for line in found), flush=True)
            lines += found
    return lines


def processor() -> str:
    text = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    virtual = ", in a virtual machine" if re.search(r"^flags.*\bhypervisor\b", text,
                                                    re.MULTILINE) else ""
    return (model[1] if model else platform.machine()) + virtual


def system() -> str:
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        name = platform.system()
    # What follows the numbers is who built it.
    return f"{name}, Linux {re.match(r'[0-9.]*', platform.release())[0]}"


def in_use(seconds: float = 2) -> float:
    """The share of the processors that others use now: a load average still has what has ended."""
    def ticks() -> list:
        return [int(word) for word in
                pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    before = ticks()
    time.sleep(seconds)
    passed = [now - then for now, then in zip(ticks(), before)]
    idle = passed[3] + passed[4]  # with waits for a disk
    return 1 - idle / max(1, sum(passed))


def conditions(peers: installed.Peers, args, cpus: int, busy: float) -> list:
    lines = [
        f"{datetime.date.today()}; {processor()}, {cpus} CPUs; {system()}.",
        "; ".join(peers.versions) + ".",
        f"Rounds: {args.rounds}; in each, every load, and in each load every pool once. "
        f"{args.seconds:g} s without a hold, {args.seconds * HELD_TIMES:g} s with one or a query. "
        "Medians of the rounds; the longest wait is that of all rounds.",
        f"Each cell is a process of its own. In Java and Go the same threads have run the load for "
        f"{installed.WARMUP_S} s when measuring begins; the others start cold. Java with "
        f"`{' '.join(installed.JVM)}`.",
        "HikariCP and Go: connections that do nothing, written by hand; autoCommit off, checks as "
        "they are by default. Weir: the mock driver, the pool as it is configured by default but "
        "for its size and its log. SOCI, POCO: SQLite in memory.",
        "Go: goroutines in the role of threads; the sleep is a system call that blocks. POCO has "
        "no queue and throws when it is empty: the load tries again after a yield.",
        "Without a hold nobody reads a clock, so there are no waits. With more threads than CPUs, "
        "such a load measures time slices as much as locks: a thread that is not interrupted runs "
        "thousands of cycles by itself.",
        "coro: 32 coroutines on two threads with one queue, which hold a connection as busy does.",
        'Rows 9, 10, 12 and "also": `bench_cost`, once in each round, on the mock driver, a '
        "PostgreSQL server and SQLite. `bench/bench_cost.cpp` says what is counted.",
    ]
    if busy > BUSY:
        lines.append(f"Other programs used {busy:.0%} of the processors at the start. "
                     "Until it has been measured on a quiet machine, this page shows the method; "
                     "its numbers are not to be relied on.")
    return lines


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench peers")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--seconds", type=float, default=1,
                        help=f"of a load; {HELD_TIMES} times as long with a hold or a query "
                        "(default: 1)")
    parser.add_argument("--load", action="append", default=[],
                        help="this load only, and nothing without a load; repeatable")
    parser.add_argument("--pool", action="append", default=[],
                        help="this pool only, and nothing without a load; repeatable")
    parser.add_argument("--page", type=pathlib.Path,
                        default=installed.ROOT / "docs" / "performance.md",
                        help="written unless --load or --pool is given")
    parser.add_argument("--build", type=pathlib.Path, default=installed.ROOT / "build" / "release")
    args = parser.parse_args()
    if args.rounds < 1 or args.seconds <= 0:
        parser.error("nothing would be measured")
    return args


def chosen(suites: list, args) -> list:
    """What the options leave of them."""
    loads = {load["load"] for suite in suites for load in suite.loads}
    pools = {pool.name for suite in suites for pool in suite.pools}
    if unknown := set(args.load) - loads | set(args.pool) - pools:
        sys.exit(f"no such load or pool here: {', '.join(sorted(unknown))}; the loads are "
                 f"{', '.join(sorted(loads))}; the pools are {', '.join(sorted(pools))}")
    left = [installed.Suite([load for load in suite.loads if load["load"] in (args.load or loads)],
                            [pool for pool in suite.pools if pool.name in (args.pool or pools)])
            for suite in suites]
    return [suite for suite in left if suite.pools]


def main() -> int:
    args = options()
    cpus = len(os.sched_getaffinity(0))
    peers = installed.Peers(args.build.resolve())
    for line in peers.missing:
        print(f"left out: {line}")
    suites = chosen(peers.suites(), args)
    busy = in_use()
    lines = measure(suites, peers, args)
    (peers.made / "lines.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    cells = goals.cells_of(lines, cpus)
    print(page.goal_table(cells), end="")
    if not args.load and not args.pool:
        run = page.Run(cells, [pool.name for pool in peers.pools],
                       conditions(peers, args, cpus, busy), peers.missing)
        args.page.write_text(page.render(run))
        print(f"written: {args.page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same loads on Weir and on its peers: each round goes through every load, and each load
through every pool, so that what the machine does meanwhile falls on all of them alike. Prints the
goals and writes docs/performance.md.

A peer that is not installed is left out, and said to be. Called by `./dev bench peers`, which
installs them and builds Weir."""
import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys

import goals
import page

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
JARS = [f"/usr/share/java/{name}.jar" for name in ("HikariCP", "slf4j-api", "slf4j-nop")]
# As in the measurement that the goals come from: a heap that never grows, the collector with the
# cheapest barriers.
JVM = ["-Xms1g", "-Xmx1g", "-XX:+UseParallelGC"]
# With a hold there is one cycle for a thousand of those without, and a tail to be seen.
HELD_TIMES = 5
WARMUP_S = 2


@dataclasses.dataclass(frozen=True)
class Pool:
    """A pool, and the program that loads it. A foreign one knows no loads by name."""
    name: str
    command: tuple
    foreign: bool = False

    def runs(self, load: dict) -> bool:
        """Whether the load makes sense there."""
        if load["workers"] > 0 or self.name == goals.CORO:
            return load["workers"] > 0 and self.name == goals.CORO
        return self.name != "cas" or load["hold"] == "none"

    def arguments(self, load: dict, seconds: float) -> list:
        if not self.foreign:
            return [*self.command, "--pool", self.name, "--load", load["load"],
                    "--seconds", str(seconds)]
        return [*self.command, "--load", load["load"], "--threads", str(load["threads"]),
                "--connections", str(load["connections"]), "--hold", load["hold"],
                "--held-ns", str(load["held_ns"]), "--seconds", str(seconds),
                "--warmup", str(WARMUP_S)]


class Peers:
    """What is installed here, built; and what is not, with what would bring it."""

    def __init__(self, build: pathlib.Path) -> None:
        self.build = build
        self.made = ROOT / "build" / "peers"
        self.made.mkdir(parents=True, exist_ok=True)
        self.pools = []
        self.missing = []
        self.versions = []
        self.add_weir()
        self.add_hikari()
        self.add_go()
        self.add_ours("bench_soci", "SOCI", "libsoci-dev", "soci-lease", "soci-session")
        self.add_ours("bench_poco", "POCO", "libpoco-dev", "poco")
        self.add_ours("../bench_load", "", "", "mutex", "ref-fifo", "cas")
        self.missing.append("sqlpp11, which Debian 12 has no package of.")

    def add(self, command: list, *names: str, foreign: bool = False) -> None:
        self.pools += [Pool(name, tuple(command), foreign) for name in names]
        version = output([*command, "--version"]).strip()
        if version not in self.versions:
            self.versions.append(version)

    def lacks(self, what: str, packages: str) -> None:
        self.missing.append(f"{what}; `apt-get install {packages}`.")

    def add_weir(self) -> None:
        program = self.build / "bench" / "bench_load"
        if not program.exists():
            sys.exit(f"{program} is not built: ./dev build")
        self.add([str(program)], "weir", "weir-strict")

    def add_ours(self, program: str, what: str, package: str, *names: str) -> None:
        path = self.build / "bench" / "peers" / program
        if path.exists():
            self.add([str(path.resolve())], *names)
        else:
            # Meson remembers what it did not find.
            self.lacks(what, f"{package}; rm -r {os.path.relpath(self.build, ROOT)}")

    def add_hikari(self) -> None:
        packages = "default-jdk-headless libhikaricp-java libslf4j-java"
        if not shutil.which("javac") or not all(os.path.exists(jar) for jar in JARS):
            self.lacks("HikariCP", packages)
            return
        classes = self.made / "hikari"
        classes.mkdir(parents=True, exist_ok=True)
        sources = sorted(map(str, (HERE / "hikari").glob("*.java")))
        output(["javac", "-Xlint:all", "-d", str(classes), "-cp", JARS[0], *sources])
        self.add(["java", *JVM, "-cp", ":".join([str(classes), *JARS]), "BenchHikari"],
                 goals.HIKARI, foreign=True)

    def add_go(self) -> None:
        if not shutil.which("go"):
            self.lacks("Go database/sql", "golang-go")
            return
        program = self.made / "bench_go"
        # There is nothing to fetch, and nothing is to be written outside.
        cache = {"GOCACHE": str(self.made / "go-cache"), "GOPROXY": "off", "GOFLAGS": ""}
        output(["go", "build", "-o", str(program), "."], cwd=HERE / "go",
               env={**os.environ, **cache})
        self.add([str(program)], "go-sql", foreign=True)


def output(command: list, **more) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, **more)
    if done.returncode != 0:
        sys.exit(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def loads_of(pools: list) -> list:
    listing = output([*pools[0].command, "--list"])
    return [json.loads(line) for line in listing.splitlines()]


def measure(pools: list, loads: list, args) -> list:
    """A line for each cell and round, as the programs wrote it."""
    lines = []
    for number in range(args.rounds):
        # Nobody is always the one who comes after the same other.
        turn = number % len(pools)
        for load in loads:
            held = load["hold"] != "none"
            seconds = args.seconds * (HELD_TIMES if held else 1)
            print(f"round {number + 1} of {args.rounds}, {load['load']}:", end="", flush=True)
            for pool in pools[turn:] + pools[:turn]:
                if not pool.runs(load):
                    continue
                line = json.loads(output(pool.arguments(load, seconds)))
                lines.append(line)
                print(f" {pool.name} {line['per_s']:.4g}/s", end="", flush=True)
            print(flush=True)
    return lines


def cells_of(lines: list, cpus: int) -> goals.Cells:
    by = {}
    for line in lines:
        by.setdefault((line["pool"], line["load"]), []).append(line)

    def cell(rounds: list) -> goals.Cell:
        def middle(key: str) -> float:
            return statistics.median(line[key] for line in rounds)
        per_s = [line["per_s"] for line in rounds]
        return goals.Cell(middle("per_s"), min(per_s), max(per_s), middle("spread"),
                          middle("p50_us"), middle("p99_us"), middle("p999_us"),
                          max(line["max_us"] for line in rounds))
    return goals.Cells({key: cell(rounds) for key, rounds in by.items()}, cpus)


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


def conditions(peers: Peers, args, cpus: int, busy: float) -> list:
    lines = [
        f"{datetime.date.today()}; {processor()}, {cpus} CPUs; {system()}.",
        "; ".join(peers.versions) + ".",
        f"Rounds: {args.rounds}; in each, every load, and in each load every pool once. "
        f"{args.seconds:g} s without a hold, {args.seconds * HELD_TIMES:g} s with one. Medians of "
        "the rounds; the longest wait is that of all rounds.",
        f"Each cell is a process of its own. In Java and Go the same threads have run the load for "
        f"{WARMUP_S} s when measuring begins; the others start cold. Java with `{' '.join(JVM)}`.",
        "HikariCP and Go: connections that do nothing, written by hand; autoCommit off, checks as "
        "they are by default. Weir: the mock driver, the pool as it is configured by default but "
        "for its size and its log. SOCI, POCO: SQLite in memory.",
        "Go: goroutines in the role of threads; the sleep is a system call that blocks. POCO has "
        "no queue and throws when it is empty: the load tries again after a yield.",
        "Without a hold nobody reads a clock, so there are no waits. With more threads than CPUs, "
        "such a load measures time slices as much as locks: a thread that is not interrupted runs "
        "thousands of cycles by itself.",
    ]
    if busy > cpus / 4:
        lines.append(f"Other programs were running: the load average was {busy:.1f} at the start. "
                     "Until it has been measured on a quiet machine, this page shows the method; "
                     "its numbers are not to be relied on.")
    return lines


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench peers")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--seconds", type=float, default=1,
                        help=f"of a load; {HELD_TIMES} times as long with a hold (default: 1)")
    parser.add_argument("--load", action="append", default=[], help="this load only; repeatable")
    parser.add_argument("--pool", action="append", default=[], help="this pool only; repeatable")
    parser.add_argument("--page", type=pathlib.Path, default=ROOT / "docs" / "performance.md",
                        help="written unless --load or --pool is given")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    args = parser.parse_args()
    if args.rounds < 1 or args.seconds <= 0:
        parser.error("nothing would be measured")
    return args


def chosen(all_of: list, names: list, name_of) -> list:
    unknown = set(names) - {name_of(one) for one in all_of}
    if unknown:
        sys.exit(f"no such load or pool here: {', '.join(sorted(unknown))}")
    return [one for one in all_of if not names or name_of(one) in names]


def main() -> int:
    args = options()
    cpus = len(os.sched_getaffinity(0))
    peers = Peers(args.build.resolve())
    for line in peers.missing:
        print(f"left out: {line}")
    loads = chosen(loads_of(peers.pools), args.load, lambda load: load["load"])
    pools = chosen(peers.pools, args.pool, lambda pool: pool.name)
    busy = os.getloadavg()[0]
    lines = measure(pools, loads, args)
    (peers.made / "lines.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    cells = cells_of(lines, cpus)
    print(page.goal_table(cells), end="")
    if not args.load and not args.pool:
        run = page.Run(cells, [pool.name for pool in pools],
                       conditions(peers, args, cpus, busy), peers.missing)
        args.page.write_text(page.render(run))
        print(f"written: {args.page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/performance.md is what bench/peers/run.py writes: it has a line for each part of each goal,
judged. And the judge judges, and nobody is asked for a load that is not his. The numbers are no
test's business."""
import json
import pathlib
import re
import subprocess
import sys
import typing

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tap import Tap  # noqa: E402  (the path is set just above)

ROWS = (*range(1, 13), "also")
VERDICT = re.compile(r"[≤≥] \S.*: (met|missed by [\d.]+ %)|≤ 0: missed by [\d.]+|not measured")
NOT_MEASURED = "not measured"


def lines_of(text: str) -> list:
    """The lines of the first table: lists of cells."""
    found = []
    for line in text.splitlines():
        if line.startswith("|"):
            found.append([cell.strip() for cell in line.strip().strip("|").split("|")])
        elif found:
            break
    return found[2:]


def problems_of(part, line: list) -> list:
    if len(line) != 5 or line[:2] != [str(part.row), part.what]:
        return [f"wanted {part.row}, {part.what}; found {line}"]
    found = [] if line[2] else ["nothing was measured"]
    for limit, cell in ((part.gate, line[3]), (part.reach, line[4])):
        if not (VERDICT.fullmatch(cell) if limit is not None else cell == ""):
            found.append(f"'{cell}' is no verdict")
    return found


def cell(goals, per_s: float, spread: float = 1, p999: float = 100, longest: float = 200):
    return goals.Cell(per_s, per_s, per_s, spread, 1, 10, p999, longest)


def judged(goals, row, pools: dict, costs: typing.Optional[dict] = None) -> list:
    """What the parts of a row say of cells of one load each."""
    cells = goals.Cells(pools, 2, costs)
    return [(p.verdict(p.gate, cells), p.verdict(p.reach, cells)) for p in goals.PARTS
            if p.row == row]


def judge_judges(goals, tap: Tap) -> None:
    def same(name: str, found, wanted) -> None:
        tap.check(name, [] if found == wanted else [f"wanted {wanted}", f"found {found}"])
    hikari = cell(goals, 10)
    same("a goal that is met, and one that is missed, and by how much",
         judged(goals, 2, {("weir", "u1"): cell(goals, 80), ("hikaricp", "u1"): hikari}),
         [("≥ 5 ×: met", "≥ 10 ×: missed by 20 %")])
    same("less is better where it says so",
         judged(goals, 1, {("weir", "u1"): cell(goals, 10), ("cas", "u1"): cell(goals, 24)}),
         [("≤ 3 ×: met", "≤ 1.5 ×: missed by 60 %")])
    same("a limit that a peer sets",
         judged(goals, 5, {("weir", "busy"): cell(goals, 7.5e4, 1.3, 6000, 14000),
                           ("hikaricp", "busy"): cell(goals, 6e4, p999=8000)}),
         [("≥ 70 %: met", "≥ 80 %: missed by 6.2 %"), ("≤ 1.4: met", "≤ 1.1: missed by 18 %"),
          ("≤ 8.00 ms: met", "≤ 5.00 ms: missed by 20 %"), ("", "≤ 15.00 ms: met")])
    same("a peer that is not installed",
         judged(goals, 2, {("weir", "u1"): cell(goals, 80)}), [(NOT_MEASURED, NOT_MEASURED)])
    same("the coroutines' own load",
         judged(goals, 8, {(goals.CORO, "coro"): cell(goals, 8e4, p999=500)}),
         [("≥ 85 %: missed by 5.9 %", "≥ 92 %: missed by 13 %"),
          ("≤ 1.00 ms: met", "≤ 600 µs: met")])
    same("what needs no load", judged(goals, 9, {}, {"boundary_ns": 10}),
         [("≤ 15.0 ns: met", "≤ 5.0 ns: missed by 100 %")])
    same("a goal of nothing, met", judged(goals, 10, {}, {"round_trips": 0}),
         [("≤ 0: met", "≤ 0: met")])
    same("a goal of nothing, missed", judged(goals, 10, {}, {"round_trips": 2}),
         [("≤ 0: missed by 2", "≤ 0: missed by 2")])
    same("a program that could not measure it", judged(goals, 10, {}),
         [(NOT_MEASURED, NOT_MEASURED)])
    same("queries, with one database of three",
         judged(goals, 11, {("weir", "my-select"): cell(goals, 98), ("bare", "my-select"):
                            cell(goals, 100)}),
         [(NOT_MEASURED, NOT_MEASURED), ("≥ 97.0 %: met", "≥ 99.5 %: missed by 1.5 %"),
          (NOT_MEASURED, NOT_MEASURED)])


def judge_of_printed(root: pathlib.Path) -> list:
    """What `./dev bench` prints at its end, when its programs have printed this."""
    def load(pool: str, name: str, per_s: float) -> str:
        return json.dumps({"pool": pool, "load": name, "per_s": per_s, "spread": 1, "p50_us": 0,
                           "p99_us": 0, "p999_us": 0, "max_us": 0})
    printed = ["==> bench_load", load("weir", "u1", 10), load("cas", "u1", 25),
               "cas_pair/real_time  5.64 ns", '{"measure":"boundary_ns","value":10}',
               # Google Benchmark's own, with --benchmark_format=json.
               "{", '  "context": {}', "}"]
    done = subprocess.run([sys.executable, "-B", str(root / "bench/peers/judge.py")],
                          input="\n".join(printed), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return [done.stderr]
    found = {(line[0], line[1][:6]): line[2:] for line in lines_of(done.stdout)}
    wanted = {("1", "u1 (1 "): ["2.5 ×", "≤ 3 ×: met", "≤ 1.5 ×: missed by 67 %"],
              ("2", "u1: cy"): [NOT_MEASURED] * 3,
              ("9", "a driv"): ["10.0 ns", "≤ 15.0 ns: met", "≤ 5.0 ns: missed by 100 %"]}
    return [f"wanted {key}: {line}; found {found.get(key)}" for key, line in wanted.items()
            if found.get(key) != line]


def measures(root: pathlib.Path, goals) -> list:
    """What bench_cost measures and what the goals are of are the same."""
    asked = set()

    class Asked(dict):
        def __missing__(self, key: str):
            asked.add(key)
            raise KeyError(key)
    for part in goals.PARTS:
        part.measured(goals.Cells({}, 2, Asked(something=0)))
    source = (root / "bench/bench_cost.cpp").read_text()
    measured = set(re.findall(r'\{"(\w+)", \w+\}', source))
    return [f"only on one side: {name}" for name in sorted(asked ^ measured)]


def runner_asks(goals, installed, tap: Tap) -> None:
    coro = {"load": "coro", "hold": "busy", "workers": 2}
    busy = {"load": "busy", "hold": "busy", "workers": 0}
    bare = {"load": "u1", "hold": "none", "workers": 0}

    def asked(load: dict) -> list:
        pools = (installed.Pool(name, ()) for name in ("weir", goals.CORO, "go-sql", "cas"))
        return [pool.name for pool in pools if pool.runs(load)]
    found = [asked(coro), asked(busy), asked(bare)]
    wanted = [[goals.CORO], ["weir", "go-sql"], ["weir", "go-sql", "cas"]]
    tap.check("nobody is asked for a load that makes no sense there",
              [] if found == wanted else [f"wanted {wanted}", f"found {found}"])
    lines = [{"measure": "round_trips", "value": value} for value in (5, 1, 2)]
    costs = goals.cells_of(lines, 2).costs
    tap.check("of what needs no load, the median of the rounds counts",
              [] if costs == {"round_trips": 2} else [str(costs)])


def page_without_peers(goals, page) -> list:
    cells = goals.Cells({("weir", load): cell(goals, 1e6) for load in (*page.BARE, *page.HELD)}, 2)
    text = page.render(page.Run(cells, ["weir"], ["here"], ["HikariCP"]))
    return [f"not there: {wanted!r}" for wanted in (
        "- Not measured: HikariCP", "| Weir | ", "## Queries end to end", "\nNot measured.\n")
            if wanted not in text]


def page_with_all(goals, page) -> list:
    pools = [pool for pool in page.TITLES if pool not in page.QUERIERS or pool == "weir"]
    measured = {(pool, load): cell(goals, 1e6) for pool in pools
                for load in (*page.BARE, *page.HELD) if pool != goals.CORO}
    measured[goals.CORO, "coro"] = cell(goals, 8e4)
    measured["weir", "lite-select"] = cell(goals, 900)
    measured["bare", "lite-select"] = cell(goals, 1000)
    text = page.render(page.Run(goals.Cells(measured, 2), pools, [], []))
    return [f"not there: {wanted!r}" for wanted in (
        "| Weir, coroutines on two threads | 12.50 | 1 | 1 µs | 10 µs | 100 µs | 200 µs | "
        "80,000 (80 %) |",
        "| lite-select | 0.900 |  |  | 900 (900-900) | 1,000 (1,000-1,000) |  |  |")
            if wanted not in text]


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    # Beside the sources it would leave what Python makes of them.
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(root / "bench/peers"))
    import goals
    import installed
    import page
    tap = Tap()
    tap.check("every goal has a part", [f"{row} has none" for row in ROWS
                                        if not any(part.row == row for part in goals.PARTS)])
    table = lines_of((root / "docs/performance.md").read_text())
    tap.check("docs/performance.md has as many lines as the goals have parts",
              [] if len(table) == len(goals.PARTS) else [f"{len(table)}, {len(goals.PARTS)}"])
    for part, line in zip(goals.PARTS, table):
        tap.check(f"goal {part.row}, {part.what}", problems_of(part, line))
    judge_judges(goals, tap)
    tap.check("./dev bench ends with the goals that it could measure", judge_of_printed(root))
    tap.check("bench_cost measures what the goals are of, and nothing else", measures(root, goals))
    runner_asks(goals, installed, tap)
    tap.check("the page can be written where no peer is installed", page_without_peers(goals, page))
    tap.check("coroutines are beside threads, and queries have a table", page_with_all(goals, page))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/performance.md is what bench/peers/run.py writes: it has a line for each part of each goal,
judged. And the judge judges. The numbers are no test's business."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tap import Tap  # noqa: E402  (the path is set just above)

ROWS = range(1, 8)
VERDICT = re.compile(r"[≤≥] \S.*: (met|missed by [\d.]+ %)|not measured")
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


def judged(goals, row: int, pools: dict) -> list:
    """What the parts of a row say of cells of one load each."""
    cells = goals.Cells(pools, 2)
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


def page_without_peers(goals, page) -> list:
    loads = page.BARE + page.HELD
    cells = goals.Cells({("weir", load): cell(goals, 1e6) for load in loads}, 2)
    text = page.render(page.Run(cells, ["weir"], ["here"], ["HikariCP"]))
    return [] if "- Not measured: HikariCP" in text and "| Weir | " in text else text


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    # Beside the sources it would leave what Python makes of them.
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(root / "bench/peers"))
    import goals
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
    tap.check("the page can be written where no peer is installed", page_without_peers(goals, page))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())

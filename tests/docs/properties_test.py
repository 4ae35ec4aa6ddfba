#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/properties.md against the tree: every property has one row, its code and its tests exist,
and each of them names the id, so that a reader who searches for it arrives."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tap import Tap  # noqa: E402  (the path is set just above)

HOW_MANY = {"S": 20, "L": 8, "F": 6, "T": 13, "R": 11, "C": 4, "O": 4, "Q": 4, "RT": 9}
OUT_OF_SCOPE = {"R4", "R6", "R11", "F3", "F6", "Q1", "Q2"}
FILE = re.compile(r"[\w/]+\.(?:cpp|hpp|ipp|h)\b")
TEST = re.compile(r"`(\w+)\.(\w+)`")


def rows(text: str):
    """Yields (id, promise, kept in, held by)."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 4 and re.fullmatch(r"[A-Z]+\d+", cells[0]):
            yield tuple(cells)


def names(path: pathlib.Path, what: str) -> bool:
    return path.is_file() and re.search(rf"\b{what}\b", path.read_text()) is not None


def problems_of(root: pathlib.Path, row, tests: str) -> list:
    name, _, kept, held = row
    if name in OUT_OF_SCOPE:
        return [] if kept.startswith("open: ") and not held else ["out of scope, but not said so"]
    found = []
    for where, cell in (("core", kept), ("tests", held)):
        files = FILE.findall(re.sub(r"`[^`]*`", "", cell))
        if not files and not (where == "tests" and TEST.search(cell)):
            found.append(f"names nothing in {where}/")
        found += [f"{where}/{file} does not exist or does not name {name}" for file in files
                  if not names(root / where / file, name)]
    for suite, test in TEST.findall(held):
        if not re.search(rf"TEST(?:_F|_P)?\({suite}, {test}\)", tests):
            found.append(f"there is no test {suite}.{test}")
    return found


def judged_without_a_sentence(root: pathlib.Path) -> list:
    """The reports of a run say of each property what it promises."""
    told = (root / "sim/report/facts.cpp").read_text()
    judges = [*sorted((root / "sim/check").glob("*")), root / "sim/explore/run.cpp"]
    judged = {name for path in judges for name in re.findall(r'"([SLFTRO]\d+)"', path.read_text())}
    return [name for name in sorted(judged) if f'{{"{name}", "' not in told]


def main() -> int:
    tap = Tap()
    root = pathlib.Path(sys.argv[1])
    table = list(rows((root / "docs/properties.md").read_text()))
    wanted = [f"{letter}{n}" for letter, most in HOW_MANY.items() for n in range(1, most + 1)]
    tests = "".join(path.read_text() for path in sorted((root / "tests").rglob("*.cpp")))
    tap.check("there is one row for each property",
              [f"wanted {w}, found {g}" for w, g in
               zip(sorted(wanted), sorted(row[0] for row in table)) if w != g]
              + ([] if len(table) == len(wanted) else [f"{len(table)} rows"]))
    for row in table:
        tap.check(row[0], problems_of(root, row, tests))
    tap.check("the reports of the simulator have a sentence for each property that is judged there",
              judged_without_a_sentence(root))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())

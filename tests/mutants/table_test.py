#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/mutants.md against the patches: each has one row, with what it says of itself, and what the
search does not find is explained. The numbers are not compared: they are of one machine. And each
still applies."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import run  # noqa: E402  (the path is set just above)
from tap import Tap  # noqa: E402


def rows(text):
    """Yields the cells of each row but the first two."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    for line in lines[1:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def problems_of(head, row, text):
    found = []
    if row[1] != head["seen"]:
        found.append(f"seen in: the patch says {head['seen']}")
    if not row[2] or "SURVIVED" in row[2] or "DOES NOT" in row[2]:
        found.append("nobody noticed it")
    if (row[4] == "not found") != (head["hidden"] is not None):
        found.append("explore: the row and the patch differ on whether it is found")
    if head["hidden"] is not None and head["hidden"] not in " ".join(text.split()):
        found.append("the text does not say why explore does not find it")
    return found


def does_not_apply(patch):
    """Said by each run of the tests, and not only by the one that measures them all."""
    done = run.run([*run.PATCH, "--dry-run", "-i", patch], run.ROOT)
    return [] if done.returncode == 0 else [f"{patch.name} does not apply:",
                                            *done.stdout.splitlines()]


def main():
    tap = Tap()
    text = run.DOCS.read_text()
    table = {row[0]: row for row in rows(text)}
    heads = run.read_heads(sorted(run.HERE.glob("*.patch")))
    known = {head["what"] for head in heads.values()}
    tap.check("each row is of a patch", sorted(set(table) - known))
    for patch, head in heads.items():
        name = head["what"]
        problems = problems_of(head, table[name], text) if name in table else ["no row"]
        tap.check(name, problems + does_not_apply(patch))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())

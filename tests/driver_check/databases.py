#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What differs by nature between databases, as `weir driver check` has found it.

databases.py FOUND.json... > docs/databases.md     with one report of --level 4 --json per driver
"""
import json
import sys

FACTS = [
    "schemes of a URL", "placeholder", "isolation", "a statement that fails in a transaction",
    "last_id", "types that come back as they went", "values that are refused",
    "prepared statements after a full reset", "a connection after a timeout",
]
NOT_ASKED = "not asked"  # the rule that would say it was skipped
ORDER = ["sqlite", "postgres", "mysql", "mock"]
HEAD = """\
# What differs between databases

A pool behaves the same on every database but for what lies in their nature. This table is what
[`weir driver check`](driver-check.md) has found of our drivers on databases of their kind; it is
made by `tests/driver_check/databases.py`, and a test of each driver compares it. What stands behind
a capability says [`weir/driver.h`](../core/abi/include/weir/driver.h), and what to know of a
driver, [`backends/README.md`](../backends/README.md).

"""


def lines_of(found: dict) -> dict:
    """What the page says of this driver: the name of a line -> its cell."""
    notes = [note for rule in found["rules"] for note in rule.get("notes", [])]
    told = dict(note.split(": ", 1) for note in notes if ": " in note)
    lines = {name: told.get(name, NOT_ASKED) for name in FACTS}
    for capability in found["capabilities"]:
        lines[f"`{capability['name']}`"] = "yes" if capability["claimed"] else "no"
    return {name: cell.replace("|", ", ") for name, cell in lines.items()}


def row(cells) -> str:
    return "| " + " | ".join(cells) + " |\n"


def page_of(reports: list) -> str:
    found = {report["driver"]["name"]: lines_of(report) for report in reports}
    drivers = [name for name in ORDER if name in found]
    text = HEAD + row(["", *drivers]) + "|---" * (len(drivers) + 1) + "|\n"
    for name in found[drivers[0]]:
        text += row([name, *(found[driver][name] for driver in drivers)])
    return text


def differences(page: str, found: dict) -> list:
    """Where the page says something else of this driver."""
    if not found:
        return ["nothing was found"]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines()
            if line.startswith("| ")]
    column = rows[0].index(found["driver"]["name"])
    says = {cells[0]: cells[column] for cells in rows[1:]}
    lines = lines_of(found)
    return [f"{name}: the page says {says.get(name)}, found {lines.get(name)}"
            for name in {**lines, **says} if says.get(name) != lines.get(name)]


def main() -> int:
    reports = []
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            reports.append(json.load(file))
    sys.stdout.write(page_of(reports))
    return 0


if __name__ == "__main__":
    sys.exit(main())

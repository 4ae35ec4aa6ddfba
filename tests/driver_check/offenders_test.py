#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each offence is caught by exactly the rule that is meant for it."""
import concurrent.futures
import os
import sys

from kit import Kit, broken
from offences import OFFENCES, allowed_beside, rule_of
from tap import Tap  # noqa: E402  (kit sets the path)


def look_at(kit: Kit, offence: str) -> list:
    rule = rule_of(offence)
    level = int(rule[1])
    # At full scale all rules up to its level; else those of its own kind, and what they rest on.
    is_full = os.environ.get("WEIR_TEST_SCALE") == "full"
    include = [] if is_full else ["--include", rule.rsplit(".", 1)[0]]
    found = kit.check(kit.args.offender, "--quirks", kit.quirks, "--level", max(level, 3), *include,
                      offence=offence)
    seen = broken(found)
    if rule in seen and set(seen) <= {rule} | allowed_beside(offence):
        return []
    return [f"expected {rule} to be broken", *(f"broken: {k} ({v})" for k, v in seen.items())]


def main() -> int:
    kit = Kit(__doc__)
    tap = Tap()
    offences = [o for o in OFFENCES if rule_of(o)[1] in kit.args.levels]
    # Two at a time: what is measured has tolerances for a busy machine, not for a drowned one.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for offence, problems in zip(offences, pool.map(lambda o: look_at(kit, o), offences)):
            tap.check(f"{offence} is caught by {rule_of(offence)}, and by no other rule", problems)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())

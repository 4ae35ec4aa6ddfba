#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each offence on a network is caught by exactly the rule that is meant for it."""
import concurrent.futures
import os
import sys

from kit import Kit, beside_server, broken, way_to_server
from offences import NETWORK_OFFENCES, allowed_beside, rule_of
from tap import Tap  # noqa: E402  (kit sets the path)


def look_at(kit: Kit, offence: str) -> list:
    rule = rule_of(offence)
    # At full scale all rules of its kind, which take long: each puts many calls to a network.
    is_full = os.environ.get("WEIR_TEST_SCALE") == "full"
    found = kit.check(kit.args.network_offender, *way_to_server(), "--level", 4,
                      "--include", rule.rsplit(".", 1)[0] if is_full else rule, offence=offence)
    seen = broken(found)
    if rule in seen and set(seen) <= {rule} | allowed_beside(offence):
        print(f"# {rule}: {seen[rule]}", file=sys.stderr)
        return []
    return [f"expected {rule} to be broken", *(f"broken: {k} ({v})" for k, v in seen.items())]


def main() -> int:
    kit = Kit(__doc__)
    tap = Tap()
    for kind in ("L4.net", "L4.silence"):
        found = kit.check(kit.args.network_offender, *way_to_server(), "--level", 4,
                          "--include", kind)
        tap.check(f"without an offence it keeps the rules of {kind}",
                  [f"{k}: {v}" for k, v in broken(found).items()]
                  or ([] if found.get("ok") else "no verdict"))
    # Two at a time: what is measured has tolerances for a busy machine, not for a drowned one.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for offence, problems in zip(NETWORK_OFFENCES,
                                     pool.map(lambda o: look_at(kit, o), NETWORK_OFFENCES)):
            tap.check(f"{offence} is caught by {rule_of(offence)}, and by no other rule", problems)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(beside_server(main))

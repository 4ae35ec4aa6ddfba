#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Each offence on a network is caught by exactly the rule that is meant for it."""
import concurrent.futures
import os
import pathlib
import sys
import tempfile

from kit import Kit, beside_server, broken, way_to_server
from offences import NETWORK_OFFENCES, allowed_beside, rule_of
from tap import Tap  # noqa: E402  (kit sets the path)


def quirks_of(kit: Kit, offence: str, folder: pathlib.Path) -> pathlib.Path:
    """With a table of its own: what a check that runs at the same time inserts would pass for the
    work of this one."""
    quirks = kit.args.source / "cli" / "check" / "quirks" / f"{kit.args.server}.toml"
    built_in = quirks.read_text()
    assert "weir_check" in built_in, f"{quirks}: its table has another name now"
    own = folder / f"{offence}.toml"
    own.write_text(built_in.replace("weir_check", f"weir_check_{offence}"))
    return own


def look_at(kit: Kit, offence: str, folder: pathlib.Path) -> list:
    rule = rule_of(offence)
    # At full scale all rules of its kind, which take long: each puts many calls to a network.
    is_full = os.environ.get("WEIR_TEST_SCALE") == "full"
    found = kit.check(kit.args.network_offender, *way_to_server(), "--level", 4,
                      "--quirks", quirks_of(kit, offence, folder),
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
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(2) as pool:
        looks = pool.map(lambda o: look_at(kit, o, pathlib.Path(folder)), NETWORK_OFFENCES)
        for offence, problems in zip(NETWORK_OFFENCES, looks):
            tap.check(f"{offence} is caught by {rule_of(offence)}, and by no other rule", problems)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(beside_server(main))

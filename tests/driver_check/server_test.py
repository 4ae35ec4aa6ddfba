#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A driver of ours keeps the rules on a real server that is there for this test alone."""
import os
import sys

import databases
from kit import Kit, beside_server, broken, way_to_server
from tap import Tap  # noqa: E402  (kit sets the path)

# A SHOULD that a driver cannot keep, and why.
KNOWN = {"mysql": {"L3.process.inherited": "the client library opens its sockets so"}}


def main() -> int:
    kit = Kit(__doc__)
    tap = Tap()
    server = kit.args.server
    is_full = os.environ.get("WEIR_TEST_SCALE") == "full"
    found = kit.check(kit.args.plugins / f"weir_{server}.so", "--level", 5,
                      *way_to_server(), *(["--full"] if is_full else []))
    tap.check(f"the driver passes on {server}", [] if found.get("ok") else "no, or no verdict")
    known = KNOWN.get(server, {})
    tap.check(f"it keeps every rule{', but ' if known else ''}{', '.join(known)}",
              [f"{k}: {v}" for k, v in broken(found).items() if k not in known])
    page = (kit.args.source / "docs" / "databases.md").read_text()
    tap.check("docs/databases.md says what was found", databases.differences(page, found))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(beside_server(main))

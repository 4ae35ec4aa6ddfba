#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What `./dev bench` has measured, beside the goals: reads what its programs printed from standard
input. Called by `./dev bench`."""
import os
import sys

import goals
import installed
import page


def main() -> int:
    lines = installed.json_lines(sys.stdin.read())
    print(page.goal_table(goals.cells_of(lines, len(os.sched_getaffinity(0)))), end="")
    print("What is over a peer's takes ./dev bench peers; what else was not measured, its program "
          "has said above.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

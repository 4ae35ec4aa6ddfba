#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the header that might come next: the present weir/driver.h, grown as its rules of growth
allow. Each growable struct gains two members at its end, the two tables of functions one slot each,
and must_understand one bit. The minor is one higher.

  next_header.py PRESENT NEXT
"""
import pathlib
import re
import sys

FROZEN = {"weir_text", "weir_cell", "weir_option"}

SLOTS = {
    "weir_driver": "weir_status (*next_call)(weir_conn* conn, int64_t* answer,\n"
                   "                           weir_error* error) WEIR_NOEXCEPT;",
    "weir_host": "int64_t (*next_service)(void* ctx) WEIR_NOEXCEPT;",
}
MEMBERS = "uint64_t next_1;\n  uint64_t next_2;"
MACROS = "\n#define WEIR_ABI_NEXT 1\n#define WEIR_NEXT_BIT 1u /* in must_understand */\n"


def grown(header: str) -> str:
    names = re.findall(r"^typedef struct (\w+) \{", header, re.MULTILINE)
    for name in names:
        if name in FROZEN:
            continue
        end = f"\n}} {name};"
        if header.count(end) != 1:
            raise ValueError(f"{name} does not end as expected")
        header = header.replace(end, f"\n\n  {SLOTS.get(name, MEMBERS)}{end}")
    minor = re.search(r"^#define WEIR_ABI_MINOR (\d+)\n", header, re.MULTILINE)
    if minor is None or not set(SLOTS) <= set(names):
        raise ValueError("this is not weir/driver.h")
    following = f"#define WEIR_ABI_MINOR {int(minor[1]) + 1}\n{MACROS}"
    return header[:minor.start()] + following + header[minor.end():]


def main() -> int:
    present, following = (pathlib.Path(argument) for argument in sys.argv[1:])
    following.write_text(grown(present.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes files into a C++ source: embed.py OUTPUT NAME=FILE...

Each text becomes an array of numbers: no compiler limits those, as some do string literals, and no
byte in a file can end one early.
"""
import pathlib
import sys

HEAD = """\
// Made by cli/check/embed.py.
#include "cli/check/embedded.hpp"

#include <array>

namespace weir::check {
namespace {

"""


def main() -> int:
    output, *pairs = sys.argv[1:]
    arrays, rows = [], []
    for number, pair in enumerate(sorted(pairs)):
        name, file = pair.split("=", 1)
        data = pathlib.Path(file).read_bytes()
        values = ",".join(str(byte) for byte in data)
        arrays.append(f"constexpr std::array<char, {len(data)}> file_{number}{{{values}}};\n")
        text = f"{{file_{number}.data(), file_{number}.size()}}"
        rows.append(f'    EmbeddedFile{{"{name}", {text}}},\n')
    text = (HEAD + "".join(arrays) + f"\nconstexpr std::array<EmbeddedFile, {len(rows)}> files{{\n"
            + "".join(rows) + "};\n\n}  // namespace\n\n"
            "std::span<const EmbeddedFile> embedded_files() noexcept { return files; }\n\n"
            "}  // namespace weir::check\n")
    pathlib.Path(output).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

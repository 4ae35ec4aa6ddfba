#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The present weir/driver.h against the frozen one, as compilers see them: a library that names
every type is built from each, and abidiff says what differs. What may differ is what the header's
rules of growth allow: members at the end of structs that are not frozen for good, new constants.

Then it proves that it would have seen a mistake, on headers that have one.

Exit: 0 compatible, 1 not, 77 no abidiff (apt-get install abigail-tools)."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import next_header  # noqa: E402  (the path is set just above)

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRESENT = ROOT / "core/abi/include/weir/driver.h"
# Every type hangs on the one function.
WITNESS = """#include <weir/driver.h>
const weir_driver* weir_plugin_v1(const weir_host* host, weir_error* error) {
  (void)host; (void)error;
  return 0;
}
"""
# What abidiff says of a struct that has grown at its end, and of nothing worse.
HARMLESS = re.compile(r"\s*(type size changed from \d+ to \d+|\d+ data member insertions?:|"
                      r"'.+', at offset \d+ )|'struct \w+' changed:$|$")
CONSTANT = re.compile(r"^(?:#define (WEIR_\w+) (\S.*?)|  (WEIR_\w+) = (\d+),)\s*(?:/\*.*)?$",
                      re.MULTILINE)
ABIDIFF_CHANGE, ABIDIFF_ERROR = 4, 3  # bits of its exit code


def library_of(header: str, folder: pathlib.Path) -> pathlib.Path:
    (folder / "weir").mkdir(parents=True)
    (folder / "weir/driver.h").write_text(header)
    (folder / "witness.c").write_text(WITNESS)
    library = folder / "witness.so"
    subprocess.run(["gcc", "-g", "-shared", "-fPIC", "-fno-eliminate-unused-debug-types",
                    f"-I{folder}", folder / "witness.c", "-o", library], check=True)
    return library


def constants_of(header: str) -> dict[str, str]:
    return {m[1] or m[3]: m[2] or m[4] for m in CONSTANT.finditer(header)}


def differences(old: str, new: str) -> list[str]:
    """What a driver built from `old` would trip over."""
    versions = {"WEIR_ABI_MAJOR", "WEIR_ABI_MINOR"}
    now = constants_of(new)
    found = [f"{name} was {value}, and is {now.get(name, 'gone')}"
             for name, value in constants_of(old).items()
             if name not in versions and now.get(name) != value]
    with tempfile.TemporaryDirectory(prefix="weir-abi-") as folder:
        libraries = [library_of(text, pathlib.Path(folder) / name)
                     for name, text in (("old", old), ("new", new))]
        done = subprocess.run(["abidiff", "--leaf-changes-only", "--no-show-locs", *libraries],
                              capture_output=True, text=True, check=False)
    if done.returncode & ABIDIFF_ERROR:
        return [f"abidiff failed: {done.stderr}{done.stdout}"]
    if done.returncode & ABIDIFF_CHANGE:
        report = done.stdout.splitlines()
        found += [line for line in report if not HARMLESS.match(line) and "summary:" not in line]
        found += [f"{name} is frozen for good, and has grown" for name in next_header.FROZEN
                  if f"'struct {name}' changed:" in report]
    return found


def replaced(header: str, old: str, new: str) -> str:
    if header.count(old) != 1:
        raise ValueError(f"{old!r} is not in the header once")
    return header.replace(old, new)


def mistakes(header: str) -> dict[str, str]:
    rows, columns = "  uint64_t rows;", "  uint32_t columns;"
    return {
        "a wider member": replaced(header, "uint32_t text_capacity;", "uint64_t text_capacity;"),
        "two members that changed places": replaced(
            header, f"{rows}\n{columns}", f"{columns}\n{rows}"),
        "a member in the middle": replaced(
            header, "  const weir_info* info;", "  const weir_info* info;\n  void* more;"),
        "a frozen struct that grew": replaced(
            header, "\n} weir_cell;", "\n  int more;\n} weir_cell;"),
        "an argument more": replaced(header, "void (*abandon)(weir_conn* conn)",
                                     "void (*abandon)(weir_conn* conn, int more)"),
        "another number": replaced(header, "  WEIR_E_TLS = 7,", "  WEIR_E_TLS = 77,"),
        "a bit that is gone": replaced(header, "#define WEIR_EXEC_NO_ROWS 1u\n", ""),
    }


def main() -> int:
    if shutil.which("abidiff") is None:
        print("note: abidiff is not installed: apt-get install abigail-tools")
        return 77
    present = PRESENT.read_text()
    numbers = constants_of(present)
    failed = 0
    # Equal majors work together, so the present header stands beside each frozen one of its major.
    frozen_ones = sorted(ROOT.glob(f"tests/abi/v{numbers['WEIR_ABI_MAJOR']}_*/weir/driver.h"))
    if not frozen_ones:
        print("no frozen header of this major: tests/abi/vMAJOR_MINOR/weir/driver.h is missing")
        return 1
    for frozen in frozen_ones:
        found = differences(frozen.read_text(), present)
        print(f"{frozen.parts[-3]} and the present header: {'; '.join(found) or 'compatible'}")
        failed += bool(found)
    grown = differences(present, next_header.grown(present))
    print(f"a header that has grown as allowed: {'; '.join(grown) or 'compatible'}")
    failed += bool(grown)
    for name, header in mistakes(present).items():
        found = differences(present, header)
        print(f"{name}: {'seen: ' + found[0].strip() if found else 'NOT SEEN'}")
        failed += not found
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

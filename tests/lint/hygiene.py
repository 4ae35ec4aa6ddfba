# SPDX-License-Identifier: MIT
"""House rules for text: licence lines, head comments, sizes, leftovers, and the files a repository
has."""
import os
import re

from sources import ROOT, File

LINES_MAX = 600
COLUMNS_MAX = 100
ENTRY_LINES_MAX = 40
CONTRIBUTING_LINES_MAX = 60

# The host program is compared with the documentation byte for byte, so it cannot follow our layout.
VERBATIM = {"tests/install/host.cpp"}

REQUIRED = ("README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "docs/architecture.md",
            "docs/building.md", "docs/driver-author-guide.md", "docs/glossary.md",
            "docs/options.md")

# Spelt in halves, so that this file does not report itself.
LEFTOVER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b(\(#\d+\))?")
MACHINE_PATH = re.compile(
    r"(?<![\w.~$}*/-])/(wo" r"rk|ro" r"ot|fa" r"rm|ho" r"me/\w+|Us" r"ers/\w+)/")


def is_source(file: File) -> bool:
    name = file.path.rsplit("/", 1)[-1]
    return (file.is_cxx or name in ("meson.build", "meson_options.txt", "dev", "run")
            or name.endswith((".py", ".sh", ".map", ".wrap", ".cmake.in")))


def licence_line(file: File):
    if is_source(file) and file.path not in VERBATIM:
        if not any("SPDX-License-Identifier: MIT" in line for line in file.lines[:3]):
            yield f"{file.path}:1: no SPDX-License-Identifier: MIT in the first three lines"


def headers_open_with_a_paragraph(file: File):
    if not file.is_header:
        return
    head = [line for line in file.lines if "SPDX" not in line]
    while head and head[0].strip() in ("", "//", "/*", "#pragma once"):
        head.pop(0)
    if not head or not head[0].lstrip().startswith(("//", "/*", "*")):
        yield f"{file.path}:2: a header opens with a comment that says what it is"
    if not re.search(r"^\s*#\s*(pragma once|ifndef \w+\s*\n\s*#\s*define)", file.without_comments,
                     re.MULTILINE):
        yield f"{file.path}:1: no #pragma once and no include guard"


def sizes(file: File):
    if not is_source(file):
        if file.path == "CONTRIBUTING.md" and len(file.lines) > CONTRIBUTING_LINES_MAX:
            yield f"{file.path}: {len(file.lines)} lines, at most {CONTRIBUTING_LINES_MAX}"
        return
    # The header that is a specification may be as long as the specification, and so its copies.
    is_specification = re.match(r"(core/abi/include|tests/abi/v\d+_\d+)/weir/", file.path)
    if len(file.lines) > LINES_MAX and not is_specification:
        yield f"{file.path}: {len(file.lines)} lines, at most {LINES_MAX}; what else is in there?"
    if re.match(r"plugins/\w+/entry\.", file.path) and len(file.lines) > ENTRY_LINES_MAX:
        yield (f"{file.path}: {len(file.lines)} lines, at most {ENTRY_LINES_MAX}: "
               "a plugin has no logic")
    if file.is_cxx:
        return  # clang-format knows where a line may be broken
    for number, line in enumerate(file.lines, 1):
        # A link or a hash cannot be broken.
        if len(line) > COLUMNS_MAX and not re.search(r"\S{60,}", line):
            yield f"{file.path}:{number}: {len(line)} columns, at most {COLUMNS_MAX}"


def no_leftovers(file: File):
    if file.path.endswith(".md"):
        return  # prose speaks about them
    for number, line in enumerate(file.lines, 1):
        for match in LEFTOVER.finditer(line):
            if not (match.group(1).startswith("TO") and match.group(2)):
                yield f"{file.path}:{number}: {match.group()} without an issue, as in (#12)"


def no_machine_paths(file: File):
    for number, line in enumerate(file.lines, 1):
        match = MACHINE_PATH.search(line)
        if match:
            yield f"{file.path}:{number}: {match.group()} is a path of one machine"


def clean_text(file: File):
    for number, line in enumerate(file.lines, 1):
        if line != line.rstrip():
            yield f"{file.path}:{number}: trailing white space"
        if "\t" in line and is_source(file):
            yield f"{file.path}:{number}: a tab"
    if file.text and not file.text.endswith("\n"):
        yield f"{file.path}: no newline at the end"
    if any("\udc80" <= c <= "\udcff" for c in file.text):  # how undecodable bytes were let in
        yield f"{file.path}: not UTF-8"


def scripts_are_executable(files: list):
    for file in files:
        if file.text.startswith("#!") and not os.access(ROOT / file.path, os.X_OK):
            yield f"{file.path}: has #! but is not executable"


def required_files(files: list):
    present = {file.path for file in files}
    for path in REQUIRED:
        if path not in present:
            yield f"{path}: missing"

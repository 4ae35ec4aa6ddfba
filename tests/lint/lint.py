#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the rules of the house. Without arguments: the rules over the tree, as TAP.

  --headers   each public header compiles alone
  --all       both, and exit non-zero on a problem; for people
  --fix       lay out the sources in place
"""
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import hygiene  # noqa: E402
import layers  # noqa: E402
import names  # noqa: E402
import tools  # noqa: E402
from sources import load_tree  # noqa: E402
from tap import Tap  # noqa: E402

# Each looks at one file and yields problems. The self-test has an offender for every one.
FILE_RULES = (
    layers.includes_point_down,
    layers.third_parties_stay_in_their_rooms,
    names.core_names_no_clock_thread_or_lock,
    names.engine_is_pure,
    names.clang_compiles_it,
    hygiene.licence_line,
    hygiene.headers_open_with_a_paragraph,
    hygiene.sizes,
    hygiene.no_leftovers,
    hygiene.no_machine_paths,
    hygiene.clean_text,
)
TREE_RULES = (hygiene.scripts_are_executable, hygiene.required_files)


def title(rule) -> str:
    return rule.__name__.replace("_", " ")


def check_tree(tap: Tap, files: list) -> None:
    for rule in FILE_RULES:
        tap.check(title(rule), [problem for file in files for problem in rule(file)])
    for rule in TREE_RULES:
        tap.check(title(rule), rule(files))
    for rule, package, there in ((tools.laid_out, "clang-format-14", tools.clang_format()),
                                 (tools.shell_scripts, "shellcheck", shutil.which("shellcheck"))):
        if there:
            tap.check(title(rule), rule(files))
        else:
            tap.skip(title(rule), f"{package} is not installed (apt-get install {package})")


def check_headers(tap: Tap, files: list) -> None:
    for name, problems, reason in tools.header_checks(files):
        if reason:
            tap.skip(name, reason)
        else:
            tap.check(name, problems)


def main() -> int:
    mode = sys.argv[1] if len(sys.argv) > 1 else ""
    files = load_tree()
    if mode == "--fix":
        list(tools.laid_out(files, fix=True))
        return 0
    tap = Tap()
    if mode != "--headers":
        check_tree(tap, files)
    if mode in ("--headers", "--all"):
        check_headers(tap, files)
    tap.finish()
    # Meson reads the lines above; a person looks at the exit status.
    return 1 if mode == "--all" and tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())

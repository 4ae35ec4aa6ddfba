#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles, runs, replays or parses every code block of the READMEs and of docs/."""
import argparse
import pathlib
import re
import shlex
import sys
import tempfile

from blocks import blocks_of
from checks import Page, Tools
from requirements import Checks, problems_of

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tap import Tap  # noqa: E402  (the path is set just above)


def tokens(text: str) -> list:
    """C++ without comments and layout."""
    text = re.sub(r"//[^\n]*", "", text)
    return re.findall(r'"(?:\\.|[^"\\])*"|\w+|[^\w\s]', text)


def host_program_is_one(source: pathlib.Path, tap: Tap) -> None:
    """The README, the installed test and examples/quickstart.cpp show the same program."""
    programs = [b.text for b in blocks_of("README.md", (source / "README.md").read_text())
                if b.language == "cpp" and "int main" in b.text]
    host = (source / "tests/install/host.cpp").read_text()
    tap.check("the README's program is the one that is tried with the installed library",
              [] if host in programs else "it differs from tests/install/host.cpp")
    example = (source / "examples/quickstart.cpp").read_text()
    tap.check("examples/quickstart.cpp is the same program, but for layout",
              [] if tokens(example) == tokens(host) else "it differs from tests/install/host.cpp")


def links_lead_somewhere(source: pathlib.Path, documents: list, tap: Tap) -> None:
    broken = []
    for document in documents:
        text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target) or target.startswith("#"):
                continue
            if not (document.parent / target.split("#")[0]).exists():
                broken.append(f"{document.relative_to(source)}: {target}")
    tap.check("relative links lead somewhere", broken)


def main() -> int:
    parser = argparse.ArgumentParser()
    for option in ("weir", "source", "build", "compiler", "sanitize"):
        parser.add_argument(f"--{option}", required=True)
    args = parser.parse_args()
    tools = Tools(args.weir, args.source, args.build, shlex.split(args.compiler), args.sanitize)
    source = pathlib.Path(args.source)
    documents = [source / "README.md", source / "CONTRIBUTING.md",
                 *sorted((source / "docs").rglob("*.md")),
                 *sorted((source / "plugins").rglob("*.md")), source / "backends/README.md",
                 source / "examples/README.md"]
    tap = Tap()
    host_program_is_one(source, tap)
    links_lead_somewhere(source, documents, tap)
    tap.check("each rule for drivers is held by a test that exists",
              problems_of((source / "docs/driver-author-guide.md").read_text(),
                          Checks(source / "tests")))
    for document in documents:
        path = document.relative_to(source).as_posix()
        try:
            blocks = blocks_of(path, document.read_text())
        except ValueError as error:
            tap.check(f"{path} can be read", str(error))
            continue
        with tempfile.TemporaryDirectory(prefix="weir-docs-") as directory:
            page = Page(tools, directory)
            for block in blocks:
                tap.check(block.name, page.check(block))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())

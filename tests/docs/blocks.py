# SPDX-License-Identifier: MIT
"""Code blocks of Markdown files: where they are, in what language, and with which marker.

A marker is an HTML comment on the line before the fence:
  <!-- run -->          a C++ program that is run, too, in the directory of its document
  <!-- finds: WORDS --> tests under the simulator, linked with weir-sim; they fail with these words
  <!-- file: NAME -->   the block is also written to NAME there, for programs and commands below it
  <!-- body -->         C++ statements; `pools`, `db` (a Pool) and `c` (a Connection) are in scope
  <!-- fragment -->     TOML that is only a part of a weir.toml: checked for syntax
"""
import dataclasses
import re

FENCE = re.compile(r"^(?P<indent> {0,3})(?P<fence>```+|~~~+)\s*(?P<info>.*)$")
MARKER = re.compile(r"^\s*<!--\s*(?P<text>.*?)\s*-->\s*$")
LIST_ITEM = re.compile(r"^\s*([-*+]|\d+[.)])\s")


@dataclasses.dataclass(frozen=True)
class Block:
    path: str
    line: int  # of the first line of the text
    language: str  # "indented" for a block without fences
    marker: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.path}:{self.line} {self.language or 'no language'}"


def blocks_of(path: str, text: str) -> list:
    """All code blocks in order. Raises ValueError for a fence that is never closed."""
    found = []
    lines = text.splitlines()
    at = 0
    in_list = False
    while at < len(lines):
        fence = FENCE.match(lines[at])
        if fence:
            marker = MARKER.match(lines[at - 1]) if at > 0 else None
            closing = re.compile(rf"^ {{0,3}}{re.escape(fence['fence'])}\s*$")
            end = at + 1
            while end < len(lines) and not closing.match(lines[end]):
                end += 1
            if end == len(lines):
                raise ValueError(f"{path}:{at + 1}: this code block is never closed")
            indent = len(fence["indent"])
            body = "".join(f"{line[indent:] if line[:indent].isspace() else line}\n"
                           for line in lines[at + 1:end])
            found.append(Block(path, at + 2, fence["info"].strip(),
                               marker["text"] if marker else "", body))
            at = end + 1
            continue
        if LIST_ITEM.match(lines[at]):
            in_list = True
        elif lines[at] and not lines[at].startswith(" "):
            in_list = False
        if lines[at].startswith("    ") and not in_list and (at == 0 or not lines[at - 1].strip()):
            end = at
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            body = "".join(f"{line[4:]}\n" for line in lines[at:end])
            found.append(Block(path, at + 1, "indented", "", body))
            at = end
            continue
        at += 1
    return found

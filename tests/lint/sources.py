# SPDX-License-Identifier: MIT
"""The tree as the rules see it: files with text, and C++ text without its comments and strings."""
import dataclasses
import functools
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]

CXX = (".c", ".cpp", ".h", ".hpp", ".ipp")
# One alternation, tried from left to right at each place, so that a quote inside a comment and a
# comment inside a string are each taken for what they are.
TOKENS = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<string>R"(?P<delimiter>[^()\s\\]*)\(.*?\)(?P=delimiter)"
                 | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])+')""",
    re.DOTALL | re.VERBOSE)


@dataclasses.dataclass(frozen=True)
class File:
    """One text file; path is relative to the root, with forward slashes."""
    path: str
    text: str

    @property
    def is_cxx(self) -> bool:
        return self.path.endswith(CXX)

    @property
    def is_header(self) -> bool:
        return self.path.endswith((".h", ".hpp", ".ipp"))

    @functools.cached_property
    def lines(self) -> list:
        return self.text.splitlines()

    @functools.cached_property
    def without_comments(self) -> str:
        return TOKENS.sub(lambda m: _blank(m.group()) if m["comment"] else m.group(), self.text)

    @functools.cached_property
    def code(self) -> str:
        """Neither comments nor the insides of strings; line numbers stay."""
        return TOKENS.sub(lambda m: _blank(m.group()), self.text)

    def includes(self):
        """Yields (line number, "<" or '"', what is included)."""
        for number, line in enumerate(self.without_comments.splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if match:
                yield number, match.group(1), match.group(2)

    def find(self, pattern: str, text: str):
        """Yields (line number, match) for each place of pattern in one of the texts above."""
        for match in re.finditer(pattern, text):
            yield text.count("\n", 0, match.start()) + 1, match.group()


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def tracked_paths() -> list:
    """What git tracks or would track; in an unpacked archive, everything but builds."""
    listing = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "ls-files", "-z", "--cached",
         "--others", "--exclude-standard"], capture_output=True, text=True, check=False)
    if listing.returncode == 0 and (ROOT / ".git").exists():
        paths = listing.stdout.split("\0")
    else:
        paths = [p.relative_to(ROOT).as_posix() for p in ROOT.rglob("*")]
        unpacked = re.compile(r"build/|\.git/|subprojects/(?!packagefiles/)[^/]+/|.*__pycache__/")
        paths = [p for p in paths if not unpacked.match(p)]
    return sorted(p for p in paths if p and (ROOT / p).is_file())


def load_tree() -> list:
    files = []
    for path in tracked_paths():
        data = (ROOT / path).read_bytes()
        if b"\0" in data:
            continue  # binary: an image, a database
        files.append(File(path, data.decode("utf-8", errors="surrogateescape")))
    return files

# SPDX-License-Identifier: MIT
"""Test Anything Protocol for the tests that are Python scripts: one line per check, so that each is
counted and named like a gtest case."""


class Tap:
    def __init__(self) -> None:
        self.count = 0
        self.failed = 0

    def _line(self, ok: bool, name: str, directive: str = "") -> None:
        self.count += 1
        self.failed += not ok
        print(f"{'ok' if ok else 'not ok'} {self.count} - {name}{directive}", flush=True)

    def check(self, name: str, problems) -> bool:
        """Passes if there are no problems: an iterable of lines, or one text."""
        lines = problems.splitlines() if isinstance(problems, str) else list(problems)
        self._line(not lines, name)
        for line in lines:
            print(f"#   {line}", flush=True)
        return not lines

    def skip(self, name: str, reason: str) -> None:
        self._line(True, name, f" # SKIP {reason}")

    def finish(self) -> int:
        """Meson reads the lines; a non-zero exit would say that the script itself broke."""
        print(f"1..{self.count}", flush=True)
        return 0

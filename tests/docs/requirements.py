# SPDX-License-Identifier: MIT
"""The numbered rules of docs/driver-author-guide.md: in order, and each held by something that
exists.

A rule is a paragraph that starts with **D7. and ends with *Held by* and names in backticks:
  Suite.test           a gtest case
  Zoo.is_refused/x     a plugin of the zoo, which tests/loader/zoo.cpp expects to be refused
  file: sentence       a check with that name in tests/**/file
"""
import pathlib
import re

RULE = re.compile(r"^\*\*D(\d+)\. (.*?)(?=^\*\*D\d+\. |^#|\Z)", re.MULTILINE | re.DOTALL)
CASE = re.compile(r"\bTEST(?:_F|_P)?\((\w+),\s*(\w+)\)")
MENTION = re.compile(r"\bD(\d+)\b")


class Checks:
    """What the tests of a tree hold."""

    def __init__(self, tests: pathlib.Path) -> None:
        self.tests = tests
        self.cases = set()
        for file in sorted(tests.rglob("*.cpp")):
            self.cases.update(f"{suite}.{name}" for suite, name in CASE.findall(file.read_text()))

    def has(self, name: str) -> bool:
        if ": " in name:
            file, sentence = name.split(": ", 1)
            return any(f'"{sentence}"' in found.read_text() for found in self.tests.rglob(file))
        case, _, animal = name.partition("/")
        zoo = self.tests / "loader" / "zoo.cpp"
        return case in self.cases and (not animal or f'{{"{animal}", ' in zoo.read_text())


def problems_of(text: str, checks: Checks):
    """Yields what is wrong with the rules in `text`."""
    rules = RULE.findall(text)
    if not rules:
        yield "there are no rules"
    for position, (number, body) in enumerate(rules, 1):
        if int(number) != position:
            yield f"D{number} comes where D{position} is expected"
        held = re.split(r"\*Held\s+by\*", body)
        names = re.findall(r"`([^`]+)`", held[-1]) if len(held) == 2 else []
        if not names:
            yield f"D{number} does not say what holds it"
        for name in names:
            name = " ".join(name.split())
            if not checks.has(name):
                yield f"D{number} is held by {name}, which does not exist"
    known = {int(number) for number, _ in rules}
    for number in sorted({int(n) for n in MENTION.findall(text)} - known):
        yield f"D{number} is mentioned, and there is no such rule"

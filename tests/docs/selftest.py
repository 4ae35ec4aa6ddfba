#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The checks of code blocks under test: a broken block of each kind must be noticed."""
import argparse
import pathlib
import shlex
import sys
import tempfile

from blocks import blocks_of
from checks import Page, Tools
from requirements import Checks, problems_of

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tap import Tap  # noqa: E402  (the path is set just above)

DOCUMENT = """\
# Title

Some text.

<!-- run -->
```cpp
int main() {}
```

- a list
    with an indented line that is no code

    ./dev demo

``` toml
x = "```"
```

~~~text
```cpp
~~~
"""

GOOD = {
    "a program": "<!-- run -->\n```cpp\n#include <weir/weir.hpp>\nint main() {}\n```\n",
    "statements": "<!-- body -->\n```cpp\nauto n = c.query(\"select 1\");\n(void)n;\n```\n",
    "a configuration": '```toml\nversion = 1\n[pool.a]\ndriver = "x"\nurl = "y"\n```\n',
    "a part of one": "<!-- fragment -->\n```toml\n[pool.main]\nmax = 3\n```\n",
    "a session": "```console\n$ weir sql main 'select 1 as n'\nn\n1\n```\n",
    "output with gaps": "```console\n$ weir version\nweir ... (driver ...\n```\n",
    "C": "```c\n#include <weir/driver.h>\n```\n",
    "text": "```text\nanything\n```\n",
}

BAD = {
    "C++ that does not compile": "```cpp\nint main() { return weir; }\n```\n",
    "a program that fails": "<!-- run -->\n```cpp\nint main() { return 3; }\n```\n",
    "statements that do not compile": "<!-- body -->\n```cpp\nc.no_such_function();\n```\n",
    "C that does not compile": "```c\nint x = ;\n```\n",
    "TOML that is none": "```toml\nversion = \n```\n",
    "an unknown key": '```toml\nversion = 1\n[pool.a]\ndriver = "x"\nurl = "y"\nmaxx = 1\n```\n',
    "other output": "```console\n$ weir sql main 'select 1 as n'\nn\n2\n```\n",
    "a command that fails": "```console\n$ weir sql main 'selec'\n```\n",
    "a command that nobody replays": "```console\n$ rm -rf build\n```\n",
    "shell that bash refuses": "```sh\nif then\n```\n",
    "a command of ./dev that is not there": "```sh\n./dev dmeo\n```\n",
    "a weir command that is not there": "    weir dcotor\n",
    "JSON that is none": "```json\n{\n```\n",
    "no language": "```\nwhat is this\n```\n",
    "an unknown language": "```rust\nfn main() {}\n```\n",
    "an unknown marker": "<!-- rnu -->\n```cpp\nint main() {}\n```\n",
}

# What is noticed where the simulator was built.
BAD_SIM = {
    "a search that finds nothing": "<!-- finds: a bug -->\n```cpp\n#include <weir/sim.hpp>\n"
                                   "#include <gtest/gtest.h>\nTEST(A, b) {}\n```\n",
}


def extraction(tap: Tap) -> None:
    found = [(b.line, b.language, b.marker, b.text) for b in blocks_of("x.md", DOCUMENT)]
    wanted = [(7, "cpp", "run", "int main() {}\n"), (16, "toml", "", 'x = "```"\n'),
              (20, "text", "", "```cpp\n")]
    tap.check("blocks are found with place, language and marker",
              [] if found == wanted else f"{found}")
    indented = [b.text for b in blocks_of("x.md", "Text.\n\n    weir help\n\nMore.\n")]
    tap.check("indented blocks are found",
              [] if indented == ["weir help\n\n"] else f"{indented}")
    try:
        blocks_of("x.md", "```cpp\nint x;\n")
        tap.check("a block that is never closed is refused", "it was not")
    except ValueError as error:
        tap.check("a block that is never closed is refused",
                  [] if "x.md:1" in str(error) else str(error))


RULES_GOOD = """\
**D1. Be brief.** Why. *Held by* `Zoo.is_refused/no_symbol`.

**D2. See D1.** *Held
by* `Loader.loads_a_good_plugin`,
`install_test.py: meson install`.
"""

RULES_BAD = {
    "no rules": "text",
    "a number left out": RULES_GOOD.replace("**D2", "**D3"),
    "a rule that nothing holds": RULES_GOOD.replace("*Held\nby*", "by"),
    "a test that is not there": RULES_GOOD.replace("loads_a_good", "loads_no_good"),
    "an animal that is not there": RULES_GOOD.replace("no_symbol", "no_symbols"),
    "a check that is not there": RULES_GOOD.replace("meson install", "meson uninstall"),
    "a mention of no rule": RULES_GOOD.replace("See D1", "See D7"),
}


def rules(tap: Tap, source: pathlib.Path) -> None:
    checks = Checks(source / "tests")
    tap.check("passes: rules that are held", problems_of(RULES_GOOD, checks))
    for name, text in RULES_BAD.items():
        tap.check(f"is noticed: {name}", [] if list(problems_of(text, checks)) else "it was not")


def judge(tools: Tools, text: str) -> list:
    with tempfile.TemporaryDirectory(prefix="weir-docs-") as directory:
        page = Page(tools, directory)
        blocks = blocks_of("x.md", text)
        return [p for b in blocks for p in page.check(b)] if blocks else ["no block was found"]


def main() -> int:
    parser = argparse.ArgumentParser()
    for option in ("weir", "source", "build", "compiler", "sanitize"):
        parser.add_argument(f"--{option}", required=True)
    args = parser.parse_args()
    tools = Tools(args.weir, args.source, args.build, shlex.split(args.compiler), args.sanitize)
    tap = Tap()
    extraction(tap)
    rules(tap, pathlib.Path(args.source))
    for name, text in GOOD.items():
        tap.check(f"passes: {name}", judge(tools, text))
    for name, text in {**BAD, **(BAD_SIM if tools.has_sim else {})}.items():
        problems = judge(tools, text)
        quiet = not problems or problems == ["no block was found"]
        tap.check(f"is noticed: {name}", "it was not" if quiet else [])
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""summary.py on results as Meson 1.0 writes them, of GoogleTest and TAP programs and plain ones:
what is counted, and that nothing is failed or skipped without a word why."""
import json
import pathlib
import subprocess
import sys
import tempfile

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))
from tap import Tap  # noqa: E402

FORK = "ThreadSanitizer does not follow a fork; run a build without it"
JUNIT = f"""<?xml version='1.0' encoding='utf-8'?>
<testsuites>
<testsuite name="weir.weir:unit / pool.Lease">
  <testcase name="ends" status="run" classname="Lease" />
  <testcase name="forks" status="run" classname="Lease">
    <skipped message="x">../../tests/pool.cpp:7&#10;{FORK}</skipped>
  </testcase>
  <testcase name="counts" status="run" classname="Lease">
    <failure message="x">../../tests/pool.cpp:9&#10;Expected: 1</failure>
    <failure message="x">../../tests/pool.cpp:10&#10;Expected: 2</failure>
  </testcase>
  <testcase name="DISABLED_later" status="notrun" classname="Lease" />
</testsuite>
<testsuite name="weir.weir:cli / words">
  <testcase name="1 - helps" classname="weir.weir:cli / words" />
  <testcase name="2 - draws" classname="weir.weir:cli / words"><skipped /></testcase>
  <testcase name="3 - ends" classname="weir.weir:cli / words"><failure /></testcase>
</testsuite>
<testsuite name="weir">
  <testcase name="weir:unit / plain" classname="weir:unit / plain" />
</testsuite>
</testsuites>"""
WORDS = """ok 1 - helps
ok 2 - draws # SKIP tmux is not installed (apt-get install tmux)
not ok 3 - ends
#   exit status 1, expected 0
1..3"""

SAID = f"""\
skipped: pool: Lease.forks
    {FORK}
failed: pool: Lease.counts
    ../../tests/pool.cpp:9
    Expected: 1
    ../../tests/pool.cpp:10
    Expected: 2
skipped: pool: Lease.DISABLED_later
    disabled by its name; --gtest_also_run_disabled_tests runs it
skipped: words: 2 - draws
    tmux is not installed (apt-get install tmux)
failed: words: 3 - ends
    exit status 1, expected 0
"""


def result_of(name: str, result: str, stdout: str = "") -> dict:
    return {"name": name, "result": result, "stdout": stdout}


POOL, CLI = result_of("weir:unit / pool", "FAIL"), result_of("weir:cli / words", "FAIL", WORDS)
PLAIN = result_of("weir:unit / plain", "OK")


def summary(results: list, junit: str = JUNIT) -> tuple:
    """Returns (exit status, what it counted, what it said)."""
    with tempfile.TemporaryDirectory(prefix="weir-summary-") as build:
        logs = pathlib.Path(build) / "meson-logs"
        logs.mkdir()
        if results:
            (logs / "testlog.json").write_text("".join(json.dumps(r) + "\n" for r in results))
        if junit:
            (logs / "testlog.junit.xml").write_text(junit)
        done = subprocess.run([sys.executable, TESTS / "summary.py", build], text=True,
                              capture_output=True, check=False)
        return done.returncode, done.stdout.strip(), done.stderr


def differs(found, expected) -> list:
    return [] if found == expected else [f"found    {found!r}", f"expected {expected!r}"]


def main() -> int:
    tap = Tap()
    status, counted, said = summary([POOL, CLI, PLAIN])
    tap.check("each case counts once, and a plain program", differs(counted, "3 2 3"))
    tap.check("what is failed or skipped is named, with what it says of it",
              differs(said.splitlines(), SAID.splitlines()))
    tap.check("a failure is a failure of the whole", differs(status, 1))
    tap.check("without one it is not", differs(summary([PLAIN])[:2], (0, "1 0 0")))
    tap.check("a program that failed and names no case counts as a failure",
              differs(summary([result_of("weir:unit / plain", "TIMEOUT")], ""),
                      (1, "0 1 0", "failed: plain: timeout\n")))
    tap.check("a program that could not be tried says why in its last line",
              differs(summary([result_of("weir:unit / plain", "SKIP", "looked\nno server\n")], ""),
                      (0, "0 0 1", "skipped: plain\n    no server\n")))
    long = result_of("weir:cli / words", "FAIL",
                     WORDS.replace("#   exit", "".join(f"# {i}\n" for i in range(14)) + "#   exit"))
    tap.check("of long remarks the beginning is said, and how much is left",
              differs(summary([long])[2].splitlines()[-2:], ["    11", "    and 3 lines more"]))
    tap.check("no results are a failure", differs(summary([])[:2], (1, "0 1 0")))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the example programs and the demo, and compares what they print."""
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tap import Tap  # noqa: E402  (the path is set just above)

PRINTS = {
    "quickstart": r"1 Ada\n3 Grace\n",
    "linked_driver": r"SQLite 3\.\d+\.\d+ says 42\n",
    "streaming": r"500000500000\n",
    "retry": r"60 40\n",
    "request": r"Ada: 201\nGrace: 201\nAda: 409\n2 users, 4 lines\n",
    "shutdown": r"finished\npool_closed\n",
    "metrics": r"\A# HELP (?s:.*)"
               r'\nweir_acquire_total\{db_client_connection_pool_name="main",outcome="waited"\} 1\n'
               r"(?s:.*)\n",
    "transaction": r"order 1: done\nbook: without gift paper\norder 2: done\norder 3: refused\n"
                   r"book 0\ngift paper 0\n",
    "middleware": r"SELECT users: ok\nDELETE users: read_only\n"
                  r"not by this service: DELETE users\n1 timed\n",
    "hooks": r"lease 1 of checkout\nselect count\(\*\) from basket\n1 open\n0 open\n",
    "insert_many": r"2 stored\n1 stored, 1 skipped\nrow 1 has no title\n3 books, 24\.5\n",
    "coroutines": r"10100\n",
    "workers": r"2 connections\n(cancelled\n){3}",
    "health": r"200 the last health check failed: .*no such table: users.*\n"
              r"200 ready\n503 closed\n",
    "exhausted": r"W301: monthly report\nserved\nnone_idle\n",
    "limits": r"4 open\n1 open\n3 idle for too long\n2 open\n",
    "environment": r"1 to 3, waiting for 2 s at most\nconfig_unresolved\n",
    "prepared": r"cellar +11\.25\ngarden +none\nroof +22\.00\n",
}


def prepare(directory: pathlib.Path) -> None:
    with sqlite3.connect(directory / "app.db") as db:
        db.execute("create table users (id integer primary key, name text, team integer)")
        db.executemany("insert into users values (?, ?, ?)",
                       [(1, "Ada", 42), (2, "Charles", 7), (3, "Grace", 42)])
    db.close()
    (directory / "weir.toml").write_text(
        'version = 1\n[pool.main]\ndriver = "sqlite"\nurl = "app.db"\n')


def run(tap: Tap, name: str, command: list, directory, code: int = 0, out: str = "",
        err: str = "") -> None:
    done = subprocess.run([str(c) for c in command], cwd=directory, capture_output=True, text=True,
                          check=False, timeout=280)
    problems = []
    if done.returncode != code:
        problems.append(f"exit status {done.returncode}, expected {code}")
    for where, text, pattern in (("stdout", done.stdout, out), ("stderr", done.stderr, err)):
        if not re.search(pattern, text):
            problems.append(f"{where} has nothing like /{pattern}/")
    output = (done.stdout + done.stderr).splitlines() if problems else []
    tap.check(name, [*problems, *output])


def the_simulated(tap: Tap, program, directory) -> None:
    """Finds the bug that it has, shows the case as columns and as a file, and passes without it."""
    run(tap, "examples/sim finds its bug and passes when that is mended", [program], directory,
        out=r"(?s)no money is made or lost: there were 300, and now there are \d+.*"
            r"-- .* goes on.*The case as a file:.*count = 2\n.*\[  PASSED  \] 2 tests")


def main() -> int:
    demo, *examples = (pathlib.Path(p).resolve() for p in sys.argv[1:])
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="weir-examples-") as directory:
        prepare(pathlib.Path(directory))
        for program in examples:
            name = program.name.removeprefix("example-")
            if name == "sim":
                the_simulated(tap, program, directory)
                continue
            run(tap, f"examples/{name}.cpp", [program], directory, out=f"\\A{PRINTS[name]}\\Z")
        exact = "exact: no committed change was lost or doubled"
        run(tap, "the demo finds its books exact", [demo, "--seconds", "2"], directory, out=exact,
            err="16 threads share 4 connections")
        run(tap, "the demo runs where there is no dpkg", [demo, "--seconds", "1", "--data", "none"],
            directory, out=exact, err="imported 41 packages")
        run(tap, "the demo says what is wrong with its configuration",
            [demo, "--config", "none.toml"], directory, 65, err="none.toml does not exist")
        run(tap, "the demo explains its options", [demo, "--sceonds"], directory, 64, err="^usage:")
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())

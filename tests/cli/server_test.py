#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The command, and the demo, on a real server that is there for this test alone.

server_test.py WEIR SOURCE WITH-SERVER DEMO SERVER
"""
import os
import pathlib
import signal
import subprocess
import sys

from harness import Expect, Run, Started, Weir, main

NO_SERVER = 69  # with-server's, which says what is missing and how to get it


def config(server: str, **keys) -> str:
    lines = [f"{key} = {value}\n" for key, value in keys.items()]
    return ("version = 1\n[pool.main]\n" + f'driver = "{server}"\n'
            + 'url = { env = "WEIR_DEMO_DATABASE" }\n' + "".join(lines))


def the_command(weir: Weir, tap) -> None:
    server = sys.argv[5]
    weir.env["WEIR_DEMO_DATABASE"] = os.environ["WEIR_DEMO_DATABASE"]
    weir.write("weir.toml", config(server))
    Expect(weir("doctor")).code(0).no_err().out(
        f"driver ✓ {server} .*connect ✓.*query ✓.*reset ✓.*settings ✓").to(
            tap, f"doctor on {server}")
    Expect(weir("ping", "-n", "3")).code(0).out("3 sent, 3 answered").to(tap, f"ping {server}")
    Expect(weir("sql", "main", "create table t (k bigint primary key)")).code(0).to(
        tap, f"{server} makes a table")
    Expect(weir("sql", "main", "insert into t values (7)")).code(0).to(tap, f"{server} fills it")
    Expect(weir("sql", "main", "select k from t")).code(0).out_is("k\n7\n").to(
        tap, f"{server} has what was written")
    Expect(weir("sql", "main", "insert into t values (7)")).code(1).err(r"W\d+").to(
        tap, f"{server} refuses a second row of the same key")
    weir.write("wide.toml", config(server, max=10000))
    Expect(weir("-c", "wide.toml", "doctor")).code(0).out(
        r"warning: max: max = 10000, but the server admits \d+ connections \(max_connections = \d+",
        r"max = \d+, less what other programs use").to(
            tap, f"doctor knows what {server} admits")
    if server == "postgres":  # where a table can stand before the server's own
        for statement in ("create schema hidden", "create table hidden.pg_settings (x int)"):
            Expect(weir("sql", "main", statement)).code(0).to(tap, statement)
        hidden = config(server, init_sql='["set search_path = hidden, pg_catalog"]')
        weir.write("hidden.toml", hidden)
        Expect(weir("-c", "hidden.toml", "doctor")).code(0).no_err().out(
            "note: url: the server did not say what it allows").to(
                tap, "a server that tells nothing is no fault of the pool")
    weir.write("wrong.toml", config(server).replace(
        '{ env = "WEIR_DEMO_DATABASE" }', f'"{server}://nobody:open-sesame@127.0.0.1:1/none"'))
    run = weir("-c", "wrong.toml", "doctor")
    Expect(run).code(69).out("connect ✗").err("127.0.0.1").to(tap, f"no {server} at this address")
    tap.check("and the password is not shown",
              run.lines() if "open-sesame" in run.out + run.err else [])


def the_demo(_weir: Weir, tap) -> None:
    demo = pathlib.Path(sys.argv[4]).resolve()
    done = subprocess.run([demo, "--config", demo.parent / f"{sys.argv[5]}.toml", "--seconds", "2"],
                          capture_output=True, text=True, check=False, timeout=110)
    Expect(Run(done.returncode, done.stdout, done.stderr)).code(0).out(
        "exact: no committed change was lost or doubled").to(tap, f"the demo on {sys.argv[5]}")


def ends_by_signal(weir: Weir, tap) -> None:
    """As Ctrl-C does it, for all that a terminal runs, and as whoever ends one process does."""
    for number, everybody in ((signal.SIGINT, True), (signal.SIGTERM, False)):
        with Started([pathlib.Path(sys.argv[3]).resolve(), sys.argv[5], "/bin/sh", "-c",
                      'echo "$WEIR_DEMO_SERVER"; exec sleep 100'], start_new_session=True,
                     env=weir.env, stdout=subprocess.PIPE, text=True) as process:
            directory = pathlib.Path(process.stdout.readline().strip()).parent
            there = directory.is_dir()
            (os.killpg if everybody else os.kill)(process.pid, number)
            code = process.wait(timeout=60)
        tap.check(f"{number.name} leaves nothing of the server behind",
                  [] if there and code == 128 + number and not directory.exists()
                  else [f"exit status {code}", f"{directory} {there} {directory.exists()}"])


def outside() -> int:
    """Runs this file once more, beside the server."""
    with_server, server = sys.argv[3], sys.argv[5]
    done = subprocess.run([with_server, server, sys.executable, *sys.argv, "inside"],
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode == NO_SERVER:
        print("1..0 # SKIP " + " ".join(done.stderr.split()))
        return 0
    print(done.stderr, file=sys.stderr, end="")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main([the_command, the_demo, ends_by_signal])
             if sys.argv[-1] == "inside" else outside())

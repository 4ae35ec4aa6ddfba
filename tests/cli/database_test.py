#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The commands that talk to a database, and how they behave on a terminal, in a pipe, on Ctrl-C."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

from harness import CONFIG, Expect, Run, Weir, main, pending

COUNT = ("with recursive n (i) as (select 1 union all select i + 1 from n where i < {})"
         " select i from n")


def doctor(weir: Weir, tap) -> None:
    weir.write("weir.toml", CONFIG
               + '[pool.memory]\ndriver = "sqlite"\nurl = ":memory:"\nmax = 1\n')
    Expect(weir("doctor")).code(0).no_err().out(
        r"^main .*config ✓.*driver ✓.*connect ✓ \S+ \ws.*query ✓.*reset ✓",
        "^memory .*reset ✓").to(tap, "doctor examines every pool")
    Expect(weir("doctor", LANG="C")).code(0).out("connect ok").to(
        tap, "without UTF-8 there are no check marks")
    Expect(weir("doctor", "main", "--json")).code(0).json(
        lambda v: v["ok"] and [s["step"] for s in v["pools"][0]["steps"]]
        == ["config", "driver", "connect", "query", "reset", "settings"]).to(tap, "doctor --json")

    unclean = pathlib.Path(sys.argv[3]).resolve()
    weir.write("unclean.toml", CONFIG + f'[drivers.sqlite]\npath = "{unclean}"\n')
    Expect(weir("-c", "unclean.toml", "doctor")).code(0).no_err().out(
        "query ✓.*reset ✓ the driver has none.*settings").to(
            tap, "a driver need not be able to clean a session")

    weir.write("away.toml", CONFIG.replace('"app.db"', '"nodir/app.db"'))
    Expect(weir("-c", "away.toml", "doctor")).code(69).out("driver ✓.*connect ✗").err(
        "nodir", "does not exist", r"weir explain W\d+").to(
            tap, "a database in a missing directory")
    weir.write("text.db", "this is no database, but a text that is long enough to be one\n" * 20)
    weir.write("text.toml", CONFIG.replace('"app.db"', '"text.db"'))
    run = weir("-c", "text.toml", "doctor", "--json")
    Expect(run).json(lambda v: not v["ok"] and v["pools"][0]["error"]["exit_code"] == run.code
                     and run.code != 0).to(tap, "a file that is no database")
    Expect(weir("-c", "text.toml", "doctor")).out("connect ✗").err("text.db").to(
        tap, "a file that is no database is named")
    busy = CONFIG.replace('"5s"', '"0s"') + "max_waiting = 0\n"
    weir.write("busy.toml", busy + '[admin]\nsocket = "not/there/weir.sock"\n')
    for args in (["doctor"], ["ping", "-n", "1"], ["sql", "main", "SELECT 1"]):
        Expect(weir("-c", "busy.toml", *args)).code(0).to(
            tap, f"{args[0]} waits where callers may not, and takes no socket")
    weir.write("none.toml", CONFIG.replace('"sqlite"', '"oracle"'))
    Expect(weir("-c", "none.toml", "doctor")).code(69).out("config ✓.*driver ✗").err(
        "oracle").to(tap, "a driver that is not there")


def ping(weir: Weir, tap) -> None:
    weir.write("weir.toml", CONFIG)
    Expect(weir("ping", "-n", "3", "-i", "1ms")).code(0).no_err().out(
        r"^PING main \(sqlite\)", "^seq=3 time=", "^3 sent, 3 answered, min ").to(tap, "ping")
    Expect(weir("ping", "main", "-n", "2", "-i", "1ms", "--json")).code(0).json(
        lambda v: v["sent"] == v["ok"] == 2 and v["min_ns"] <= v["mean_ns"] <= v["max_ns"]).to(
            tap, "ping --json")
    weir.write("sick.toml", CONFIG.replace('"sqlite"', '"mock"').replace('"app.db"', '"mock:"')
               + '[pool.main.options]\nfail_ping = "conn_lost"\n')
    run = weir("-c", "sick.toml", "ping", "-n", "2", "-i", "1ms")
    tap.check("a ping without an answer fails", [] if run.code != 0 and run.err else run.lines())
    weir.write("shut.toml", CONFIG.replace('"sqlite"', '"mock"').replace('"app.db"', '"mock:"')
               + '[pool.main.options]\nfail_open = "connect"\n')
    Expect(weir("-c", "shut.toml", "ping")).code(69).err("W306|W502").to(
        tap, "a database that is not there")


def sql(weir: Weir, tap) -> None:
    weir.write("weir.toml", CONFIG)
    Expect(weir("sql", "main", "create table t (i integer, d real, s text, b blob)")).code(0).to(
        tap, "sql without rows")
    insert = "insert into t values (1, 0.5, 'a\tb\\c', x'00ff'), (2, null, '', x'')"
    Expect(weir("sql", "main", insert)).code(0).no_out().err("2 rows changed").to(
        tap, "sql tells what it changed")
    Expect(weir("sql", "main", "select * from t")).code(0).no_err().out_is(
        "i\td\ts\tb\n1\t0.5\ta\\tb\\\\c\t\\x00ff\n2\t\\N\t\t\\x\n").to(tap, "rows as TSV")
    Expect(weir("sql", "main", "select * from t", "--json")).code(0).json(
        lambda v: v == {"columns": ["i", "d", "s", "b"],
                        "rows": [[1, 0.5, "a\tb\\c", {"base64": "AP8="}],
                                 [2, None, "", {"base64": ""}]]}).to(tap, "rows as JSON")
    Expect(weir("sql", "main", "update t set s = 'x'", "--json")).code(0).json(
        lambda v: v["affected"] == 2 and v["rows"] == []).to(tap, "changes as JSON")
    Expect(weir("sql", "main", "insert into t (i) values (3) returning i")).code(0).out_is(
        "i\n3\n").to(tap, "an insert that returns rows")
    Expect(weir("sql", "main", "select 9223372036854775807 as n, -1.5e300 as d", "--json")).code(
        0).json(lambda v: v["rows"] == [[9223372036854775807, -1.5e300]]).to(tap, "exact numbers")
    Expect(weir("sql", "main", "select cast(x'ff41' as text) as s", "--json")).code(0).json(
        lambda v: v["rows"] == [[{"base64": "/0E="}]]).to(tap, "text that is no UTF-8")
    Expect(weir("sql", "main", "-", stdin="select 1 as one\n")).code(0).out_is("one\n1\n").to(
        tap, "SQL from standard input")
    Expect(weir("sql", "main", "--", "-- with a comment\nselect 1 as one")).code(0).out_is(
        "one\n1\n").to(tap, "SQL that looks like an option, after --")
    for name, text, pattern in [("a syntax error", "selec 1", "W508"),
                                ("an unknown table", "select * from nothing", "nothing"),
                                ("two statements", "select 1; select 2", "W403"),
                                ("a NUL", "-", "NUL")]:
        stdin = "select 1\0" if name == "a NUL" else ""
        Expect(weir("sql", "main", text, stdin=stdin)).code(1).no_out().err(pattern).to(
            tap, f"sql with {name}")
    Expect(weir("sql", "main", "selec 1", "--json")).code(1).json(
        lambda v: v["error"]["name"] == "sql_error").to(tap, "an SQL error as JSON")


def terminal(weir: Weir, tap) -> None:
    weir.write("weir.toml", CONFIG)
    query = ["sql", "main", "select 7 as n, 'ä' as s, null as x union all select 1000, 'b', 'y'"]
    Expect(weir.on_terminal(*query)).code(0).out_is(
        "    n | s | x\r\n".replace("    n", " n   ", 1)
        + "------+---+------\r\n    7 | ä | NULL\r\n 1000 | b | y\r\n2 rows\r\n").to(
            tap, "a table on a terminal")
    Expect(weir.on_terminal("sql", "main", "select char(27) || '[31m' as s")).code(0).out(
        re.escape("\\x1b[31m")).to(tap, "a terminal gets no control characters from a database")
    green = re.escape("\x1b[32m")

    def colored(run: Run) -> bool:
        return re.search(green, run.out) is not None

    for name, wanted, run in [
            ("on a terminal", True, weir.on_terminal("doctor")),
            ("with NO_COLOR", False, weir.on_terminal("doctor", NO_COLOR="1")),
            ("with an empty NO_COLOR", True, weir.on_terminal("doctor", NO_COLOR="")),
            ("with TERM=dumb", False, weir.on_terminal("doctor", TERM="dumb")),
            ("with --color=never", False, weir.on_terminal("doctor", "--color=never")),
            ("in a pipe", False, weir("doctor")),
            ("with --color=always", True, weir("doctor", "--color", "always", NO_COLOR="1"))]:
        tap.check(f"{'colours' if wanted else 'no colours'} {name}",
                  [] if run.code == 0 and colored(run) == wanted else run.lines())
    for name, wanted, env in [("on a terminal", True, {}), ("with TERM=dumb", False,
                                                           {"TERM": "dumb"})]:
        run = weir.on_terminal("bench", "--for", "300ms", "--threads", "2", **env)
        shown = "operations" in run.out
        tap.check(f"{'a' if wanted else 'no'} progress line {name}",
                  [] if run.code == 0 and shown == wanted else run.lines())


def bench(weir: Weir, tap) -> None:
    weir.write("weir.toml", CONFIG)
    Expect(weir("bench", "--for", "200ms", "--threads", "4")).code(0).no_err().out(
        r"^throughput +\d+ /s", r"^wait +p50 .*p99 .*max ", "^query ").to(tap, "bench")
    Expect(weir("bench", "main", "--rate", "200", "--for", "500ms", "--json")).code(0).json(
        lambda v: 0 < v["operations"] <= 100 and v["failures"] == []
        and v["wait"]["count"] == v["operations"] == v["stats"]["leases"]).to(
            tap, "bench at a rate, as JSON")
    Expect(weir("bench", "--for", "100ms", "--sql", "select * from nothing")).code(1).out(
        r"failed +\d+ x W508").err("nothing").to(tap, "bench with an SQL error")
    weir.write("shut.toml", CONFIG.replace('"sqlite"', '"mock"').replace('"app.db"', '"mock:"')
               + '[pool.main.options]\nfail_open = "auth"\n')
    Expect(weir("-c", "shut.toml", "bench", "--for", "100ms")).code(69).to(
        tap, "bench without a database")


def pipes(weir: Weir, tap) -> None:
    weir.write("weir.toml", CONFIG)
    for extra in ([], ["--json"]):
        with subprocess.Popen([weir.program, "sql", "main", COUNT.format(1_000_000), *extra],
                              cwd=weir.directory, env=weir.env, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            process.stdout.read(10)
            process.stdout.close()
            err = process.stderr.read().decode()
            code = process.wait(timeout=60)
        tap.check(f"a reader that leaves ends it quietly {' '.join(extra)}".strip(),
                  [] if code == 0 and not err else [f"exit status {code}", *err.splitlines()])
    weir.write("later.toml", CONFIG + CONFIG[CONFIG.index("[pool.main]"):].replace(
        "[pool.main]", "[pool.second]").replace('"app.db"', '"nodir/app.db"'))
    Expect(unread(weir, "-c", "later.toml", "doctor")).code(69).err("nodir").to(
        tap, "doctor says what is wrong also to somebody who reads no more")
    Expect(unread(weir, "config", "diff", "weir.toml", "later.toml")).code(1).to(
        tap, "and config diff that there is a difference")
    Expect(unread(weir, "ping", "-n", "1000000")).code(0).no_err().to(
        tap, "ping ends with its reader")
    if os.path.exists("/dev/full"):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([weir.program, "version"], stdout=full, stderr=subprocess.PIPE,
                                  env=weir.env, text=True, check=False)
        tap.check("a full disk is an error",
                  [] if done.returncode == 1 and "No space left" in done.stderr
                  else [f"exit status {done.returncode}", done.stderr])


def unread(weir: Weir, *args) -> Run:
    """With nobody at the other end of its standard output."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([weir.program, *args], cwd=weir.directory, env=weir.env, stdout=writer,
                          stderr=subprocess.PIPE, text=True, check=False, timeout=110)
    os.close(writer)
    return Run(done.returncode, "", done.stderr)


def interrupts(weir: Weir, tap) -> None:
    weir.write("weir.toml", CONFIG)
    Expect(weir.interrupted("ping", "-n", "1000", wait_for="seq=2")).code(130).out(
        r"^\d+ sent, \d+ answered").to(tap, "SIGINT ends ping, with its summary")
    Expect(weir.interrupted("bench", "--for", "100s")).code(130).out("throughput").to(
        tap, "SIGINT ends bench, with its result")
    start = time.monotonic()
    run = weir.interrupted("sql", "main", "select count(*) from (" + COUNT.format(10**12) + ")")
    took = time.monotonic() - start
    Expect(run).code(130).no_out().no_err().to(tap, "SIGINT ends a statement that runs")
    tap.check("and does so soon", [] if took < 30 else f"{took} s")
    reader, writer = os.pipe()
    Expect(weir.interrupted("sql", "main", "-", stdin=reader)).code(130).no_out().no_err().to(
        tap, "SIGINT ends the wait for a statement")
    os.close(writer)
    os.close(reader)
    weir.write("eager.toml", CONFIG.replace('"sqlite"', '"mock"').replace('"app.db"', '"mock:"')
               + 'min = 1\nstart = "eager"\nstart_timeout = "10m"\n'
               + '[pool.main.options]\nfail_open = "connect"\n')
    Expect(weir.interrupted("-c", "eager.toml", "bench")).code(130).no_out().no_err().to(
        tap, "SIGINT ends bench while it waits for an eager pool")
    another_signal_first(weir, tap)


def another_signal_first(weir: Weir, tap) -> None:
    with weir.started("ping", "-n", "200", "-i", "50ms") as process:
        process.stdout.readline()
        process.send_signal(signal.SIGUSR1)
        while pending(process.pid, signal.SIGUSR1):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=110)
    Expect(Run(process.returncode, out, err)).code(130).no_err().to(
        tap, "a SIGUSR1 makes nobody deaf to SIGINT")


if __name__ == "__main__":
    sys.exit(main([doctor, ping, sql, terminal, bench, pipes, interrupts]))

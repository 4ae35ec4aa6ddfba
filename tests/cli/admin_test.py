#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The commands that ask a running program: beside a real one, and beside sockets that misbehave.

admin_test.py WEIR SOURCE HOST
"""
import contextlib
import json
import os
import pathlib
import pwd
import re
import signal
import socket
import subprocess
import sys
import threading

from admin_support import Drips, FakeServer, Host, Orphan, Tmux, free_port, get, has_ipv6, until
from harness import CONFIG, Expect, Run, main, pending

ADMIN = CONFIG.replace("[pool.main]", '[admin]\nsocket = "weir.sock"\n[pool.main]\nlog = []')
TWO_POOLS = ADMIN + '[pool.other]\nlog = []\ndriver = "sqlite"\nurl = "other.db"\nmax = 3\n'


def stats(weir, tap) -> None:
    weir.write("weir.toml", TWO_POOLS)
    with Host(weir) as host:
        host("query 3")
        host("hold 2")
        Expect(weir("stats")).code(0).no_err().out(
            r"^POOL +STATE +HEALTH +ACTIVE +IDLE +OPENING +MAX +WAITING +LEASES +TIMEOUTS +WAIT-p99"
            " +USE-p99$",
            r"^main +open +ready +2 +0 +0 +2 +0 +5 +0 +\S+ +\d[\d.]*[um]?s$",
            r"^other +open +\S+ +0 +0 +\d +3 +0 +0 +0 +- +-$").to(tap, "stats is a table")
        Expect(weir("stats", "main")).code(0).out("^main ").to(tap, "stats of one pool")
        tap.check("and of no other", [] if "other" not in weir("stats", "main").out else "other")
        Expect(weir("stats", "main", "--json")).code(0).no_err().json(
            lambda v: v["pid"] == host.pid and len(v["pools"]) == 1
            and v["pools"][0]["active"] == 2 and v["pools"][0]["use"]["sum"] > 0
            and v["pools"][0]["health"]["status"] == "ready").to(tap, "stats --json")
        Expect(weir("stats", "mian")).code(64).no_out().err(
            "no pool 'mian'; did you mean 'main'", "W401").to(tap, "stats of an unknown pool")
        Expect(weir("stats", "nothing-like-it")).code(64).err("it has main, other").to(
            tap, "stats of a pool unlike any")
        weir("pause", "main")
        Expect(weir("stats")).code(0).out("^main +suspended +not_ready ",
                                          "^main: the pool is suspended").to(
            tap, "stats says why a pool is not ready")
        Expect(weir("-c", "none.toml", "stats", "--socket", "weir.sock")).code(0).out("^main ").to(
            tap, "--socket needs no configuration")


def changes(weir, tap) -> None:
    weir.write("weir.toml", ADMIN)
    with Host(weir) as host:
        host("hold 2")
        Expect(weir("pause")).code(0).out(
            "^main is paused, until `weir resume main`; 2 leases are still out$").err(
                r"admin_host\.cpp:\d+ \"held\"").to(tap, "pause of the only pool")
        tap.check("it lends nothing", [] if host("miss") == "acquire_timeout" else "it lent")
        Expect(weir("resume", "main", "--json")).code(0).json(
            lambda v: v["pool"] == "main" and v["state"] == "open" and v["active"] == 2).to(
                tap, "resume --json")
        run = weir("pause", "main", "--wait", "100ms")
        Expect(run).code(1).no_out().err(
            "after 100ms 2 leases are still out; main stays paused, until `weir resume main`",
            r"admin_host\.cpp:\d+ \"held\"").to(tap, "pause --wait in vain says who holds them")
        Expect(weir("pause", "--wait", "100ms", "--json")).code(1).json(
            lambda v: v["active"] == 2 and v["state"] == "suspended").to(
                tap, "pause --wait --json in vain")
        with weir.started("pause", "main", "--wait", "60s") as waiting:
            tap.check("pause --wait waits", [] if waiting.poll() is None else "it has ended")
            host("release")
            out, err = waiting.communicate(timeout=60)
        Expect(Run(waiting.returncode, out, err)).code(0).no_err().out(
            "^main is paused, .*; every lease is back$").to(tap, "pause --wait until they are back")
        weir("resume", "main")
        host("hold 1")
        with weir.started("pause", "main", "--wait", "60s", "--json") as waiting:
            until(lambda: pool(weir)["state"] == "suspended")
            host("release")
            out, err = waiting.communicate(timeout=60)
        Expect(Run(waiting.returncode, out, err)).code(0).json(
            lambda v: v["active"] == 0 and v["note"] is None).to(
                tap, "pause --wait --json has no note of who is back")
        host_paused_by_another(weir, tap, host)
        Expect(weir("resume")).code(0).no_err().out(
            "^main lends; 0 leases are out$").to(tap, "resume")
        opened_before = opened(weir)
        host("query 1")
        Expect(weir("recycle")).code(0).out("^every connection of main is replaced").to(
            tap, "recycle")
        tap.check("the idle connection is closed", until(lambda: pool(weir)["closed"]["evicted"]))
        host("query 1")
        tap.check("and replaced", until(lambda: opened(weir) > opened_before))
        for verb in ("pause", "resume", "recycle"):
            Expect(weir(verb, "mian")).code(64).no_out().err('did you mean "main"', "W401").to(
                tap, f"{verb} of an unknown pool")
            Expect(weir(verb, "ma in")).code(64).no_out().err("no pool can be called 'ma in'").to(
                tap, f"{verb} of what can be no pool")
        Expect(weir("pause", "--wait", "3")).code(64).err('--wait is \'3\'.*write "3s"').to(
            tap, "pause --wait without a unit")
    weir.write("weir.toml", TWO_POOLS)
    with Host(weir):
        Expect(weir("pause", "--json")).code(64).json(
            lambda v: v["error"]["code"] == "W401" and "other" in v["error"]["message"]).to(
                tap, "pause of one of two pools asks which")


def pool(weir) -> dict:
    return weir("stats", "--json").json()["pools"][0]


def opened(weir) -> int:
    return sum(pool(weir)["opened"].values())


def host_paused_by_another(weir, tap, host) -> None:
    weir("resume", "main")
    host("hold 1")
    with weir.started("pause", "main", "--wait", "60s") as waiting:
        until(lambda: pool(weir)["state"] == "suspended")
        weir("resume", "main")
        out, err = waiting.communicate(timeout=60)
    Expect(Run(waiting.returncode, out, err)).code(1).no_out().err(
        "main is no longer paused, but open").to(tap, "pause --wait notices that somebody resumes")
    with weir.started("pause", "main", "--wait", "60s") as waiting:
        until(lambda: pool(weir)["state"] == "suspended")
        waiting.send_signal(signal.SIGINT)
        out, err = waiting.communicate(timeout=60)
    Expect(Run(waiting.returncode, out, err)).code(130).no_out().err(
        "interrupted; main stays paused").to(tap, "SIGINT ends pause --wait")
    host("release")


def reload(weir, tap) -> None:
    weir.write("weir.toml", ADMIN)
    with Host(weir):
        Expect(weir("reload")).code(0).no_out().err("nothing has changed").to(
            tap, "reload of the same file")
        weir.write("weir.toml", ADMIN.replace("max = 2", "max = 7"))
        Expect(weir("reload")).code(0).no_err().out("^main: max: 2 -> 7").to(tap, "reload")
        Expect(weir("stats", "--json")).json(lambda v: v["pools"][0]["max"] == 7).to(
            tap, "and it is so")
        weir.write("weir.toml", ADMIN.replace("max = 2", "max = 8"))
        Expect(weir("reload", "--json")).code(0).json(
            lambda v: len(v["changes"]) == 1 and "7 -> 8" in v["changes"][0]).to(
                tap, "reload --json")
        weir.write("weir.toml", ADMIN + "maxx = 3\n")
        Expect(weir("reload", "--socket", "weir.sock")).code(65).no_out().err("maxx", "W103").to(
            tap, "reload of a faulty file says what is wrong with it")


def unreachable(weir, tap) -> None:
    weir.write("weir.toml", CONFIG)
    Expect(weir("stats")).code(65).no_out().err(
        "weir.toml does not say where", r"^ +\[admin\]$", '^ +socket = "weir.sock"$', "W106").to(
            tap, "a configuration without [admin] is told what to write")
    Expect(weir("-c", "none.toml", "stats")).code(65).err("none.toml does not exist").to(
        tap, "no configuration")
    weir.write("weir.toml", ADMIN)
    missing = weir("stats")
    Expect(missing).code(69).no_out().err(
        r"no answer from /.*/weir\.sock \(\[admin\] socket of weir\.toml\): there is no such file",
        "Is the program running", "W502").to(tap, "no such file")
    Expect(weir("stats", "--json")).code(69).json(
        lambda v: v["error"]["code"] == "W502" and v["error"]["exit_code"] == 69).to(
            tap, "no such file, as JSON")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(weir.directory / "dead.sock"))
    listener.close()
    Expect(weir("stats", "--socket", "dead.sock")).code(69).no_out().err(
        r"dead\.sock \(--socket\): nobody listens there: it was left behind").to(
            tap, "a socket that was left behind")
    Expect(weir("stats", "--socket", "weir.toml")).code(69).err("it is no socket").to(
        tap, "a file that is no socket")
    long = "x" * 108
    Expect(weir("stats", "--socket", long)).code(64).no_out().err(
        "path of the socket has 108 bytes.*107 at most").to(tap, "a path that is too long")
    Expect(weir("stats", "--socket", "")).code(64).err("--socket is empty").to(tap, "no path")
    Expect(weir("stats", "--timeout", "1")).code(64).err("--timeout is '1'").to(
        tap, "--timeout without a unit")
    not_permitted(weir, tap)


def not_permitted(weir, tap) -> None:
    name = "permission denied"
    if os.geteuid() != 0:
        with FakeServer(weir, "mine.sock", lambda line: None):
            os.chmod(weir.directory / "mine.sock", 0)
            Expect(weir("stats", "--socket", "mine.sock")).code(69).err("permission denied").to(
                tap, name)
        return
    # Root may do everything, so this one is asked by somebody else.
    nobody = pwd.getpwnam("nobody")
    os.chmod(weir.directory, 0o711)

    def as_nobody(*args) -> Run:
        done = subprocess.run([weir.program, *args], cwd=weir.directory, env=weir.env,
                              capture_output=True, text=True, check=False, timeout=60,
                              user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[])
        return Run(done.returncode, done.stdout, done.stderr)

    with FakeServer(weir, "mine.sock", lambda line: None):
        os.chmod(weir.directory / "mine.sock", 0o600)
        try:
            as_nobody("version")
        except PermissionError:
            tap.skip(name, "root runs this in a directory that is closed to others; chmod o+x it")
            return
        Expect(as_nobody("stats", "--socket", "mine.sock")).code(69).err(
            "permission denied", "mode 0600").to(tap, name)


def misbehaving(weir, tap) -> None:
    def against(name: str, answer, *messages: str, code: int = 69, args=()) -> None:
        with FakeServer(weir, "fake.sock", answer):
            Expect(weir("stats", "--socket", "fake.sock", *args)).code(code).no_out().err(
                *messages).to(tap, name)

    against("no answer in time", lambda line: b"", "has not answered within 200ms",
            args=("--timeout", "200ms"))
    against("half an answer in time", lambda line: b'{"weir":', "has not answered within 200ms",
            args=("--timeout", "200ms"))
    against("an answer that is no JSON", lambda line: b"220 mail.example ESMTP\n",
            "what answers there is no Weir", r"220 mail\.example ESMTP")
    against("an answer that is no object", lambda line: b"[1]\n", "is no Weir")
    against("an answer that would draw on the terminal", lambda line: b"\x1b[2J\n",
            r"\\x1[Bb]\[2J")
    # Open ended, whole, and as a part of what would be an answer: none may use up the stack.
    deep = 400_000
    against("an answer that is nothing but depth", lambda line: b"[" * deep + b"\n", "is no Weir")
    against("an answer that is too deep", lambda line: FakeServer.hello(line) or
            b'{"pools":' + b"[" * deep + b"]" * deep + b"}\n", "is no Weir")
    against("an answer that is deep in objects", lambda line:
            b'{"a":' * deep + b"1" + b"}" * deep + b"\n", "is no Weir")
    against("one who closes", lambda line: None, "closed the connection before it had answered")
    against("another protocol", lambda line: b'{"weir":"9.0.0","protocol":2,"pid":1}\n',
            "does not speak protocol 1", "9.0.0", "weir command of the version")
    against("an error of the program's", lambda line: FakeServer.hello(line) or
            b'{"error":{"code":"W302","name":"queue_full","message":"not now"}}\n',
            r"not now \[W302 queue_full\]", code=1)
    against("an error of a later version", lambda line: FakeServer.hello(line) or
            b'{"error":{"code":"W999","name":"whatever","message":"not now"}}\n',
            r"not now \(W999 whatever\)", code=1)
    against("an answer of another version", lambda line: FakeServer.hello(line) or
            b'{"pools":[{"pool":"main"}]}\n', "not what this version of the command knows", code=1)
    kept_open(weir, tap)
    controls(weir, tap)
    full = b'{"error":{"code":"W504","name":"server_full","message":"16 clients"}}\n'
    with FakeServer(weir, "full.sock", lambda line: None, first=full):
        Expect(weir("stats", "--socket", "full.sock")).code(69).err("16 clients", "W504").to(
            tap, "one who says why and closes at once")
    with FakeServer(weir, "slow.sock", lambda line: b"") as server:
        with weir.started("stats", "--socket", "slow.sock", "--timeout", "1m") as waiting:
            until(lambda: server.lines)
            waiting.send_signal(signal.SIGINT)
            _, err = waiting.communicate(timeout=60)
        Expect(Run(waiting.returncode, "", err)).code(130).no_err().to(
            tap, "SIGINT ends the wait for an answer")


def kept_open(weir, tap) -> None:
    with Orphan(weir, "orphan.sock") as orphan:
        def ask() -> Run:
            return weir("stats", "--socket", "orphan.sock", "--timeout", "200ms")

        Expect(ask()).code(69).no_out().err(
            "not answered within 200ms", f"process {orphan.pid}, has ended",
            "child of it keeps the socket open").to(tap, "a program that has ended, but its child")
        ask()  # two wait by now, all that it lets wait
        Expect(ask()).code(69).no_out().err(
            "takes nobody more", "has ended while a child", "end that").to(
                tap, "once nobody more may wait for it")
    with FakeServer(weir, "fake.sock", lambda line: b""):
        run = weir("stats", "--socket", "fake.sock", "--timeout", "200ms")
        tap.check("a program that lives is not said to have ended",
                  [] if "ended" not in run.err and "may be stopped" in run.err else run.lines())


def controls(weir, tap) -> None:
    """JSON may have U+007F to U+009F as they are; a terminal may obey them (9B is CSI)."""
    name = "a\x7fb\x80c\x9b2Jd\xa0e"

    def answer(line: bytes) -> bytes:
        return FakeServer.hello(line) or FakeServer.pools(line, 1, name)

    with FakeServer(weir, "fake.sock", answer):
        for args in (["stats", "--json"], ["top", "--json", "-n", "1"]):
            run = weir.on_terminal(*args, "--socket", "fake.sock")
            Expect(run).code(0).out(
                r"a\\u007fb\\u0080c\\u009b2Jd\xa0e").to(tap, f"{args[0]} --json cannot draw")
            tap.check("and is the same JSON", [] if name in json.dumps(
                json.loads(run.out), ensure_ascii=False) else run.lines())


def top_lines(weir, tap) -> None:
    weir.write("weir.toml", ADMIN)
    with Host(weir) as host:
        host("query 1")
        Expect(weir("top", "-n", "1")).code(0).no_err().out(
            r"^\d\d:\d\d:\d\d pool=main state=open health=ready active=0 idle=1 opening=0 max=2 "
            r"waiting=0 oldest_wait_ms=0\.000 leases_per_s=- wait_ms=- use_ms=- timeouts=- "
            r"timeouts_total=0$").to(tap, "top off a terminal")
        with weir.started("top", "--json", "-i", "20ms") as top:
            first = json.loads(top.stdout.readline())
            host("query 5")
            host("hold 2")
            host("miss")
            seen = [first]
            while sum(tick["timeouts"] or 0 for tick in seen) == 0 and len(seen) < 500:
                seen.append(json.loads(top.stdout.readline()))
            top.send_signal(signal.SIGINT)
            top.communicate(timeout=60)
        tap.check("the first look has no rates",
                  [] if first["leases_per_second"] is None and first["timeouts"] is None
                  else str(first))
        tap.check("what happened between two looks is in one of them",
                  [] if sum(t["leases"] or 0 for t in seen) == 7
                  and sum(t["timeouts"] or 0 for t in seen) == 1
                  and seen[-1]["timeouts_total"] == 1 and seen[-1]["active"] == 2
                  and any(t["use"] for t in seen) and any(t["wait"] is None for t in seen)
                  else [str(t) for t in seen])
        tap.check("SIGINT ends top", [] if top.returncode == 130 else str(top.returncode))
        Expect(weir("top", "mian")).code(64).err("did you mean 'main'").to(
            tap, "top of an unknown pool")
        for args in (["-n", "0"], ["-i", "1"]):
            Expect(weir("top", *args)).code(64).no_out().to(tap, f"top {' '.join(args)}")
        with weir.started("top", "-i", "20ms") as top:
            top.stdout.readline()
            host("quit")
            _, err = top.communicate(timeout=60)
        Expect(Run(top.returncode, "", err)).code(69).err("W502").to(
            tap, "off a terminal top ends with the program")
    Expect(weir("top")).code(69).no_out().err("no such file").to(tap, "top of no program")
    Expect(weir.on_terminal("top", "-n", "1")).code(69).out("no such file").to(
        tap, "on a terminal, too")
    with Host(weir):
        reader = subprocess.run(f"'{weir.program}' top -i 10ms | head -n 2", shell=True,
                                cwd=weir.directory, env=weir.env, capture_output=True, text=True,
                                check=False, timeout=60)
        Expect(Run(reader.returncode, reader.stdout, reader.stderr)).code(0).no_err().out(
            "pool=main").to(tap, "top ends with its reader")


def top_restarted_counters(weir, tap) -> None:
    """Another program behind the same socket and the same connection: a counter goes down."""
    leases = iter([100, 150, 10, 30])
    state = {"leases": 0}

    def answer(line: bytes):
        if line == b"stats":
            state["leases"] = next(leases, 30)
        return FakeServer.hello(line) or FakeServer.pools(line, state["leases"])

    with FakeServer(weir, "fake.sock", answer):
        run = weir("top", "--json", "-n", "4", "-i", "10ms", "--socket", "fake.sock")
    ticks = [json.loads(line)["leases"] for line in run.out.splitlines()]
    tap.check("a counter that went down has no difference",
              [] if ticks == [None, 50, None, 20] else run.lines())


def top_on_terminal(weir, tap) -> None:
    if Tmux.missing():
        tap.skip("top on a terminal", Tmux.missing())
        return
    weir.write("weir.toml", ADMIN)
    with Tmux(weir, 100) as terminal:
        host = Host(weir)
        with host:
            terminal.type("echo before")
            terminal.shows("^before")
            terminal.type(f"{weir.program} top -i 50ms; echo code=$?")
            tap.check("top draws the pools", terminal.shows(
                rf"^weir top +pid {host.pid} +\d\d:\d\d:\d\d +every 50ms +\S+weir\.sock",
                r"^POOL +STATE +HEALTH +CONNECTIONS +WAITING +OLDEST +LEASES/s +WAIT +USE +TIME",
                r"^main +open +ready +\S{10} 0\+\d/2"))
            host("hold 1")
            tap.check("and draws them again", terminal.shows(r"^main +open +ready +█{5}\S{5} 1\+"))
            host("miss")
            host("hold 1")
            host("miss")
            tap.check("timeouts are counted", terminal.shows(r" of 1$"))
            weir("pause", "main")
            tap.check("the reasons stand below", terminal.shows(
                "^main +suspended +not_ready", "^main: the pool is suspended"))
            weir("resume", "main")
            tap.check("and go", terminal.lacks("suspended"))
            lines = terminal.text().splitlines()
            tap.check("one frame, not one below the other",
                      [] if sum(line.startswith("POOL") for line in lines) == 1 else lines)
        tap.check("a program that ends is told in place", terminal.shows(
            "^weir top", r"weir\.sock", "Trying again every 50ms"))
        with Host(weir) as again:
            tap.check("and one that comes back is found", terminal.shows(
                rf"^weir top +pid {again.pid} ", "^main +open"))
            terminal.press("C-c")
            tap.check("SIGINT gives the screen back", terminal.shows("^before", "^code=130"))
            tap.check("and leaves nothing on it",
                      [] if "CONNECTIONS" not in terminal.text() else terminal.text())
            narrow(weir, tap)


def narrow(weir, tap) -> None:
    with Tmux(weir, 40, lines=6) as terminal:
        terminal.type(f"{weir.program} top -i 50ms")
        tap.check("40 columns show the start of each line", terminal.shows(
            r"^weir top +pid \d+", r"^main +open +ready"))
        lines = terminal.text().splitlines()
        tap.check("and wrap nothing", [] if sum(map(bool, lines)) == 3 else lines)
        terminal.press("C-c")


def pid_of_top(weir) -> int:
    """Of the one that runs in this test's directory; 0 if none does."""
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            argv = (entry / "cmdline").read_bytes().split(b"\0")
            here = os.readlink(entry / "cwd") == os.path.realpath(weir.directory)
        except OSError:
            continue  # it has ended, or is another user's
        if here and argv[:2] == [weir.program.encode(), b"top"]:
            return int(entry.name)
    return 0


def signal_top(weir, number: int) -> int:
    pid = pid_of_top(weir)
    assert pid, "no top runs"
    os.kill(pid, number)
    return pid


def top_gives_the_screen_back(weir, tap) -> None:
    if Tmux.missing():
        tap.skip("top and signals", Tmux.missing())
        return
    weir.write("weir.toml", ADMIN)
    with Host(weir), Tmux(weir, 90) as terminal:
        terminal.type("echo before")
        terminal.shows("^before")
        for name, code in (("SIGTERM", 143), ("SIGHUP", 129)):
            terminal.type(f"{weir.program} top; echo code=$?")
            terminal.shows("^main +open")
            signal_top(weir, getattr(signal, name))
            tap.check(f"{name} gives the screen back",
                      terminal.shows("^before", f"^code={code}"))
        terminal.type(f"{weir.program} top -i 1h; echo code=$?")  # it draws once by itself
        terminal.shows("^main +open")
        terminal.press("C-z")
        tap.check("SIGTSTP gives it back while top is stopped",
                  terminal.shows("^before", "Stopped") or terminal.lacks("CONNECTIONS"))
        terminal.type("fg")
        tap.check("and it draws again when it goes on", terminal.shows("^weir top", "^main +open"))
        terminal.press("C-z")
        terminal.shows("^before", "Stopped")
        terminal.type("clear; bg; echo between")
        terminal.shows("^between")
        tap.check("in the background it draws nothing", terminal.lacks("CONNECTIONS"))
        signal_top(weir, signal.SIGTERM)
        tap.check("and can be ended", until(lambda: not pid_of_top(weir)))
    second_signal(weir, tap)


def second_signal(weir, tap) -> None:
    """While it is busy with a long answer, so that the first signal does not end it at once."""
    sent, ask = threading.Event(), iter([b"", b'{"pools":"' + b"x" * 40_000_000 + b'"}\n'])

    def answer(line: bytes) -> bytes:
        if line != b"stats":
            return FakeServer.hello(line) or FakeServer.pools(line, 1)
        return next(ask, b"") or FakeServer.pools(line, 1)

    with FakeServer(weir, "fake.sock", answer, after=lambda said: len(said) > 1e6 and sent.set()), \
            Tmux(weir, 80) as terminal:
        terminal.type("echo before")
        terminal.shows("^before")
        terminal.type(f"{weir.program} top -i 1s --timeout 60s --socket fake.sock; echo code=$?")
        terminal.shows("^weir top")
        sent.wait(60)
        pid = signal_top(weir, signal.SIGINT)
        until(lambda: not pending(pid, signal.SIGINT))
        with contextlib.suppress(ProcessLookupError):  # one that was quick has ended in order
            os.kill(pid, signal.SIGTERM)
        tap.check("a second signal gives the screen back, too",
                  terminal.shows("^before", "^code=1(30|43)$"))
        tap.check("and the cursor", [] if terminal.cursor() else "it is hidden")


def listening(weir, *args) -> tuple:
    """Returns: the process and its URL."""
    process = weir.started("metrics", "--listen", *args)
    line = process.stderr.readline()
    return process, re.search(r"http://\S+:\d+(?=/metrics)", line).group()


def metrics_listen(weir, tap) -> None:
    weir.write("weir.toml", ADMIN)
    with Host(weir) as host:
        host("query 2")
        process, url = listening(weir, "0")
        with process:
            status, kind, body = get(url + "/metrics")
            tap.check("/metrics is the page",
                      [] if status == 200 and kind == "text/plain; version=0.0.4"
                      and re.search(r'^db_client_connection_use_time_seconds_count\{.*"main"\} 2',
                                    body, re.MULTILINE)
                      else [str(status), kind, body])
            status, kind, body = get(url + "/health")
            tap.check("/health is 200 and JSON",
                      [] if status == 200 and kind == "application/json"
                      and json.loads(body)["pools"][0]["status"] == "ready"
                      else [str(status), body])
            weir("pause", "main")
            status, _, body = get(url + "/health")
            tap.check("/health is 503 if a pool is not ready",
                      [] if status == 503 and json.loads(body)["status"] == "not_ready"
                      else [str(status), body])
            for path, method in (("/", "GET"), ("/metrics/x", "GET"), ("/metrics", "POST")):
                status, _, body = get(url + path, method)
                tap.check(f"{method} {path} says what there is",
                          [] if status == 404 and body == "there are /metrics and /health\n"
                          else [str(status), body])
            taken = weir("metrics", "--listen", url.rpartition(":")[2])
            Expect(taken).code(69).no_out().err("cannot listen on 127.0.0.1:", "in use",
                                                "0 for any that is free").to(tap, "a port in use")
            host("quit")
            status, _, body = get(url + "/metrics")
            tap.check("/metrics of a program that has ended is 503, and says why",
                      [] if status == 503 and "no such file" in body else [str(status), body])
            status, _, body = get(url + "/health")
            tap.check("and so is /health",
                      [] if status == 503 and json.loads(body)["status"] == "unreachable"
                      else [str(status), body])
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
            tap.check("SIGINT ends it in order",
                      [] if process.returncode == 0 and not err else [str(process.returncode), err])
    listen_addresses(weir, tap)


def metrics_slow_clients(weir, tap) -> None:
    """A scrape beside clients that take their time, and an end that does not wait for them."""
    weir.write("weir.toml", ADMIN)
    with Host(weir):
        process, url = listening(weir, "0")
        with process, Drips(url, 16):
            status, _, _ = get(url + "/metrics")
            tap.check("16 slow clients do not hold a scrape up",
                      [] if status == 200 else str(status))
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
            tap.check("nor the end", [] if process.returncode == 0 and not err
                      else [str(process.returncode), err])


def listen_addresses(weir, tap) -> None:
    for address in ("127.0.0.1:0", "localhost:0", "[::1]:0"):
        if address.startswith("[") and not has_ipv6():
            tap.skip(f"--listen {address}", "this machine has no ::1 (ip addr add ::1/128 dev lo)")
            continue
        process, url = listening(weir, address)
        with process:
            tap.check(f"--listen {address}", [] if get(url + "/metrics")[0] == 503 else url)
            process.terminate()
    for address in ("0.0.0.0:9187", "192.0.2.1:80", "[::]:9187", "example.org:80", ":9187"):
        Expect(weir("metrics", "--listen", address)).code(64).no_out().err(
            f"'{re.escape(address)}'", "is not this machine's loopback", "a proxy").to(
                tap, f"--listen {address} is refused")
    for address in ("x", "localhost:", "127.0.0.1:65536", "-1"):
        Expect(weir("metrics", "--listen=" + address)).code(64).no_out().err(
            "no ADDRESS:PORT such as").to(tap, f"--listen={address} is no address")
    Expect(weir("metrics", "list", "--listen", "0")).code(64).err("takes no WHAT").to(
        tap, "--listen takes no list")
    Expect(weir("metrics", "--socket", "x")).code(64).err("--socket is for --listen").to(
        tap, "--socket is for --listen")
    weir.write("weir.toml", CONFIG)
    Expect(weir("metrics", "--listen", str(free_port()))).code(65).err(r"\[admin\]").to(
        tap, "--listen without [admin]")


if __name__ == "__main__":
    sys.exit(main([stats, changes, reload, unreachable, misbehaving, top_lines,
                   top_restarted_counters, top_on_terminal, top_gives_the_screen_back,
                   metrics_listen, metrics_slow_clients]))

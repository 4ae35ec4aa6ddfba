# SPDX-License-Identifier: MIT
"""What admin_test.py puts beside the command: a host with pools, a socket that answers whatever it
is told to, a terminal, a scrape."""
import contextlib
import itertools
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

DEADLINE_S = 60  # of what must come; a machine under load is slow


def until(holds) -> list:
    """Asks again and again. Returns: the problems, none if it held before the deadline."""
    end = time.monotonic() + DEADLINE_S
    while not holds():
        if time.monotonic() > end:
            return [f"not within {DEADLINE_S} s"]
        time.sleep(0.02)
    return []


class Host:
    """The program that is asked. Called with a line, it does that, and returns its word."""

    def __init__(self, weir) -> None:
        self.weir = weir

    def __enter__(self) -> "Host":
        self.process = subprocess.Popen(
            [str(pathlib.Path(sys.argv[3]).resolve())], cwd=self.weir.directory, env=self.weir.env,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        ready = self.process.stdout.readline()
        assert ready == "ready\n", f"the host says {ready!r}"
        return self

    def __call__(self, line: str) -> str:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        if line == "quit":
            self.process.wait(timeout=DEADLINE_S)
            return ""
        return self.process.stdout.readline().strip()

    def __exit__(self, *_unused) -> None:
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        self.process.wait(timeout=DEADLINE_S)
        self.process.stdout.close()


class FakeServer:
    """Answers each line with what `answer(line)` returns: bytes, or None to close. `first` is sent
    to everybody at once, before they have asked, and then the connection is closed. `after` is
    called with each answer that has gone out."""

    def __init__(self, weir, name: str, answer, first: bytes = b"",
                 after=lambda said: None) -> None:
        self.path = weir.directory / name
        self.path.unlink(missing_ok=True)
        self.answer, self.first, self.after = answer, first, after
        self.lines: list = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()

    @staticmethod
    def hello(line: bytes) -> bytes:
        return b'{"weir":"0.1.0","protocol":1,"pid":4711}\n' if line == b"hello" else b""

    @staticmethod
    def pools(line: bytes, leases: int, name: str = "main") -> bytes:
        times = {"count": leases, "sum": leases * 0.001, "p50": 0.001, "p99": 0.001}
        pool = {"pool": name, "state": "open", "max": 2, "active": 0, "idle": 0, "connecting": 0,
                "other": 0, "waiting": 0, "oldest_wait": 0.0, "leases": leases, "timeouts": 0,
                "wait": times, "use": times}
        if line == b"health":
            pool = {"pool": name, "status": "ready", "reasons": []}
        return json.dumps({"pools": [pool]}, ensure_ascii=False).encode() + b"\n"

    def __enter__(self) -> "FakeServer":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if self.first:
                client.sendall(self.first)
                return
            with client.makefile("rb") as lines:
                for line in lines:
                    self.lines.append(line.rstrip(b"\n"))
                    said = self.answer(self.lines[-1])
                    if said is None:
                        return
                    client.sendall(said)
                    self.after(said)

    def __exit__(self, *_unused) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.path.unlink(missing_ok=True)


class Orphan:
    """A program that has ended, and a child of it that lives and keeps its socket open."""

    CODE = """
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(1)
if os.fork():
    os._exit(0)
sys.stdin.read()
"""

    def __init__(self, weir, name: str) -> None:
        self.path = weir.directory / name

    def __enter__(self) -> "Orphan":
        # The child reads what the program's standard input was, until this ends.
        self.program = subprocess.Popen([sys.executable, "-c", self.CODE, str(self.path)],
                                        stdin=subprocess.PIPE)
        self.program.wait(timeout=DEADLINE_S)
        self.pid = self.program.pid
        return self

    def __exit__(self, *_unused) -> None:
        self.program.stdin.close()


class Tmux:
    """A terminal of so many columns with a shell in it."""

    @staticmethod
    def missing() -> str:
        return "" if shutil.which("tmux") else "tmux is not installed (apt-get install tmux)"

    def __init__(self, weir, columns: int, lines: int = 30) -> None:
        self.name = f"weir-{weir.directory.name}-{columns}"
        self.weir, self.columns, self.lines = weir, columns, lines

    def _tmux(self, *args: str) -> str:
        return subprocess.run(["tmux", "-L", self.name, "-f", "/dev/null", *args],
                              cwd=self.weir.directory, env=self.weir.env, capture_output=True,
                              text=True, check=True, timeout=DEADLINE_S).stdout

    def __enter__(self) -> "Tmux":
        self._tmux("new-session", "-d", "-x", str(self.columns), "-y", str(self.lines),
                   "PS1='$ ' exec /bin/sh -i")
        self.shows(r"^\$")  # what is typed before its prompt is shown in front of that
        return self

    def __exit__(self, *_unused) -> None:
        self._tmux("kill-server")

    def type(self, line: str) -> None:
        self._tmux("send-keys", "-l", line)
        self.press("Enter")

    def press(self, key: str) -> None:
        self._tmux("send-keys", key)

    def text(self) -> str:
        return self._tmux("capture-pane", "-p")

    def cursor(self) -> bool:
        """Whether there is one to be seen."""
        return self._tmux("display-message", "-p", "#{cursor_flag}").strip() == "1"

    def shows(self, *patterns: str) -> list:
        """The problems, none once the screen has something like each pattern."""
        return until(lambda: all(re.search(p, self.text(), re.MULTILINE) for p in patterns)) and [
            *(f"nothing like /{p}/" for p in patterns), *self.text().splitlines()]

    def lacks(self, pattern: str) -> list:
        return until(lambda: not re.search(pattern, self.text(), re.MULTILINE)) and [
            f"there is still /{pattern}/", *self.text().splitlines()]


class Drips:
    """Clients that are never silent, and never done: each sends a byte of a request every tenth of
    a second."""

    def __init__(self, url: str, count: int) -> None:
        host, port = url.removeprefix("http://").split(":")
        self.sockets = [socket.create_connection((host, int(port))) for _ in range(count)]
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._drip)

    def __enter__(self) -> "Drips":
        self.thread.start()
        return self

    def _drip(self) -> None:
        for letter in itertools.chain(b"GET /metrics HTTP/1.1\r\nX: ", itertools.repeat(ord("x"))):
            for client in self.sockets:
                with contextlib.suppress(OSError):  # it was cut off
                    client.send(bytes([letter]))
            if self.over.wait(0.1):
                return

    def __exit__(self, *_unused) -> None:
        self.over.set()
        self.thread.join()
        for client in self.sockets:
            client.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as listener:
            listener.bind(("::1", 0))
        return True
    except OSError:
        return False


def get(url: str, method: str = "GET") -> tuple:
    """Returns: the status, the content type, the body."""
    request = urllib.request.Request(url, method=method, data=b"" if method == "POST" else None)
    # No proxy of the environment's.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=DEADLINE_S) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()

# SPDX-License-Identifier: MIT
"""Runs the weir command in a fresh directory and says what was not as expected."""
import contextlib
import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from tap import Tap  # noqa: E402  (the path is set just above)

CONFIG = """\
version = 1
[pool.main]
driver = "sqlite"
url = "app.db"
max = 2
acquire_timeout = "5s"
"""


class Run:
    """What one call of the command did."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def json(self):
        return json.loads(self.out)

    def lines(self) -> list:
        return [f"exit status {self.code}",
                *(f"stdout: {line}" for line in self.out.splitlines()),
                *(f"stderr: {line}" for line in self.err.splitlines())]


def await_signals_held(pid: int) -> None:
    """Until SIGINT no longer ends a process that has just been started, which a busy machine makes
    late: the command blocks it and waits for it on a thread."""
    bit = 1 << (signal.SIGINT - 1)
    for _ in range(1000):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        if int(re.search(r"^SigBlk:\t(\w+)$", status, re.MULTILINE).group(1), 16) & bit:
            return
        select.select([], [], [], 0.05)


def pending(pid: int, number: int) -> bool:
    """Whether a signal has been sent to a process, and not been taken by it."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return bool(int(re.search(r"^ShdPnd:\t(\w+)$", status, re.MULTILINE).group(1), 16)
                & 1 << (number - 1))


class Started(subprocess.Popen):
    """One that does not outlive its `with`, also where a test gives up."""

    def __exit__(self, *reason) -> None:
        if self.poll() is None:
            self.kill()
        super().__exit__(*reason)


class Weir:
    """The command under test and the directory that it runs in."""

    def __init__(self, program: str, directory: str, source: str) -> None:
        self.program = str(pathlib.Path(program).resolve())
        self.directory = pathlib.Path(directory)
        self.source = pathlib.Path(source)
        # Nothing of the caller's terminal and configuration may leak in.
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith(("WEIR_", "LC_", "LANG")) and k not in ("NO_COLOR", "TERM")}
        self.env.update(LANG="C.UTF-8", TERM="xterm")

    def write(self, name: str, text: str) -> None:
        (self.directory / name).write_text(text)

    def __call__(self, *args, stdin: str = "", **env) -> Run:
        done = subprocess.run([self.program, *args], cwd=self.directory, env={**self.env, **env},
                              input=stdin, capture_output=True, text=True, check=False,
                              timeout=110)
        return Run(done.returncode, done.stdout, done.stderr)

    def started(self, *args, **env) -> "Started":
        """Runs beside the caller, who ends it; all of its output is kept."""
        return Started([self.program, *args], cwd=self.directory, env={**self.env, **env},
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True)

    def on_terminal(self, *args, **env) -> Run:
        """With stdout and stderr on one terminal, as a person sees it."""
        master, slave = pty.openpty()
        with subprocess.Popen([self.program, *args], cwd=self.directory, env={**self.env, **env},
                              stdin=slave, stdout=slave, stderr=slave) as process:
            os.close(slave)
            seen = b""
            # At the end of the last writer a terminal answers EIO.
            with contextlib.suppress(OSError):
                while piece := os.read(master, 4096):
                    seen += piece
            os.close(master)
            return Run(process.wait(timeout=110), seen.decode(), "")

    def interrupted(self, *args, wait_for: str = "", after: float = 1.0,
                    stdin=subprocess.DEVNULL) -> Run:
        """Sends SIGINT once `wait_for` has been printed, or a while after it can be taken. One that
        does not end by it is killed."""
        with Started([self.program, *args], cwd=self.directory, env=self.env, text=True,
                     stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            first = ""
            if wait_for:
                while wait_for not in first and (line := process.stdout.readline()):
                    first += line
            else:
                await_signals_held(process.pid)
                select.select([], [], [], after)
            process.send_signal(signal.SIGINT)
            try:
                out, err = process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
            return Run(process.returncode, first + out, err)


class Expect:
    """Collects what is wrong about one Run."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.problems: list = []

    def code(self, wanted: int) -> "Expect":
        if self.run.code != wanted:
            self.problems.append(f"exit status {self.run.code}, expected {wanted}")
        return self

    def _has(self, where: str, text: str, patterns) -> "Expect":
        for pattern in patterns:
            if not re.search(pattern, text, re.MULTILINE):
                self.problems.append(f"{where} has nothing like /{pattern}/")
        return self

    def out(self, *patterns: str) -> "Expect":
        return self._has("stdout", self.run.out, patterns)

    def err(self, *patterns: str) -> "Expect":
        return self._has("stderr", self.run.err, patterns)

    def out_is(self, wanted: str) -> "Expect":
        if self.run.out != wanted:
            self.problems.append(f"stdout is {self.run.out!r}, expected {wanted!r}")
        return self

    def no_out(self) -> "Expect":
        return self.out_is("")

    def no_err(self) -> "Expect":
        if self.run.err:
            self.problems.append("stderr is not empty")
        return self

    def json(self, holds=lambda value: True) -> "Expect":
        try:
            if not holds(self.run.json()):
                self.problems.append("the JSON is not what was expected")
        except (ValueError, KeyError, TypeError, IndexError) as error:
            self.problems.append(f"not the expected JSON: {error!r}")
        return self

    def to(self, tap: Tap, name: str) -> None:
        tap.check(name, [*self.problems, *self.run.lines()] if self.problems else [])


def main(tests) -> int:
    """Runs each test function in a fresh directory: fn(weir, tap)."""
    program, source = sys.argv[1:3]
    tap = Tap()
    for test in tests:
        with tempfile.TemporaryDirectory(prefix="weir-cli-") as directory:
            test(Weir(program, directory, source), tap)
    return tap.finish()

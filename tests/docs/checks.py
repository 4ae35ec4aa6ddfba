# SPDX-License-Identifier: MIT
"""What is done with a code block of each language. A check returns the problems it found."""
import json
import os
import pathlib
import re
import shlex
import sqlite3
import subprocess
import tempfile
import tomllib

from blocks import Block

USERS = [(1, "Ada", 42), (2, "Charles", 7), (3, "Grace", 42)]

BODY = """\
#include <weir/weir.hpp>
#include <cstdio>
#include <string>
#include <vector>
using namespace std::chrono_literals;
weir::Result<void> example(weir::Pools& pools, weir::Pool& db, weir::Connection& c);
weir::Result<void> example([[maybe_unused]] weir::Pools& pools, [[maybe_unused]] weir::Pool& db,
                           [[maybe_unused]] weir::Connection& c) {
"""


class Tools:
    """The programs that the checks use, and what the build gave them."""

    def __init__(self, weir: str, source: str, build: str, compiler: list, sanitize: str) -> None:
        self.weir = str(pathlib.Path(weir).resolve())
        self.source = pathlib.Path(source)
        self.compiler = compiler
        self.include = [f"-I{source}/core/include", f"-I{source}/core/abi/include",
                        f"-I{source}/sim/include"]
        for fallback in sorted(self.source.glob("subprojects/*expected*/include")):
            self.include += ["-isystem", str(fallback)]
        flags = [] if sanitize == "none" else [f"-fsanitize={sanitize}"]
        self.link = [f"-L{build}/core", f"-Wl,-rpath,{build}/core", "-lweir", *flags]
        self.link_sim = [f"-L{build}/sim", f"-Wl,-rpath,{build}/sim", "-lweir-sim", "-lgtest_main",
                         "-lgtest", *flags]
        self.has_sim = (pathlib.Path(build) / "sim" / "libweir-sim.so").exists()

    def run(self, command: list, directory, stdin: str = "") -> subprocess.CompletedProcess:
        env = {**os.environ, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        env.pop("DATABASE_URL", None)
        env.pop("NO_COLOR", None)
        return subprocess.run([str(c) for c in command], cwd=directory, env=env, input=stdin,
                              capture_output=True, text=True, check=False, timeout=200)


def failure(done: subprocess.CompletedProcess) -> list:
    if done.returncode == 0:
        return []
    return [f"exit status {done.returncode}", *(done.stdout + done.stderr).splitlines()[:30]]


class Page:
    """One document and the directory in which its blocks are tried, from top to bottom."""

    def __init__(self, tools: Tools, directory: str) -> None:
        self.tools = tools
        self.directory = pathlib.Path(directory)
        with sqlite3.connect(self.directory / "app.db") as db:
            db.execute("create table users (id integer primary key, name text, team integer)")
            db.executemany("insert into users values (?, ?, ?)", USERS)
        db.close()
        (self.directory / "weir.toml").write_text(
            'version = 1\n[pool.main]\ndriver = "sqlite"\nurl = "app.db"\n')

    def check(self, block: Block) -> list:
        if match := re.fullmatch(r"file: *([\w.-]+)", block.marker):
            (self.directory / match[1]).write_text(block.text)
        elif (block.marker not in ("", "run", "body", "fragment")
              and not block.marker.startswith("finds: ")):
            return [f"unknown marker <!-- {block.marker} -->"]
        handler = {"cpp": self.cpp, "c": self.c, "toml": self.toml, "json": self.json,
                   "console": self.console, "sh": self.shell, "bash": self.shell,
                   "text": self.mentions, "indented": self.mentions,
                   "mermaid": self.mermaid}.get(block.language)
        if handler is None:
            return [f"nobody checks a block of '{block.language}'; if it is not to be checked, "
                    "mark it as ```text"]
        return handler(block)

    def cpp(self, block: Block) -> list:
        text = block.text
        if block.marker == "body":
            text = f"{BODY}{text}\nreturn {{}};\n}}\n"
        program = self.directory / "program"
        command = [*self.tools.compiler, "-std=c++20", "-Wall", "-Wextra", *self.tools.include,
                   "-x", "c++", "-"]
        finds = block.marker.startswith("finds: ") and self.tools.has_sim
        if block.marker != "run" and not finds:
            return failure(self.tools.run([*command, "-fsyntax-only"], self.directory, text))
        if finds:
            return self.finds(block, [*command, "-x", "none", "-o", program, *self.tools.link_sim])
        problems = failure(self.tools.run([*command, "-x", "none", "-o", program, *self.tools.link],
                                          self.directory, text))
        return problems or failure(self.tools.run([program], self.directory))

    def finds(self, block: Block, command: list) -> list:
        """A host's test under the simulator, which fails and says so."""
        problems = failure(self.tools.run(command, self.directory, block.text))
        if problems:
            return problems
        done = self.tools.run([command[command.index("-o") + 1]], self.directory)
        words = block.marker.removeprefix("finds: ")
        if done.returncode == 1 and words in done.stdout:
            return []
        return [f"exit status {done.returncode}, no '{words}'", *done.stdout.splitlines()[-30:]]

    def c(self, block: Block) -> list:
        return failure(self.tools.run(["cc", "-std=c11", "-Wall", "-Wextra", "-fsyntax-only",
                                       *self.tools.include, "-x", "c", "-"], self.directory,
                                      block.text))

    def toml(self, block: Block) -> list:
        try:
            content = tomllib.loads(block.text)
        except tomllib.TOMLDecodeError as error:
            return [str(error)]
        if block.marker == "fragment" or "manifest" in content:
            return []
        with tempfile.NamedTemporaryFile("w", dir=self.directory, suffix=".toml") as file:
            file.write(block.text)
            file.flush()
            return failure(self.tools.run(
                [self.tools.weir, "-c", file.name, "config", "check", "--no-drivers"],
                self.directory))

    def json(self, block: Block) -> list:
        try:
            json.loads(block.text)
            return []
        except ValueError as error:
            return [str(error)]

    def shell(self, block: Block) -> list:
        return (failure(self.tools.run(["bash", "-n"], self.directory, block.text))
                or self.mentions(block))

    def console(self, block: Block) -> list:
        """Replays `$ weir ...`; output that is shown must be what comes, `...` is anything."""
        problems = []
        for command, shown in sessions(block.text):
            if command is None:
                return ["a console block starts with a line like '$ weir ...'"]
            words = shlex.split(command)
            if words[:1] != ["weir"]:
                problems.append(f"'{command}' is not replayed; mark the block as ```sh or ```text")
                continue
            done = self.tools.run([self.tools.weir, *words[1:]], self.directory)
            problems += failure(done)
            if shown and not re.fullmatch(wildcard(shown), done.stdout):
                problems += [f"'{command}' printed", *done.stdout.splitlines()]
        return problems

    def mermaid(self, block: Block) -> list:
        """A state diagram, of arrows and nothing else: what every renderer draws."""
        first, *arrows = block.text.splitlines()
        problems = [] if first == "stateDiagram-v2" else [f"'{first}' is no state diagram"]
        state = r"(\[\*\]|\w+)"
        return problems + [f"'{line}' is no arrow" for line in arrows
                           if not re.fullmatch(rf"  {state} --> {state}", line)]

    def mentions(self, block: Block) -> list:
        """Lines that look like calls of ./dev or weir name commands that exist."""
        problems = []
        for line in block.text.splitlines():
            words = line.split()
            if words[:1] == ["./dev"] and len(words) > 1:
                usage = (self.tools.source / "dev").read_text()
                if not re.search(rf"^  {re.escape(words[1])} ", usage, re.MULTILINE):
                    problems.append(f"./dev has no command '{words[1]}'")
            if words[:1] == ["weir"] and len(words) > 1 and re.fullmatch(r"[a-z]+", words[1]):
                done = self.tools.run([self.tools.weir, words[1], "--help"], self.directory)
                if done.returncode != 0:
                    problems.append(f"weir has no command '{words[1]}'")
        return problems


def sessions(text: str):
    """Yields (command, output shown for it)."""
    command, shown = None, ""
    for line in text.splitlines():
        if line.startswith("$ "):
            if command is not None or shown:
                yield command, shown
            command, shown = line[2:], ""
        else:
            shown += line + "\n"
    if command is not None or shown:
        yield command, shown


def wildcard(shown: str) -> str:
    return ".*?".join(re.escape(part) for part in shown.split("..."))

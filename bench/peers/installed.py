# SPDX-License-Identifier: MIT
"""The programs that bench/peers/run.py runs: Weir's own, and those of its peers, which are built
where the peer is installed."""
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import typing

import goals
import page

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
JARS = [f"/usr/share/java/{name}.jar" for name in ("HikariCP", "slf4j-api", "slf4j-nop")]
# As in the measurement that the goals come from: a heap that never grows, the collector with the
# cheapest barriers.
JVM = ["-Xms1g", "-Xmx1g", "-XX:+UseParallelGC"]
WARMUP_S = 2


def finished(command: list, **more) -> subprocess.CompletedProcess:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, **more)
    if done.returncode != 0:
        sys.exit(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def output(command: list, **more) -> str:
    return finished(command, **more).stdout


def json_lines(text: str) -> list:
    """What the programs print, a line for each. Google Benchmark's JSON has a brace alone."""
    return [json.loads(line) for line in text.splitlines() if line.startswith('{"')]


def loads_of(pools: list) -> list:
    return json_lines(output([*pools[0].command, "--list"]))


@dataclasses.dataclass(frozen=True)
class Pool:
    """A pool, and the program that loads it. A foreign one knows no loads by name."""
    name: str
    command: tuple
    foreign: bool = False

    def runs(self, load: dict) -> bool:
        """Whether the load makes sense there."""
        coroutines = load.get("workers", 0) > 0
        if coroutines or self.name == goals.CORO:
            return coroutines and self.name == goals.CORO
        return self.name != "cas" or load["hold"] == "none"

    def arguments(self, load: dict, seconds: float) -> list:
        if not self.foreign:
            return [*self.command, "--pool", self.name, "--load", load["load"],
                    "--seconds", str(seconds)]
        return [*self.command, "--load", load["load"], "--threads", str(load["threads"]),
                "--connections", str(load["connections"]), "--hold", load["hold"],
                "--held-ns", str(load["held_ns"]), "--seconds", str(seconds),
                "--warmup", str(WARMUP_S)]


@dataclasses.dataclass(frozen=True)
class Suite:
    """Loads, and the pools that they are put on."""
    loads: list
    pools: list


class Peers:
    """What is installed here, built; and what is not, with what would bring it."""

    def __init__(self, build: pathlib.Path) -> None:
        self.build = build
        self.made = ROOT / "build" / "peers"
        self.made.mkdir(parents=True, exist_ok=True)
        self.pools = []
        self.queriers = []
        self.cost = None
        self.missing = []
        self.versions = []
        self.add_weir()
        self.add_hikari()
        self.add_go()
        self.add_ours("bench_soci", "SOCI", "libsoci-dev", "soci-lease", "soci-session")
        self.add_ours("bench_poco", "POCO", "libpoco-dev", "poco")
        self.add_ours("../bench_load", "", "", "mutex", "ref-fifo", "cas")
        self.add_queries()
        self.add_cost()
        self.missing.append("sqlpp11, which Debian 12 has no package of.")

    def add(self, command: list, *names: str, foreign: bool = False) -> None:
        self.pools += [Pool(name, tuple(command), foreign) for name in names]
        self.add_versions(command)

    def add_versions(self, command: list) -> None:
        for version in output([*command, "--version"]).strip().split("; "):
            if version not in self.versions:
                self.versions.append(version)

    def lacks(self, what: str, packages: str) -> None:
        self.missing.append(f"{what}; `apt-get install {packages}`.")

    def add_weir(self) -> None:
        program = self.build / "bench" / "bench_load"
        if not program.exists():
            sys.exit(f"{program} is not built: ./dev build")
        self.add([str(program)], "weir", "weir-strict", goals.CORO)

    def add_ours(self, program: str, what: str, package: str, *names: str) -> None:
        path = self.build / "bench" / "peers" / program
        if path.exists():
            self.add([str(path.resolve())], *names)
        else:
            # Meson remembers what it did not find.
            self.lacks(what, f"{package}; rm -r {os.path.relpath(self.build, ROOT)}")

    def add_hikari(self) -> None:
        packages = "default-jdk-headless libhikaricp-java libslf4j-java"
        if not shutil.which("javac") or not all(os.path.exists(jar) for jar in JARS):
            self.lacks("HikariCP", packages)
            return
        classes = self.made / "hikari"
        classes.mkdir(parents=True, exist_ok=True)
        sources = sorted(map(str, (HERE / "hikari").glob("*.java")))
        output(["javac", "-Xlint:all", "-d", str(classes), "-cp", JARS[0], *sources])
        self.add(["java", *JVM, "-cp", ":".join([str(classes), *JARS]), "BenchHikari"],
                 goals.HIKARI, foreign=True)

    def add_go(self) -> None:
        if not shutil.which("go"):
            self.lacks("Go database/sql", "golang-go")
            return
        program = self.made / "bench_go"
        # There is nothing to fetch, and nothing is to be written outside.
        cache = {"GOCACHE": str(self.made / "go-cache"), "GOPROXY": "off", "GOFLAGS": ""}
        output(["go", "build", "-o", str(program), "."], cwd=HERE / "go",
               env={**os.environ, **cache})
        self.add([str(program)], "go-sql", foreign=True)

    def ours(self, name: str, what: str) -> typing.Optional[str]:
        program = self.build / "bench" / name
        if program.exists():
            return str(program)
        self.missing.append(f"{what}; {name} is not built: `./dev build release`.")
        return None

    def add_queries(self) -> None:
        program = self.ours("bench_query", "queries end to end")
        if program is None:
            return
        self.queriers = [Pool(name, (program,)) for name in page.QUERIERS]
        self.add_versions([program])
        self.missing += [line["missing"] for line in json_lines(output([program, "--missing"]))]

    def add_cost(self) -> None:
        self.cost = self.ours("bench_cost", "what needs no load")

    def suites(self) -> list:
        return [Suite(loads_of(pools), pools) for pools in (self.pools, self.queriers) if pools]

    def costs(self) -> list:
        """A line for each measure. What cannot be measured, the program says on stderr."""
        if self.cost is None:
            return []
        done = finished([self.cost])
        for name, why in re.findall(r"^(\w+) is left out: (.*)$", done.stderr, re.MULTILINE):
            print(f" {name} left out ({why})", end="")
            if f"{name}; {why}." not in self.missing:
                self.missing.append(f"{name}; {why}.")
        return json_lines(done.stdout)

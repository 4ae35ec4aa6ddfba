#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Applies each patch of this folder to a copy of the sources, builds the engine's tests from it and
runs them. A mutant is a known bug of another pool (pools.md, section 6.3); a test has to fail.

Each patch opens with two lines: "Mutant: <id> <what it breaks>" and "Seen in: <where>".
Exit: 0 all killed, 1 one survived or no longer applies, 77 not asked for."""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
FLAGS = ["-std=c++20", "-O1", "-w"]
JOBS = 2
TIME_LIMIT = 300  # seconds; a mutant that spins is found by its world long before


def run(command, cwd, env=None):
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False,
                          timeout=TIME_LIMIT)


def compile_all(compiler, tree, sources, out):
    """Returns: the objects. Raises RuntimeError with the compiler's words."""
    def one(source):
        target = out / (str(source).replace("/", "_") + ".o")
        command = [compiler, *FLAGS, "-I", str(tree), "-I", str(tree / "core/include"), "-c",
                   str(tree / source), "-o", str(target)]
        result = run(command, tree)
        if result.returncode != 0:
            raise RuntimeError(result.stderr)
        return target
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return list(pool.map(one, sources))


class Bench:
    """The copy of the sources, and objects that can be used again: a patch of one .cpp file costs
    one compilation, a patch of a header costs those of the engine and of the tests."""

    def __init__(self, compiler, where):
        self.compiler = compiler
        self.tree = where / "tree"
        for folder in ("core", "tests/engine"):
            shutil.copytree(ROOT / folder, self.tree / folder)
        self.engine = self.sources_in("core/engine")
        tests = self.sources_in("tests/engine")
        self.properties = [p for p in tests if p.name == "properties.cpp"]
        self.world = [p for p in tests if p.name.startswith(("world", "program"))]
        self.biographies = [p for p in tests if p not in self.properties + self.world]
        self.out = where / "objects"
        self.out.mkdir()
        self.objects = {}
        self.build(self.engine + tests, self.out)

    def sources_in(self, folder):
        return sorted(p.relative_to(self.tree) for p in (self.tree / folder).glob("*.cpp"))

    def build(self, sources, out):
        built = compile_all(self.compiler, self.tree, sources, out)
        self.objects.update(zip(sources, built))

    def link(self, name, sources, libraries):
        program = self.out / name
        command = [self.compiler, *map(str, (self.objects[s] for s in sources)), "-o", str(program),
                   *libraries, "-lgtest", "-lpthread"]
        result = run(command, self.tree)
        if result.returncode != 0:
            raise RuntimeError(result.stderr)
        return program

    def verdict(self):
        """Returns: the first test that fails, or ''."""
        env = dict(os.environ, WEIR_TEST_SCALE="reduced")
        env.pop("RC_PARAMS", None)
        common = self.engine + self.world
        for name, sources, libraries in (
                ("biographies", self.biographies, ["-lgtest_main"]),
                ("properties", self.properties, ["-lrapidcheck"])):
            program = self.link(name, common + sources, libraries)
            try:
                result = run([str(program), "--gtest_fail_fast"], self.out, env)
            except subprocess.TimeoutExpired:
                return f"{name}: does not end"
            if result.returncode != 0:
                return reason(name, result.stdout + result.stderr)
        return ""

    def try_patch(self, patch):
        """Returns: (verdict, killed by)."""
        command = ["patch", "-p1", "--fuzz=0", "--no-backup-if-mismatch", "-r", "-", "-i",
                   str(patch)]
        if run(command + ["--dry-run"], self.tree).returncode != 0:
            return "does not apply", ""
        run(command, self.tree)
        sound = dict(self.objects)
        out = self.out / "mutant"
        out.mkdir()
        touched = [pathlib.Path(p) for p in re.findall(r"^\+\+\+ b/(\S+)", patch.read_text(), re.M)]
        try:
            header = any(p.suffix == ".hpp" for p in touched)
            self.build(list(self.objects) if header else touched, out)
            by = self.verdict()
            return ("killed" if by else "SURVIVED"), by
        except RuntimeError as error:
            return "does not compile", str(error).strip().splitlines()[0]
        finally:
            run(command + ["-R"], self.tree)
            self.objects = sound
            shutil.rmtree(out)


def reason(name, text):
    case = (re.search(r"\[  FAILED  \] (\S+)", text)
            or re.search(r"\[ RUN      \] (\S+)(?!.*\[ RUN)", text, re.DOTALL))
    broken = re.search(r"^((?:[A-Z]\d+): [^(\n]*)", text, re.M) or re.search(
        r'"((?:[A-Z]\d+): [^("\n]*)', text) or re.search(r"broken invariant: (.*)", text)
    return (case.group(1) if case else name) + (f", {broken.group(1).strip()}" if broken else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compiler", default=os.environ.get("CXX", "g++"))
    parser.add_argument("--always", action="store_true", help="whatever WEIR_TEST_SCALE says")
    parser.add_argument("patches", nargs="*", type=pathlib.Path)
    args = parser.parse_args()
    if os.environ.get("WEIR_TEST_SCALE") != "full" and not args.always:
        print("skipped: the mutants are run with WEIR_TEST_SCALE=full only (./dev test --full)")
        return 77
    for tool in ("patch", args.compiler):
        if shutil.which(tool) is None:
            print(f"skipped: {tool} is not installed")
            return 77
    patches = [p.resolve() for p in args.patches] or sorted(HERE.glob("*.patch"))
    with tempfile.TemporaryDirectory(prefix="weir-mutants-") as folder:
        bench = Bench(args.compiler, pathlib.Path(folder))
        by = bench.verdict()
        if by:
            print(f"the sources fail without any mutant: {by}")
            return 1
        bad = 0
        for patch in patches:
            what = re.search(r"^Mutant: (.*)$", patch.read_text(), re.M)
            seen = re.search(r"^Seen in: (.*)$", patch.read_text(), re.M)
            verdict, by = bench.try_patch(patch)
            bad += verdict != "killed"
            print(f"{verdict:14} {what.group(1) if what else patch.name}\n"
                  f"{'':14} seen in {seen.group(1) if seen else '?'}"
                  + (f"; by {by}" if by else ""), flush=True)
        print(f"{len(patches) - bad} of {len(patches)} mutants killed")
        return 1 if bad or not patches else 0


if __name__ == "__main__":
    sys.exit(main())

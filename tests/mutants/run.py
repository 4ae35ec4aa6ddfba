#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Puts known bugs of pools into a copy of the sources, one at a time; each has to be noticed, and
by the property that it breaks.

A mutant is a patch of this folder. It opens with three lines, or four:
    Mutant: <id> <what it breaks>       M1 ... M35: the catalogue of pools.md, section 6.3
    Seen in: <where>
    Killed by: <ids of properties>      pools.md, section 5; as in the catalogue. Or `hang`
    Not found by explore: <why>         only where that is so
The judges, in this order; the first that answers is the one that the table names:
    programs    random programs against the engine (tests/engine/properties.cpp). One counts if the
                first property that it breaks is a named one; the steps are those that all programs
                made until then. That an assertion ended a program does not count.
    biography   the tests of tests/engine and, for a mutant in core/runtime, of tests/runtime whose
                source names one of the properties: // S7, L2. Only those are run, one has to fail.
    explore     what `weir sim explore` does (explore_main.cpp), with a fixed seed. It is asked
                about every mutant, for columns of its own: what it found, after how many runs and
                seconds. It has to find each, or the patch says why it cannot.
A patch that does not apply or compile is a failure, like a mutant that survives: the bug is still
out there, only our copy of it is outdated. So is a number of the catalogue without a patch.

--write-docs puts the table into docs/mutants.md, which table_test.py compares with the patches.

Exit: 0 all killed, 1 not all, 77 not asked for."""
import argparse
import concurrent.futures
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
DOCS = ROOT / "docs/mutants.md"
TABLE_FOLLOWS = "## The table"
COLUMNS = ("mutant", "seen in", "killed by", "steps", "explore", "runs", "seconds")
CATALOGUE = {f"M{n}" for n in range(1, 36)}
OUT_OF_SCOPE = {"M25": "one breaker for all endpoints: a pool has one endpoint",
                "M30": "the resolver that finds changes is not the one that dials: a pool has one "
                       "endpoint, and its driver does both at once"}
FLAGS = ["-std=c++20", "-w", "-I.", "-Icore/include", "-Icore/abi/include", "-Isim/include",
         "-DTOML_HEADER_ONLY=0", "-DTOML_SHARED_LIB=1",
         '-DWEIR_VERSION="0"',
         *(f'-DWEIR_{place}_DIR="/nowhere"' for place in ("PLUGIN", "BIN", "LIB"))]
LIBRARIES = ["-lgtest", "-lfmt", "-ltomlplusplus", "-lpthread"]
PATCH = ("patch", "-p1", "--fuzz=0", "--no-backup-if-mismatch", "-r", "-")
TIME_LIMIT = 300  # seconds; a mutant that spins is found by its world long before
SOUND_LIMIT = 1800  # a sound program makes all of its runs
TESTS_LIMIT = 60  # a few tests of the shell, which may hang
PROGRAMS = 10000
BY_COLUMNS = 76
# Beside core/engine: what a pool over the mock driver is made of, without the door to it, which
# brings the whole loader.
SHELL = ("core/base", "core/config", "core/observe", "core/runtime", "core/loader/driver_table.cpp",
         "backends/common", "backends/mock")
# Of core/runtime: what reads files, has signals or a socket is above what is put to the test.
ABOVE = ("admin_desk.cpp", "admin_socket.cpp", "pools.cpp", "signals.cpp")
SIMULATOR = ("sim/world", "sim/world/switch_x86_64.S", "sim/server", "sim/check",
             "sim/explore/backend.cpp", "sim/explore/build_id.cpp", "sim/explore/campaign.cpp",
             "sim/explore/generate.cpp", "sim/explore/minimize.cpp", "sim/explore/rules.cpp",
             "sim/explore/run.cpp", "sim/sqlite/faults.cpp", "tests/mutants/explore_main.cpp",
             *(f"core/loader/{name}.cpp"
               for name in ("elf", "entry", "library", "loader", "manifest", "places", "probe",
                            "sha256", "surroundings", "trust")))
HEAD = re.compile(r"Mutant: (?P<what>.+)\nSeen in: (?P<seen>.+)\nKilled by: (?P<by>.+)\n"
                  r"(?:Not found by explore: (?P<hidden>.+)\n)?")
SEED = 1
EXPLORE_SECONDS = 60
# What explore says where no property is named, and which ones that can be.
UNNAMED = {"invariant": {"S1", "S2", "S3", "S4", "S5", "S7", "S10", "S18", "L2"},
           "hang": {"L1", "L2", "L5", "S9"},
           "endless": {"L1", "L7"}}


def run(command, cwd, env=None, limit=TIME_LIMIT):
    return subprocess.run(list(map(str, command)), cwd=cwd, env=env, capture_output=True, text=True,
                          check=False, timeout=limit, errors="replace")


def sources_in(*places):
    """Returns: the C++ sources in these folders, which may also be files."""
    found = []
    for place in places:
        is_file = place.endswith((".cpp", ".S"))
        found += [ROOT / place] if is_file else sorted((ROOT / place).glob("*.cpp"))
    return [p.relative_to(ROOT) for p in found]


def is_biography(text):
    """Tests of one EngineWorld each; the other proofs are programs of their own."""
    return ('#include "tests/engine/world.hpp"' in text and "\nTEST(" in text
            and "\nint main(" not in text)


def tests_that_name(properties, sources):
    """Returns: a filter for the tests of these sources that name one of the properties."""
    properties = [p for p in properties if p[-1].isdigit()]  # the others are words of explore
    if not properties:
        return ""
    names = []
    named = re.compile(rf"//.*\b({'|'.join(properties)})\b")
    for source in sources:
        text = (ROOT / source).read_text()
        for test in re.finditer(r"(?:^//.*\n)*^TEST(?:_F)?\((\w+), (\w+)\) {\n(?:(?!}).*\n)*",
                                text, re.M):
            if named.search(test.group()):
                names.append(f"{test.group(1)}.{test.group(2)}")
    return ":".join(names)


class Suite:
    """A test program."""

    def __init__(self, sources, libraries):
        self.sources = sources
        self.libraries = libraries


def suites():
    engine = sources_in("core/engine")
    tests = sources_in("tests/engine")
    world = [p for p in tests if p.name.startswith(("world", "program"))]
    properties = [p for p in tests if p.name == "properties.cpp"]
    biographies = [p for p in tests if is_biography((ROOT / p).read_text())]
    shell = engine + [p for p in sources_in(*SHELL) if p.name not in ABOVE]
    return {"programs": Suite(engine + world + properties, ["-lrapidcheck"]),
            "biography": Suite(engine + world + biographies, ["-lgtest_main"]),
            "shell": Suite(shell + sources_in("tests/runtime"), ["-lgtest_main"]),
            "explore": Suite(shell + sources_in(*SIMULATOR), ["-lrapidcheck", "-ldl"])}


class Objects:
    """What has been compiled of a tree. A copy of the tree with a patch in it uses them again, but
    for those that the patch reaches."""

    def __init__(self, compiler, tree, folder, sound=None):
        self.compiler = compiler
        self.tree = tree
        self.folder = folder
        self.sound = sound
        self.touched = set()

    def place(self, source):
        return self.folder / (str(source).replace("/", "_") + ".o")

    def reached(self, source):
        if str(source) in self.touched:
            return True
        # The shell's templates are instantiated in one place for each runtime.
        headers = {t for t in self.touched if not t.endswith(".ipp")}
        if len(headers) < len(self.touched) and source.name in ("os_pool.cpp", "sim_runtime.cpp"):
            return True
        read = self.sound.place(source).with_suffix(".d").read_text().split()
        return bool(headers.intersection(os.path.normpath(path) for path in read))

    def get(self, source):
        """Returns: the object of this source. Raises RuntimeError with the compiler's words."""
        if self.sound is not None and not self.reached(source):
            return self.sound.get(source)
        target = self.place(source)
        if not target.exists():
            # Tests and the real shell are compiled more often than run.
            speed = "-O0" if "tests" in source.parts or source.name == "os_pool.cpp" else "-O1"
            result = run([self.compiler, speed, *FLAGS, "-MMD", "-c", source, "-o", target],
                         self.tree)
            if result.returncode != 0:
                raise RuntimeError(result.stderr)
        return target

    def link(self, name, suite):
        program = self.folder / name
        result = run([self.compiler, *map(self.get, suite.sources), "-o", program,
                      *suite.libraries, *LIBRARIES], self.tree)
        if result.returncode != 0:
            raise RuntimeError(result.stderr)
        return program


def ask_programs(program, properties):
    """Returns: (which property a program breaks, after how many steps), or None."""
    env = dict(os.environ, WEIR_JUDGED_BY=", ".join(properties))
    env["RC_PARAMS"] = f"seed=20260101 max_size=200 max_success={PROGRAMS}"
    result = run([program, "--gtest_filter=*HoldInEveryProgram"], program.parent, env)
    broken = re.search(r"^killed by (.*?)(?: \(at .*)?\nsteps: (\d+)$", result.stdout, re.M)
    return broken and (broken.group(1), broken.group(2))


def ask_tests(program, properties, sources):
    """Returns: (which test fails, "biography"), or None."""
    names = tests_that_name(properties, sources)
    if not names:
        return None
    result = run([program, f"--gtest_filter={names}"], program.parent, limit=TESTS_LIMIT)
    if result.returncode == 0:
        return None
    case = (re.search(r"\[  FAILED  \] (\S+)", result.stdout)
            or re.search(r"\[ RUN      \] (\S+)(?!.*\[ RUN)", result.stdout, re.S))
    return case.group(1) if case else "?", "biography"


def ask_explore(program, seconds):
    """Returns: (which property breaks, after how many runs, and seconds), or None."""
    result = run([program, SEED, seconds], program.parent)
    answer = re.match(r"(?:found (.+?)|nothing)\|(\d+)\|([\d.]+)\|", result.stdout)
    if answer is None:
        raise RuntimeError(f"explore gave no answer: {(result.stdout + result.stderr)[-2000:]}")
    return answer.groups() if answer.group(1) else None


def is_named(found, properties):
    """Whether what explore found is a property of these."""
    return (found.split()[0] in properties
            or bool(UNNAMED.get(found, set()).intersection(properties)))


def judge(objects, head):
    """Returns: (killed by, steps), or None if nobody noticed."""
    properties = head["by"].split(", ")
    all_suites = suites()
    in_shell = any(t.startswith("core/runtime") for t in objects.touched)
    for name in ["shell"] if in_shell else ["programs", "biography"]:
        suite = all_suites[name]
        try:
            program = objects.link(name, suite)
            noticed = (ask_programs(program, properties) if name == "programs"
                       else ask_tests(program, properties, suite.sources))
        except subprocess.TimeoutExpired:
            return None  # it does not end: which property is that?
        if noticed:
            return noticed
    return None


class Verdict:
    """What became of a mutant."""

    def __init__(self, killed, by, steps="", explored=None):
        self.killed = killed
        self.by = by
        self.steps = steps
        self.explored = explored or ("", "", "")  # property, runs, seconds


def judge_all(objects, head):
    noticed = judge(objects, head)
    explored = ask_explore(objects.link("explore", suites()["explore"]), EXPLORE_SECONDS)
    if noticed is None and explored and is_named(explored[0], head["by"].split(", ")):
        noticed = explored[0], "explore"
    if noticed is None:
        return Verdict(False, "SURVIVED", "", explored)
    if (explored is None) != (head["hidden"] is not None):
        why = "is not found by explore" if explored is None else "is found by explore after all"
        return Verdict(False, f"{noticed[0]}, but it {why}", noticed[1], explored)
    return Verdict(True, *noticed, explored)


def try_patch(patch, head, objects):
    """Returns: the verdict."""
    command = [*PATCH, "-i", patch]
    if run([*command, "--dry-run"], objects.tree).returncode != 0:
        return Verdict(False, "DOES NOT APPLY")
    run(command, objects.tree)
    objects.touched = set(re.findall(r"^\+\+\+ b/(\S+)", patch.read_text(), re.M))
    objects.folder.mkdir()
    try:
        return judge_all(objects, head)
    except RuntimeError as error:
        return Verdict(False, f"DOES NOT COMPILE: {str(error).strip().splitlines()[0]}")
    finally:
        run([*command, "-R"], objects.tree)
        shutil.rmtree(objects.folder)


def read_heads(patches):
    """Returns: what each patch says of itself. Raises RuntimeError."""
    heads = {}
    for patch in patches:
        head = HEAD.match(patch.read_text())
        if head is None:
            raise RuntimeError(f"{patch.name}: the first three lines are not as {HERE.name}/run.py "
                               "says")
        heads[patch] = head
    return heads


def tree_copies(where, count):
    for n in range(count):
        tree = where / f"tree{n}"
        for folder in ("core", "backends", "sim", "tests/api", "tests/engine", "tests/mutants",
                       "tests/runtime"):
            shutil.copytree(ROOT / folder, tree / folder)
        yield tree


def build_and_test(sound, jobs):
    """Builds the sources as they are. Returns: why they are of no use, or ''."""
    everything = {s for suite in suites().values() for s in suite.sources}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(sound.get, sorted(everything)))
    found = ask_explore(sound.link("explore", suites()["explore"]), EXPLORE_SECONDS)
    if found:
        return f"explore finds without any mutant: {found[0]}"
    for name, suite in suites().items():
        if name == "explore":
            continue
        result = run([sound.link(name, suite)], sound.folder, limit=SOUND_LIMIT)
        if result.returncode != 0:
            return f"{name} fails without any mutant:\n{(result.stdout + result.stderr)[-4000:]}"
    return ""


def measure(heads, compiler, jobs, where):
    """Yields: (patch, verdict), in order."""
    trees = list(tree_copies(where, jobs))
    (where / "sound").mkdir()
    sound = Objects(compiler, trees[0], where / "sound")
    why = build_and_test(sound, jobs)
    if why:
        raise RuntimeError(why)
    idle = queue.SimpleQueue()
    for n, tree in enumerate(trees):
        idle.put(Objects(compiler, tree, where / f"mutant{n}", sound))

    def one(patch):
        objects = idle.get()
        try:
            return patch, try_patch(patch, heads[patch], objects)
        finally:
            idle.put(objects)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(one, heads)


def cells_of(head, verdict):
    """Returns: a row of the table."""
    return head["what"], head["seen"], verdict.by, verdict.steps, *verdict.explored


def write_docs(rows):
    """Replaces the table of DOCS."""
    def line(cells):
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    table = [line(COLUMNS), "|---" * len(COLUMNS) + "|"]
    table += [line(cells if any(cells[4:]) else (*cells[:4], "not found", "", ""))
              for cells in rows]
    prose = [text for text in DOCS.read_text().splitlines() if not text.startswith("|")]
    at = prose.index(TABLE_FOLLOWS) + 2
    DOCS.write_text("\n".join(prose[:at] + table + prose[at:]) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compiler", default=os.environ.get("CXX", "g++"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--always", action="store_true", help="whatever WEIR_TEST_SCALE says")
    parser.add_argument("--write-docs", action="store_true", help=f"the table, into {DOCS.name}")
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
    killed = 0
    rows = []
    try:
        heads = read_heads(patches)
        wide = {key: max(len(h[key]) for h in heads.values()) for key in ("what", "seen")}
        row = (f"{{:{wide['what']}}} | {{:{wide['seen']}}} | {{:{BY_COLUMNS}}} | {{:>9}} | "
               "{:14} | {:>5} | {}")
        print(row.format(*COLUMNS))
        with tempfile.TemporaryDirectory(prefix="weir-mutants-") as folder:
            for patch, verdict in measure(heads, args.compiler, args.jobs, pathlib.Path(folder)):
                killed += verdict.killed
                rows.append(cells_of(heads[patch], verdict))
                print(row.format(*rows[-1]), flush=True)
    except RuntimeError as error:
        print(error)
        return 1
    if args.write_docs:
        write_docs(rows)
    for number, why in OUT_OF_SCOPE.items():
        print(f"{number} is out of scope: {why}")
    missing = CATALOGUE - set(OUT_OF_SCOPE) - {h["what"].split()[0] for h in heads.values()}
    if args.patches:
        missing = set()
    for number in sorted(missing):
        print(f"{number} has no patch")
    print(f"{killed} of {len(patches)} mutants killed")
    return 1 if missing or killed < len(patches) or not patches else 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: MIT
"""The checks that other programs make for us: layout, shell scripts, headers that stand alone."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import tempfile

from hygiene import VERBATIM
from sources import ROOT

JOBS = int(os.environ.get("WEIR_JOBS") or os.cpu_count() or 2)

# The warnings of the build, for a host that has turned them all on.
CXX_FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion",
             "-Wno-sign-conversion", "-Wnon-virtual-dtor", "-Woverloaded-virtual", "-Werror"]
C_FLAGS = ["-std=c11", "-Wall", "-Wextra", "-pedantic-errors", "-Wshadow", "-Wconversion",
           "-Werror"]


def run(command: list, text: str = "") -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True,
                          check=False)


def clang_format() -> str:
    """clang-format 14, under either name; another version would lay out the tree differently."""
    for name in ("clang-format-14", "clang-format"):
        path = shutil.which(name)
        if path and re.search(r"version 14\.", run([path, "--version"]).stdout):
            return path
    return ""


def laid_out(files: list, fix: bool = False):
    paths = [f.path for f in files if f.is_cxx and f.path not in VERBATIM]
    if not paths:
        return
    if fix:
        run([clang_format(), "-i", *paths])
        return
    seen = set()
    for line in run([clang_format(), "--dry-run", *paths]).stderr.splitlines():
        match = re.match(r"(\S+?):(\d+):\d+: warning:", line)
        if match and match.group(1) not in seen:
            seen.add(match.group(1))
            yield (f"{match.group(1)}:{match.group(2)}: not as clang-format has it "
                   "(./dev lint --fix)")


def shell_scripts(files: list):
    scripts = [f.path for f in files if re.match(r"#!.*\b(ba)?sh\b", f.text)]
    if scripts:
        yield from run(["shellcheck", "--format=gcc", *scripts]).stdout.splitlines()


def _compile(command: list, source: str) -> list:
    done = run([*command, "-"], source)
    return [] if done.returncode == 0 else [" ".join(command), *done.stderr.splitlines()[:20]]


def public_headers(files: list) -> list:
    """The public headers as a host includes them. Adapters need what they adapt: tests/adapters."""
    found = []
    for file in files:
        match = re.match(r"core/(?:abi/)?include/(weir/.+\.hp?p?)$", file.path)
        if match and not match.group(1).startswith("weir/adapters/"):
            found.append(match.group(1))
    return found


def header_jobs(files: list, compilers: dict):
    """Yields (name, command, source): each public header, included twice; in C11 if it is C."""
    include = ["-Icore/include", "-Icore/abi/include", "-fsyntax-only"]
    for header in public_headers(files):
        source = f"#include <{header}>\n#include <{header}>\n"
        for cxx, cc in compilers.items():
            yield f"{header} alone, {cxx}", [cxx, "-xc++", *CXX_FLAGS, *include], source
            if header.endswith(".h"):
                yield f"{header} alone, {cc}, C11", [cc, "-xc", *C_FLAGS, *include], source


def header_checks(files: list):
    """Yields (name, problems, reason to skip)."""
    compilers = {}
    for cxx, cc, package in (("g++", "gcc", "g++"), ("clang++-14", "clang-14", "clang-14")):
        if shutil.which(cxx) and shutil.which(cc):
            compilers[cxx] = cc
        else:
            yield (f"public headers alone, {cxx}", [],
                   f"{package} is not installed (apt-get install {package})")
    jobs = list(header_jobs(files, compilers))
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        results = pool.map(lambda job: _compile(job[1], job[2]), jobs)
        for (name, _, _), problems in zip(jobs, results):
            yield name, problems, ""


def compiles_alone(compiler: str, header_text: str) -> bool:
    """For the self-test: whether a header with this text passes the check above."""
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/probe.hpp", "w", encoding="utf-8") as probe:
            probe.write(header_text)
        source = "#include <probe.hpp>\n#include <probe.hpp>\n"
        return not _compile([compiler, "-xc++", *CXX_FLAGS, f"-I{folder}", "-fsyntax-only"], source)

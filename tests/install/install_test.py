#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a user of the installed library does: install, compile, link, run, all outside the tree.

host.cpp is the program of the README. It is built through pkg-config with each C++ compiler there
is and through CMake, and must print the rows of the SQLite file named by DATABASE_URL. The plugin
is found only through the directory compiled into the library; nothing in the environment points to
it. That is why the build's prefix must be a directory of its own: DESTDIR alone would move the
files but not the path that was compiled in. The driver template is copied away, built against the
installed header and used by a pool. sim_host.cpp is a host's test under the simulator, which is
built and run in the same ways.
"""
import argparse
import json
import os
import pathlib
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from tap import Tap  # noqa: E402  (the path is set just above)

TEMPLATE = HERE.parent.parent / "plugins" / "template"

# sim/world/tripwire.cpp
WATCHED = {"clock_gettime", "gettimeofday", "time", "nanosleep", "clock_nanosleep", "usleep",
           "sleep", "poll", "getrandom", "getentropy", "rand", "random", "sched_yield",
           "pthread_create", "pthread_cond_wait", "pthread_cond_timedwait",
           "pthread_cond_clockwait"}

TEMPLATE_EXPECTED = "0 deleted\ngreen\n62625.0\nW506\n1001 keys\n"
SIM_EXPECTED = "nothing is lost\nreplayed\nexception\nW103\nAda\n"
EXPECTED = "1 Ada\n3 Grace Brewster\n4 Čapek\n"


class Installed:
    """One installation, a database, a weir.toml, and the ways to use them."""

    def __init__(self, args, work: pathlib.Path) -> None:
        self.args = args
        self.work = work
        self.prefix = pathlib.Path(args.prefix)
        self.libdir = self.prefix / args.libdir
        self.sanitize = [] if args.sanitize == "none" else [f"-fsanitize={args.sanitize}"]
        # Nothing of the build environment may help: not its plugin directory, not its search paths.
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith(("WEIR_", "PKG_CONFIG", "CMAKE", "LD_", "MESON"))}
        self.env["PKG_CONFIG_PATH"] = str(self.libdir / "pkgconfig")
        self.env["DATABASE_URL"] = str(work / "app.db")

    def run(self, *command, env=None) -> subprocess.CompletedProcess:
        return subprocess.run([str(c) for c in command], cwd=self.work, env=env or self.env,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              timeout=240)

    def attempt(self, *command) -> list:
        """Runs a command that must succeed; returns its output as problems if it does not."""
        done = self.run(*command)
        if done.returncode == 0:
            return []
        return [f"{shlex.join(map(str, command))}: exit status {done.returncode}",
                *(done.stdout + done.stderr).splitlines()]

    def pkg_config(self, *what) -> list:
        return shlex.split(self.run("pkg-config", *what).stdout)

    def install(self) -> list:
        shutil.rmtree(self.prefix, ignore_errors=True)
        return self.attempt("meson", "install", "-C", self.args.build, "--no-rebuild", "--quiet")

    def prepare(self) -> None:
        with sqlite3.connect(self.work / "app.db") as db:
            db.execute("create table users (id integer primary key, name text, team integer)")
            db.executemany("insert into users values (?, ?, ?)",
                           [(1, "Ada", 42), (2, "Charles", 7), (3, "Grace Brewster", 42),
                            (4, "Čapek", 42)])
        db.close()
        (self.work / "weir.toml").write_text(
            'version = 1\n\n[pool.main]\ndriver = "sqlite"\nurl = { env = "DATABASE_URL" }\n')

    def run_host(self, host: pathlib.Path, preload: str = "", expected: str = EXPECTED) -> list:
        env = dict(self.env, LD_LIBRARY_PATH=str(self.libdir))
        if preload:
            env["LD_PRELOAD"] = preload
        done = self.run(host, env=env)
        problems = []
        if done.returncode != 0:
            problems.append(f"{host.name}: exit status {done.returncode}")
        if done.stdout != expected:
            problems.append(f"printed {done.stdout!r}, expected {expected!r}")
        if problems:
            problems += done.stderr.splitlines()
        return problems

    def refusal(self, host: pathlib.Path, preload: str = "") -> list:
        """Without the variable that weir.toml names the configuration is bad, and it says so."""
        env = dict(self.env, LD_LIBRARY_PATH=str(self.libdir))
        if preload:
            env["LD_PRELOAD"] = preload
        del env["DATABASE_URL"]
        done = self.run(host, env=env)
        if done.returncode == 65 and "DATABASE_URL" in done.stderr:
            return []
        return [f"exit status {done.returncode}, expected 65", *done.stderr.splitlines()]


def compilers(inst: Installed):
    """Yields (name, command, flags, preload, reason to skip) for g++ and clang++.

    A sanitized library needs the sanitizer's run-time in the host. The compiler that built the
    library links it; for another compiler, GCC's can be loaded first, and clang's, being
    static, cannot.
    """
    for name, package, candidates in (("g++", "g++", ["g++"]),
                                      ("clang++", "clang-14", ["clang++-14", "clang++"])):
        command = next((c for c in candidates if shutil.which(c)), None)
        if command is None:
            yield name, None, [], "", f"{name} is not installed (apt-get install {package})"
        elif not inst.sanitize or inst.args.compiler_id == ("gcc" if name == "g++" else "clang"):
            yield name, command, inst.sanitize, "", ""
        elif inst.args.compiler_id == "gcc" and "address" in inst.args.sanitize:
            libasan = inst.run("g++", "-print-file-name=libasan.so").stdout.strip()
            yield name, command, [], os.path.realpath(libasan), ""
        else:
            yield name, command, [], "", (f"the library has {inst.args.compiler_id}'s "
                                          f"{inst.args.sanitize} sanitizer; run a build without it")


def with_pkg_config(inst: Installed, tap: Tap) -> None:
    for name, command, flags, preload, reason in compilers(inst):
        if reason:
            tap.skip(f"host built by {name} and pkg-config prints the rows", reason)
            continue
        host = inst.work / f"host-{name}"
        problems = inst.attempt(command, "-std=c++20", "-Wall", "-Wextra", "-Werror", *flags,
                                HERE / "host.cpp", "-o", host,
                                *inst.pkg_config("--cflags", "--libs", "weir"))
        tap.check(f"host built by {name} and pkg-config prints the rows",
                  problems or inst.run_host(host, preload))
        if not problems:
            tap.check(f"host built by {name} refuses to start without DATABASE_URL",
                      inst.refusal(host, preload))


def cmake(inst: Installed, tap: Tap, name: str, program: str, components: str, target: str,
          expected: str) -> None:
    """A host of one file, built by CMake and run."""
    if not shutil.which("cmake"):
        tap.skip(name, "cmake is not installed (apt-get install cmake)")
        return
    source = inst.work / f"cmake-{pathlib.Path(program).stem}"
    source.mkdir()
    shutil.copyfile(HERE / program, source / "host.cpp")
    (source / "CMakeLists.txt").write_text(f"""\
cmake_minimum_required(VERSION 3.20)
project(host CXX)
find_package(weir 0.1 REQUIRED {components})
add_executable(host host.cpp)
target_link_libraries(host PRIVATE {target})
message(STATUS "plugins go to ${{weir_PLUGIN_DIR}}")
""")
    build = source / "build"
    compiler = shlex.split(inst.args.compiler)[-1]
    problems = (inst.attempt("cmake", "-S", source, "-B", build,
                             f"-DCMAKE_PREFIX_PATH={inst.prefix}",
                             f"-DCMAKE_CXX_COMPILER={compiler}",
                             f"-DCMAKE_CXX_FLAGS={' '.join(inst.sanitize)}")
                or inst.attempt("cmake", "--build", build)
                or inst.run_host(build / "host", expected=expected))
    tap.check(name, problems)


def with_cmake(inst: Installed, tap: Tap) -> None:
    cmake(inst, tap, "host built by CMake prints the rows", "host.cpp", "", "weir::weir", EXPECTED)


def exports_of(inst: Installed, library: str) -> list:
    """What a library exports that is neither Weir's, nor a template of the standard library's, nor
    a call that the simulator watches."""
    done = inst.run("nm", "-DC", "--defined-only", inst.libdir / library)
    others = []
    for line in done.stdout.splitlines():
        kind, name = line.split(maxsplit=2)[1:]
        ours = re.match(r"((typeinfo|typeinfo name|vtable|guard variable) for )?weir::|weir_", name)
        if not (ours or name in WATCHED or kind in "VWu"):
            others.append(f"it exports {name}")
    return others + done.stderr.splitlines()


def the_simulator(inst: Installed, tap: Tap) -> None:
    """libweir-sim, which is linked instead of libweir."""
    if not (inst.libdir / "libweir-sim.so").exists():
        tap.skip("a host's test under the simulator",
                 "built without the simulator; configure with -Dsim=enabled")
        return
    tap.check("libweir-sim exports Weir's names and the calls that it watches",
              exports_of(inst, "libweir-sim.so"))
    libs = inst.pkg_config("--libs", "weir-sim")
    tap.check("weir-sim is linked instead of weir",
              [] if "-lweir-sim" in libs and "-lweir" not in libs else f"--libs says {libs}")
    for name, command, flags, preload, reason in compilers(inst):
        what = f"a host's test built by {name} and pkg-config finds its bug"
        if reason:
            tap.skip(what, reason)
            continue
        host = inst.work / f"sim-host-{name}"
        tap.check(what, inst.attempt(command, "-std=c++20", "-Wall", "-Wextra", "-Werror", *flags,
                                     HERE / "sim_host.cpp", "-o", host,
                                     *inst.pkg_config("--cflags", "--libs", "weir-sim"))
                  or inst.run_host(host, preload, SIM_EXPECTED))
    cmake(inst, tap, "a host's test built by CMake finds its bug", "sim_host.cpp",
          "COMPONENTS sim", "weir::sim", SIM_EXPECTED)


def for_driver_authors(inst: Installed, tap: Tap) -> None:
    plugindir = " ".join(inst.pkg_config("--variable=plugindir", "weir-driver"))
    problems = []
    if plugindir != str(inst.libdir / "weir" / "plugins"):
        problems.append(f"plugindir is {plugindir!r}")
    elif not (pathlib.Path(plugindir) / "weir_sqlite.so").is_file():
        problems.append(f"no weir_sqlite.so in {plugindir}")
    tap.check("plugindir is where the plugins were installed", problems)

    driver = inst.work / "driver.c"
    driver.write_text("#include <weir/driver.h>\nint unused;\n")
    tap.check("a driver in C11 needs weir-driver and nothing else",
              inst.attempt("cc", "-std=c11", "-pedantic-errors", "-Wall", "-Wextra", "-Werror",
                           "-c", driver, "-o", inst.work / "driver.o",
                           *inst.pkg_config("--cflags", "weir-driver")))


def the_command(inst: Installed, tap: Tap) -> None:
    weir = inst.prefix / "bin" / "weir"
    name = "the installed command lists the installed SQLite plugin"
    if not weir.exists():
        tap.skip(name, "built without the command; configure with -Dcli=enabled")
        return
    done = inst.run(weir, "driver", "list", env=dict(inst.env, LD_LIBRARY_PATH=str(inst.libdir)))
    plugin = str(inst.libdir / "weir" / "plugins" / "weir_sqlite.so")
    ok = done.returncode == 0 and plugin in done.stdout
    tap.check(name, [] if ok else [f"exit status {done.returncode}, no {plugin} in the output",
                                   *(done.stdout + done.stderr).splitlines()])


class Template:
    """plugins/template as its copier uses it: a copy outside the tree, built against what is
    installed."""

    def __init__(self, inst: Installed) -> None:
        self.inst = inst
        self.source = inst.work / "my-driver"
        self.plugin = inst.libdir / "weir" / "plugins" / "weir_template.so"
        # Whatever compiler and flags this test was started with are not the copier's.
        self.env = {k: v for k, v in inst.env.items()
                    if k not in ("CC", "CFLAGS", "CPPFLAGS", "LDFLAGS")}

    def build(self) -> list:
        shutil.copytree(TEMPLATE, self.source)
        build = self.source / "build"
        for command in (["meson", "setup", "-Dwerror=true", build, self.source],
                        ["ninja", "-C", build, "-j", "1"],
                        ["meson", "install", "-C", build, "--no-rebuild"]):
            done = self.inst.run(*command, env=self.env)
            if done.returncode != 0:
                return [shlex.join(map(str, command)), *(done.stdout + done.stderr).splitlines()]
        return [] if self.plugin.is_file() else [f"{self.plugin} was not installed"]

    def symbols(self) -> list:
        done = self.inst.run("nm", "-D", "--defined-only", self.plugin)
        names = [line.split()[-1] for line in done.stdout.splitlines()]
        return [] if names == ["weir_plugin_v1"] else [f"it exports {names}", done.stderr]

    def listed(self) -> list:
        weir = self.inst.prefix / "bin" / "weir"
        env = dict(self.inst.env, LD_LIBRARY_PATH=str(self.inst.libdir))
        done = self.inst.run(weir, "driver", "list", "--json", env=env)
        try:
            found = [d for d in json.loads(done.stdout)["drivers"] if d["name"] == "template"]
        except (ValueError, KeyError) as error:
            return [repr(error), *(done.stdout + done.stderr).splitlines()]
        good = (len(found) == 1 and found[0]["path"] == str(self.plugin)
                and "error" not in found[0])
        return [] if good else [f"it is listed as {found}"]

    def host(self, compiler) -> list:
        name, command, flags, preload, _ = compiler
        host = self.inst.work / f"template-host-{name}"
        (self.inst.work / "template.toml").write_text(
            'version = 1\n[pool.main]\ndriver = "template"\nurl = "template:demo"\n'
            '[pool.main.options]\nkeys_max = 2000\n')
        return (self.inst.attempt(command, "-std=c++20", "-Wall", "-Wextra", "-Werror", *flags,
                                  HERE / "template_host.cpp", "-o", host,
                                  *self.inst.pkg_config("--cflags", "--libs", "weir"))
                or self.inst.run_host(host, preload, TEMPLATE_EXPECTED))

    def remove(self) -> None:
        """Other tests look into the same prefix, and find what we ship."""
        self.plugin.unlink()
        self.plugin.with_name("template.toml").unlink()


def the_template(inst: Installed, tap: Tap) -> None:
    template = Template(inst)
    if not tap.check("a copy of the template is built and installed through pkg-config",
                     template.build()):
        return
    tap.check("the template's plugin exports its entry and nothing else", template.symbols())
    if (inst.prefix / "bin" / "weir").exists():
        tap.check("the installed command lists the template", template.listed())
    compiler = next((c for c in compilers(inst) if not c[-1]), None)
    name = "a pool runs statements through the template"
    if compiler:
        tap.check(name, template.host(compiler))
    else:
        tap.skip(name, "no compiler fits the library's sanitizer; run a build without it")
    template.remove()


def a_new_driver(inst: Installed, tap: Tap) -> None:
    """What `weir driver new` writes builds without a warning and passes `weir driver check`."""
    weir = inst.prefix / "bin" / "weir"
    name = "a new driver is written, built and keeps every rule"
    if not weir.exists():
        tap.skip(name, "built without the command; configure with -Dcli=enabled")
        return
    source = inst.work / "fresh"
    library = source / "build" / "weir_fresh-db.so"
    env = {k: v for k, v in inst.env.items() if k not in ("CC", "CFLAGS", "CPPFLAGS", "LDFLAGS")}
    env["LD_LIBRARY_PATH"] = str(inst.libdir)
    for command in ([weir, "driver", "new", "fresh-db", "--dir", source],
                    ["meson", "setup", "-Dwerror=true", source / "build", source],
                    ["ninja", "-C", source / "build", "-j", "1"],
                    [weir, "driver", "check", library, "--quirks", source / "quirks.toml",
                     "--level", "3"]):
        done = inst.run(*command, env=env)
        if done.returncode != 0:
            tap.check(name, [shlex.join(map(str, command)),
                             *(done.stdout + done.stderr).splitlines()])
            return
    tap.check(name, [])


def main() -> int:
    parser = argparse.ArgumentParser()
    for option in ("build", "prefix", "libdir", "sanitize", "compiler", "compiler-id"):
        parser.add_argument(f"--{option}", required=True)
    args = parser.parse_args()
    tap = Tap()
    build = pathlib.Path(args.build).resolve()
    if build not in pathlib.Path(args.prefix).resolve().parents:
        tap.skip("installed library", f"the prefix {args.prefix} is not in the build directory; "
                 "configure with --prefix=BUILDDIR/prefix, as ./dev does")
        return tap.finish()
    with tempfile.TemporaryDirectory(prefix="weir-install-") as work:
        inst = Installed(args, pathlib.Path(work))
        if tap.check("meson install", inst.install()):
            inst.prepare()
            for_driver_authors(inst, tap)
            with_pkg_config(inst, tap)
            with_cmake(inst, tap)
            the_simulator(inst, tap)
            the_command(inst, tap)
            the_template(inst, tap)
            a_new_driver(inst, tap)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Watches each rule fail: a rule that never fires holds nothing. Every case is a file that must be
reported, with the words of the report, or one that must pass (None)."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import hygiene  # noqa: E402
import layers  # noqa: E402
import names  # noqa: E402
import tools  # noqa: E402
from lint import FILE_RULES, TREE_RULES, title  # noqa: E402
from sources import File  # noqa: E402
from tap import Tap  # noqa: E402

DOWN = layers.includes_point_down
THIRD = layers.third_parties_stay_in_their_rooms
CLOCK = names.core_names_no_clock_thread_or_lock
PURE = names.engine_is_pure
BOTH = names.clang_compiles_it
HEAD = "// SPDX-License-Identifier: MIT\n"

# (rule, path, text, part of the report or None)
CASES = (
    (DOWN, "core/base/a.hpp", '#include "core/engine/b.hpp"', "core/base may not include"),
    (DOWN, "core/engine/a.hpp", '#include "core/runtime/b.hpp"', "core/engine may not include"),
    (DOWN, "core/engine/a.hpp", '#include "core/config/b.hpp"', "core/engine may not include"),
    (DOWN, "core/engine/a.hpp", "#include <weir/pool.hpp>", "core/engine may not include"),
    (DOWN, "core/engine/a.hpp", '#include "core/base/b.hpp"\n#include <weir/time.hpp>', None),
    (DOWN, "core/loader/a.cpp", '#include "core/engine/b.hpp"', "core/loader may not include"),
    (DOWN, "core/loader/a.cpp", '#include "core/runtime/b.hpp"', "core/loader may not include"),
    (DOWN, "core/observe/a.cpp", '#include "core/runtime/b.hpp"', "core/observe may not include"),
    (DOWN, "core/include/weir/a.hpp", '#include "core/base/b.hpp"', "core/include may not include"),
    (DOWN, "core/include/weir/a.hpp", "#include <weir/pool.hpp>\n#include <weir/time.hpp>", None),
    (DOWN, "core/abi/include/weir/driver.h", "#include <weir/error.hpp>", "core/abi may not"),
    (DOWN, "core/runtime/a.cpp", '#include "sim/world/b.hpp"', "core/runtime may not include"),
    (DOWN, "core/runtime/a.cpp", '#include "backends/sqlite/b.hpp"', "core/runtime may not"),
    (DOWN, "core/runtime/a.cpp", '#include "core/engine/b.hpp"\n#include <weir/pool.hpp>', None),
    (DOWN, "backends/sqlite/a.cpp", '#include "core/base/b.hpp"', "backends/sqlite may not"),
    (DOWN, "backends/sqlite/a.cpp", "#include <weir/time.hpp>", "backends/sqlite may not"),
    (DOWN, "backends/sqlite/a.cpp", '#include "backends/mock/b.hpp"', "backends/sqlite may not"),
    (DOWN, "backends/sqlite/a.cpp", '#include "backends/common/b.hpp"', None),
    (DOWN, "backends/sqlite/a.cpp", "#include <weir/driver.h>", None),
    (DOWN, "backends/common/a.cpp", '#include "backends/sqlite/b.hpp"', "backends/common may not"),
    (DOWN, "plugins/sqlite/entry.c", '#include "backends/mock/b.h"', "plugins/sqlite may not"),
    (DOWN, "plugins/sqlite/entry.c", '#include "core/base/b.hpp"', "plugins/sqlite may not"),
    (DOWN, "plugins/sqlite/entry.c", '#include "backends/sqlite/b.h"', None),
    (DOWN, "plugins/sqlite/entry.c", "#include <weir/driver.h>", None),
    (DOWN, "plugins/sqlite/entry.c", '#include "backends/common/b.h"', None),
    (DOWN, "core/pools.cpp", '#include "core/runtime/b.hpp"', None),
    (DOWN, "core/pools.cpp", '#include "backends/sqlite/b.hpp"', "core may not include"),
    (DOWN, "tests/loader/fixtures/a.c", '#include "b.h"', None),
    (DOWN, "sim/world/a.cpp", '#include "cli/b.hpp"', "sim may not include"),
    (DOWN, "sim/world/a.cpp", '#include "plugins/sqlite/b.hpp"', "sim may not include"),
    (DOWN, "sim/explore/a.cpp", '#include "backends/mock/b.hpp"', None),
    (DOWN, "sim/explore/a.cpp", '#include "backends/sqlite/b.h"', None),
    (DOWN, "sim/world/a.cpp", '#include "sim/sqlite/b.hpp"\n#include "core/runtime/b.hpp"', None),
    (DOWN, "sim/sqlite/a.cpp", '#include "sim/world/b.hpp"', "sim/sqlite may not include"),
    (DOWN, "sim/sqlite/a.cpp", '#include "core/runtime/b.hpp"', "sim/sqlite may not include"),
    (DOWN, "sim/sqlite/a.cpp", '#include "core/base/b.hpp"\n#include <weir/time.hpp>', None),
    (DOWN, "cli/a.cpp", '#include "tests/b.hpp"', "cli may not include"),
    (DOWN, "cli/a.cpp", '#include "sim/b.hpp"\n#include "core/config/b.hpp"', None),
    (DOWN, "examples/demo/a.cpp", '#include "core/base/b.hpp"', "examples may not include"),
    (DOWN, "examples/demo/a.cpp", '#include "import.hpp"\n#include <weir/weir.hpp>', None),
    (DOWN, "tests/api/a.cpp", '#include "core/engine/b.hpp"', None),
    (DOWN, "core/engine/a.cpp", '#include "b.hpp"', "not written from the source root"),
    (DOWN, "core/engine/a.cpp", '#include "core/include/weir/time.hpp"', "included as <weir/...>"),
    (DOWN, "core/base/a.hpp", '// #include "core/engine/b.hpp"', None),
    (DOWN, "core/base/a.hpp", '/*\n#include "core/engine/b.hpp"\n*/', None),
    (THIRD, "core/abi/include/weir/driver.h", "#include <string>", "C standard headers only"),
    (THIRD, "core/abi/include/weir/driver.h", "#include <stdint.h>", None),
    (THIRD, "core/engine/a.cpp", "#include <thread>", "the engine is pure"),
    (THIRD, "core/engine/a.cpp", "#include <unordered_map>", "the engine is pure"),
    (THIRD, "core/include/weir/a.hpp", "#include <toml++/toml.h>", "belongs to core/config"),
    (THIRD, "core/include/weir/a.hpp", "#include <fmt/format.h>", "belongs to"),
    (THIRD, "core/include/weir/a.hpp", "#include <tl/expected.hpp>", None),
    (THIRD, "core/runtime/a.cpp", "#include <sqlite3.h>", "belongs to backends/sqlite"),
    (THIRD, "sim/sqlite/a.cpp", "#include <sqlite3.h>", None),
    (THIRD, "sim/world/a.cpp", "#include <sqlite3.h>", "belongs to backends/sqlite, sim/sqlite"),
    (THIRD, "core/runtime/a.cpp", "#include <gmock/gmock.h>", "belongs to the tests"),
    (THIRD, "core/runtime/a.cpp", "#include <gtest/gtest.h>", "belongs to examples"),
    (THIRD, "examples/sim/a.cpp", "#include <gtest/gtest.h>", None),
    (CLOCK, "core/runtime/a.cpp", "std::mutex m;", "std::mutex is banned"),
    (CLOCK, "core/runtime/a.cpp", "std::lock_guard<std::recursive_mutex> l;", "banned"),
    (CLOCK, "core/base/a.hpp", "std::chrono::steady_clock::now();", "steady_clock is banned"),
    (CLOCK, "core/base/a.hpp", "using namespace std::chrono; system_clock::now();", "banned"),
    (CLOCK, "core/base/a.hpp", "high_resolution_clock::now();", "banned"),
    (CLOCK, "core/config/a.cpp", "thread_local int x;", "thread_local is banned"),
    (CLOCK, "core/loader/a.cpp", "std::thread t;", "std::thread is banned"),
    (CLOCK, "core/loader/a.cpp", "std::jthread t;", "std::jthread is banned"),
    (CLOCK, "core/observe/a.cpp", "std::condition_variable c;", "banned"),
    (CLOCK, "core/observe/a.cpp", "std::this_thread::sleep_for(x);", "this_thread:: is"),
    (CLOCK, "core/observe/a.cpp", "using std::this_thread::sleep_until;", "banned"),
    (CLOCK, "core/observe/a.cpp", "pool.sleep_until(x);", None),
    (CLOCK, "core/base/a.hpp", "std::random_device d;", "random_device is banned"),
    (CLOCK, "core/base/a.hpp", "int r = std::rand();", "std::rand is banned"),
    (CLOCK, "core/base/a.hpp", "// no std::mutex\nauto s = \"std::thread\"; int my_thread;", None),
    (CLOCK, "core/runtime/os_runtime.hpp", "using Mutex = std::mutex;", None),
    (CLOCK, "backends/sqlite/a.cpp", "std::mutex m;", None),
    (CLOCK, "core/base/a.hpp", "const char* s = \"a\\\"b\"; std::mutex m;", "banned"),
    (CLOCK, "core/base/a.hpp", "auto s = R\"(\")\"; std::mutex m;", "banned"),
    (CLOCK, "core/base/a.hpp", "char c = '\"'; std::mutex m;", "banned"),
    (BOTH, "tests/runtime/a.cpp", "for (int i : std::views::iota(0, 3)) {}", "clang 14 cannot"),
    (BOTH, "core/base/a.cpp", "std::ranges::views::reverse(x);", "clang 14 cannot"),
    (BOTH, "tests/runtime/a.cpp", "std::ranges::sort(x);  // not std::views::all", None),
    (PURE, "core/engine/a.cpp", "std::unordered_set<int> s;", "unordered_set is banned"),
    (PURE, "core/engine/a.cpp", "std::atomic<int> n;", "std::atomic is banned"),
    (PURE, "core/engine/a.cpp", "std::atomic_flag n;", "std::atomic_flag is banned"),
    (PURE, "core/engine/a.cpp", "std::cout << 1;", "std::cout is banned"),
    (PURE, "core/engine/a.cpp", "auto* e = getenv(\"X\");", "getenv is banned"),
    (PURE, "core/runtime/a.cpp", "std::atomic<int> n;", None),
    (hygiene.licence_line, "core/base/a.hpp", "#pragma once\n", "no SPDX"),
    (hygiene.licence_line, "core/meson.build", "x = 1\n", "no SPDX"),
    (hygiene.licence_line, "tests/a.py", "#!/bin/sh\n# SPDX-License-Identifier: MIT\n", None),
    (hygiene.headers_open_with_a_paragraph, "core/base/a.hpp",
     HEAD + "#pragma once\nint x;\n", "opens with a comment"),
    (hygiene.headers_open_with_a_paragraph, "core/base/a.hpp",
     HEAD + "// What it is.\nint x;\n", "no #pragma once"),
    (hygiene.headers_open_with_a_paragraph, "core/base/a.hpp",
     HEAD + "// What it is.\n#pragma once\nint x;\n", None),
    (hygiene.headers_open_with_a_paragraph, "core/abi/include/weir/driver.h",
     "/* SPDX-License-Identifier: MIT */\n/* What it is. */\n#ifndef A\n#define A\n#endif\n", None),
    (hygiene.sizes, "core/base/a.cpp", "x\n" * 601, "at most 600"),
    (hygiene.sizes, "core/base/a.cpp", "x\n" * 600, None),
    (hygiene.sizes, "plugins/sqlite/entry.c", "x\n" * 41, "a plugin has no logic"),
    (hygiene.sizes, "tests/a.py", "# " + "ab " * 33 + "\n", "101 columns"),
    (hygiene.sizes, "CONTRIBUTING.md", "x\n" * 61, "at most 60"),
    (hygiene.no_leftovers, "core/base/a.cpp", "// TO" "DO: later\n", "without an issue"),
    (hygiene.no_leftovers, "core/base/a.cpp", "// FIX" "ME(#3)\n", "without an issue"),
    (hygiene.no_leftovers, "core/base/a.cpp", "// XX" "X\n", "without an issue"),
    (hygiene.no_leftovers, "core/base/a.cpp", "// TO" "DO(#12): later\n", None),
    (hygiene.no_machine_paths, "docs/a.md", "see /wo" "rk/main/x\n", "path of one machine"),
    (hygiene.no_machine_paths, "docs/a.md", "see /ro" "ot/x\n", "path of one machine"),
    (hygiene.no_machine_paths, "docs/a.md", "see /fa" "rm/x\n", "path of one machine"),
    (hygiene.no_machine_paths, "docs/a.md", "see /var/lib/x and our/wo" "rk/x\n", None),
    (hygiene.clean_text, "core/base/a.cpp", "int x; \n", "trailing white space"),
    (hygiene.clean_text, "core/base/a.cpp", "\tint x;\n", "a tab"),
    (hygiene.clean_text, "core/base/a.cpp", "int x;", "no newline at the end"),
    (hygiene.clean_text, "docs/a.md", "caf\udce9\n", "not UTF-8"),
    (hygiene.clean_text, "docs/a.md", "café\n", None),
)


def verdict(problems: list, expected) -> list:
    if expected is None:
        return [f"reported, but must pass: {p}" for p in problems]
    if any(expected in p for p in problems):
        return []
    return [f"must be reported with {expected!r}; got {problems}"]


def main() -> int:
    tap = Tap()
    for rule, path, text, expected in CASES:
        shown = text.splitlines()[-1][:40] if text else ""
        what = "passes" if expected is None else "reports"
        tap.check(f"{title(rule)} {what} {path}: {ascii(shown)}".replace("#", ""),
                  verdict(list(rule(File(path, text))), expected))

    tested = {case[0] for case in CASES if case[3] is not None}
    tap.check("every file rule has an offender",
              [title(r) for r in FILE_RULES if r not in tested])
    tap.check("a missing file is reported",
              verdict(list(hygiene.required_files([])), "README.md: missing"))
    tap.check("a script that cannot be run is reported",
              verdict(list(hygiene.scripts_are_executable([File("README.md", "#!/bin/sh\n")])),
                      "not executable"))
    tap.check("every tree rule is tested above", [] if len(TREE_RULES) == 2 else ["add a case"])

    broken = "#pragma once\ninline std::string f() { return {}; }\n"
    tap.check("a header that forgets an include does not compile alone",
              ["it did"] if tools.compiles_alone("g++", broken) else [])
    tap.check("a header that includes what it uses compiles alone",
              [] if tools.compiles_alone("g++", "#pragma once\n#include <string>\n"
                                         + broken.split("\n", 1)[1]) else ["it did not"])
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())

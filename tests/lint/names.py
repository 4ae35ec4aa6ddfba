# SPDX-License-Identifier: MIT
"""Names that core/ must not use. The pool that ships is the pool that is simulated: whatever reads
a clock, blocks a thread or draws a random number goes through the Runtime, or a simulation misses
it. And names that one of the two compilers does not know, for the tests of a commit are built with
the other one alone."""
from sources import File

# The seam itself, where the Runtime's names are aliases of these.
SEAM = {"core/runtime/os_runtime.hpp", "core/runtime/os_runtime.cpp"}
# Programs of their own, which run beside the host and never in a simulation.
PROGRAMS = {"core/loader/probe_main.cpp"}

BANNED_IN_CORE = {
    r"\bstd::(recursive_|timed_|recursive_timed_|shared_|shared_timed_)?mutex\b": "Runtime::Mutex",
    r"\bstd::condition_variable(_any)?\b": "Runtime's condition variable",
    r"\bstd::j?thread\b": "Runtime's threads",
    r"\bstd::(async|promise|future|packaged_task|counting_semaphore|binary_semaphore|latch|barrier)\b":
        "a completion record",
    r"\b(steady|system|high_resolution|file|utc|tai|gps)_clock\b": "Runtime's clock",
    r"\bthread_local\b": "Runtime's thread-local",
    r"\b__thread\b": "Runtime's thread-local",
    r"\bthis_thread::": "Runtime's sleep and thread identity",
    r"\b(usleep|nanosleep|clock_gettime|gettimeofday|clock_nanosleep)\b":
        "Runtime's clock and sleep",
    r"\b(random_device|std::s?rand|std::mt19937(_64)?|getrandom|arc4random)\b": "Runtime's random",
    r"\bpthread_(?!sigmask\b)\w+": "the Runtime",
}

BANNED_IN_ENGINE = {
    r"\bunordered_\w+": "an order that is the same in every run",
    r"\bstd::atomic\w*": "nothing: the engine runs under the shell's mutex",
    r"\b(std::(cout|cerr|clog)|f?printf|fputs|puts|std::o?fstream)\b": "an event",
    r"\b(secure_)?getenv\b": "the configuration",
    r"\bstd::function\b": "an effect: the engine calls nobody",
}


def _banned(file: File, table: dict, where: str):
    for pattern, instead in table.items():
        for line, name in file.find(pattern, file.code):
            yield f"{file.path}:{line}: {name} is banned in {where}; use {instead}"


def core_names_no_clock_thread_or_lock(file: File):
    if file.is_cxx and file.path.startswith("core/") and file.path not in SEAM | PROGRAMS:
        yield from _banned(file, BANNED_IN_CORE, "core/")


def engine_is_pure(file: File):
    if file.is_cxx and file.path.startswith("core/engine/"):
        yield from _banned(file, BANNED_IN_ENGINE, "core/engine/")


def clang_compiles_it(file: File):
    if not file.is_cxx:
        return
    for line, name in file.find(r"\bstd::(ranges::)?views::\w+", file.code):
        yield (f"{file.path}:{line}: clang 14 cannot compile {name} of libstdc++ 12; write a loop, "
               "or see tests/api/made.hpp")

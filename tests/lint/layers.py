# SPDX-License-Identifier: MIT
"""Who may include whom (docs/architecture.md). Includes are written from the source root or as
<weir/...>, so the direction of an arrow is visible in its text and this table can hold it."""
import re

from sources import File

# Public headers that only describe: values, errors, time. Rooms below the shell may use them; the
# others (pool.hpp, connection.hpp ...) are what the shell implements.
LEAF_HEADERS = {"config", "error", "export", "health", "many", "metrics", "result", "retry_policy",
                "rows", "stats", "time", "value", "version"}

CORE_INNER = {"core/base", "core/engine", "core/config", "core/loader", "core/observe"}

# room -> rooms it may include, besides itself. "leaf" is LEAF_HEADERS, "core/include" all of them.
ALLOWED = {
    "core/abi": set(),
    "core/include": {"core/abi"},
    # The files in core/ itself put the library together.
    "core": CORE_INNER | {"core/abi", "core/include", "core/runtime"},
    "core/base": {"core/abi", "leaf"},
    "core/engine": {"core/base", "core/abi", "leaf"},
    "core/config": {"core/base", "core/abi", "leaf"},
    "core/loader": {"core/base", "core/abi", "leaf"},
    "core/observe": {"core/base", "core/abi", "leaf"},
    "core/runtime": CORE_INNER | {"core/abi", "core/include"},
    "backends/common": {"core/abi"},
    "backends/*": {"core/abi", "backends/common"},
    "plugins/*": {"core/abi", "backends/common", "backends/<same>"},
    # A room of sim that has a line here has its own arrows; the others are one room.
    "sim": CORE_INNER | {"core/abi", "core/include", "core/runtime", "sim/sqlite", "backends/mock",
            "backends/sqlite"},
    "sim/sqlite": {"core/base", "core/abi", "leaf"},
    "cli": CORE_INNER | {"core/abi", "core/include", "core/runtime", "sim"},
    "examples": {"core/abi", "core/include"},
    "bench": {"any"},
    "tests": {"any"},
}

C_HEADERS = {"assert.h", "errno.h", "float.h", "inttypes.h", "limits.h", "stdalign.h", "stdarg.h",
             "stdbool.h", "stddef.h", "stdint.h", "string.h"}

# Third parties, and the only rooms that may name them. bench and tests are free.
THIRD_PARTIES = {
    r"toml\+\+/": ("core/config", "core/loader"),
    r"httplib\.h": ("cli",),
    r"fmt/": ("core/base", "core/engine", "core/config", "core/loader", "core/observe",
              "core/runtime", "sim", "cli"),
    r"tl/": ("core/include", *sorted(CORE_INNER), "core/runtime", "sim"),
    r"sqlite3(ext)?\.h": ("backends/sqlite", "sim/sqlite"),
    r"libpq|postgres": ("backends/postgres",),
    r"mysql|cppconn|mariadb": ("backends/mysql",),
    r"CLI/|nlohmann/": ("cli", "sim"),
    r"dlfcn\.h": ("core/loader", "sim"),
    r"gmock/|benchmark/": (),
    r"spdlog/|opentelemetry/": ("core/include",),  # weir/adapters
    r"gtest/": ("examples",),
    r"rapidcheck": ("sim", "examples"),
}

# Standard headers that bring what the engine must not have: time, threads, chance, the outside.
NOT_IN_ENGINE = {"atomic", "barrier", "condition_variable", "filesystem", "fstream", "future",
                 "iostream", "latch", "mutex", "random", "semaphore", "shared_mutex", "stop_token",
                 "thread", "unordered_map", "unordered_set", "ctime", "cstdlib", "time.h",
                 "unistd.h", "pthread.h"}


def room_of(path: str) -> str:
    """The room a path lies in, '' outside the house."""
    parts = path.split("/")
    if parts[0] == "core":
        return "/".join(parts[:2]) if len(parts) > 2 else "core"
    if parts[0] in ("backends", "plugins") and len(parts) > 2:
        return "/".join(parts[:2])
    if parts[0] == "sim" and "/".join(parts[:2]) in ALLOWED:
        return "/".join(parts[:2])
    return parts[0] if parts[0] in ALLOWED else ""


def rule_for(room: str) -> set:
    if room in ALLOWED:
        return ALLOWED[room]
    return ALLOWED.get(room.split("/")[0] + "/*", set())


def target_room(kind: str, what: str) -> str:
    """The room an include leads to; '' for the standard library and third parties."""
    if kind == '"':
        return room_of(what)
    if not what.startswith("weir/"):
        return ""
    name = what.removeprefix("weir/")
    if name.endswith(".h"):
        return "core/abi"
    return "leaf" if name.removesuffix(".hpp") in LEAF_HEADERS else "core/include"


def may_include(room: str, target: str) -> bool:
    allowed = rule_for(room)
    if target == room or target in allowed or "any" in allowed:
        return True
    if target == "leaf":
        return "core/include" in allowed or room == "core/include"
    return "backends/<same>" in allowed and target == "backends/" + room.split("/")[1]


def stand_alone(path: str) -> bool:
    """What a reader copies out of the tree has its own includes beside it."""
    return path.startswith(("examples/", "plugins/template/")) or "/fixtures/" in path


def includes_point_down(file: File):
    room = room_of(file.path)
    if not room or not file.is_cxx or file.path.startswith("plugins/template/"):
        return
    for line, kind, what in file.includes():
        if kind == '"' and not room_of(what):
            if not (stand_alone(file.path) and "/" not in what):
                yield f'{file.path}:{line}: "{what}" is not written from the source root'
            continue
        target = target_room(kind, what)
        if target and not may_include(room, target):
            yield f"{file.path}:{line}: {room} may not include {what} ({target})"
        if kind == '"' and target in ("core/include", "core/abi"):
            yield f"{file.path}:{line}: public headers are included as <weir/...>"


def third_parties_stay_in_their_rooms(file: File):
    room = room_of(file.path)
    if not room or room in ("bench", "tests") or not file.is_cxx:
        return
    for line, kind, what in file.includes():
        if kind != "<":
            continue
        if room == "core/abi" and what not in C_HEADERS and not what.startswith("weir/"):
            yield f"{file.path}:{line}: the ABI includes C standard headers only, not {what}"
        if room == "core/engine" and what in NOT_IN_ENGINE:
            yield f"{file.path}:{line}: the engine is pure; {what} is not for it"
        for pattern, rooms in THIRD_PARTIES.items():
            if re.match(pattern, what) and room not in rooms:
                yield f"{file.path}:{line}: {what} belongs to {', '.join(rooms) or 'the tests'}"

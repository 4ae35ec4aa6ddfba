# SPDX-License-Identifier: MIT
"""What Weir is to be beside its peers, and by itself: rows of goals, each judged on medians of one
interleaved run. A gate must be met; a reach is what we are after."""
import dataclasses
import statistics
import typing

BUSY_HOLD_S = 20e-6
HIKARI = "hikaricp"
CORO = "weir-coro"
ALSO = "also"  # the row of what has no number


@dataclasses.dataclass(frozen=True)
class Cell:
    """A pool under a load: medians over the rounds, but for the longest wait, which is the longest
    of all rounds. Times in microseconds."""
    per_s: float
    low: float
    high: float
    spread: float
    p50: float
    p99: float
    p999: float
    longest: float


class Cells:
    """What was measured, by pool and load; and by name, what needs no load. Asking for what was not
    is a KeyError."""

    def __init__(self, cells: dict, cpus: int, costs: typing.Optional[dict] = None) -> None:
        self.cells = cells
        self.cpus = cpus
        self.costs = costs or {}

    def __call__(self, pool: str, load: str) -> Cell:
        return self.cells[pool, load]

    def over(self, pool: str, peer: str, load: str) -> float:
        """Throughput of one over that of another."""
        return self(pool, load).per_s / self(peer, load).per_s

    def of_ideal(self, pool: str, load: str = "busy") -> float:
        """Of what two connections give that each are held 20 us, back to back. A processor can
        spin on one of them only."""
        return self(pool, load).per_s * BUSY_HOLD_S / min(2, self.cpus)


def cells_of(lines: list, cpus: int) -> Cells:
    """Of the lines that the programs print."""
    by = {}
    costs = {}
    for line in lines:
        if "measure" in line:
            costs.setdefault(line["measure"], []).append(line["value"])
        else:
            by.setdefault((line["pool"], line["load"]), []).append(line)

    def cell(rounds: list) -> Cell:
        def middle(key: str) -> float:
            return statistics.median(line[key] for line in rounds)
        per_s = [line["per_s"] for line in rounds]
        return Cell(middle("per_s"), min(per_s), max(per_s), middle("spread"), middle("p50_us"),
                    middle("p99_us"), middle("p999_us"), max(line["max_us"] for line in rounds))
    return Cells({key: cell(rounds) for key, rounds in by.items()}, cpus,
                 {key: statistics.median(values) for key, values in costs.items()})


Value = typing.Callable[[Cells], float]


def times(value: float) -> str:
    return f"{value:.3g} ×" if value >= 0.2 else f"1/{1 / value:.3g}"


def percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def finer_percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def plain(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def wait(us: float) -> str:
    return f"{us / 1000:.2f} ms" if us >= 1000 else f"{us:.0f} µs"


def ns(value: float) -> str:
    return f"{value:.1f} ns"


def memory(value: float) -> str:
    return f"{value:,.0f} bytes"


@dataclasses.dataclass(frozen=True)
class Part:
    """One number of a row. A limit is a number, or a function where a peer sets it; None: none."""
    row: typing.Union[int, str]
    what: str
    value: Value
    gate: typing.Union[float, Value, None]
    reach: typing.Union[float, Value, None]
    at_most: bool = False
    show: typing.Callable[[float], str] = times

    def measured(self, cells: Cells) -> str:
        try:
            return self.show(self.value(cells))
        except KeyError:
            return "not measured"

    def verdict(self, limit, cells: Cells) -> str:
        if limit is None:
            return ""
        sign = "≤" if self.at_most else "≥"
        try:
            bound = limit(cells) if callable(limit) else limit
            value = self.value(cells)
        except KeyError:
            return "not measured"
        goal = f"{sign} {self.show(bound)}"
        if value <= bound if self.at_most else value >= bound:
            return f"{goal}: met"
        if bound == 0:
            return f"{goal}: missed by {self.show(value)}"
        by = 100 * abs(value / bound - 1)
        return f"{goal}: missed by {by:.{1 if by < 10 else 0}f} %"


def against_hikari(row: int, load: str, gate: float, reach: float, note: str = "") -> Part:
    return Part(row, f"{load}{note}: cycles/s over HikariCP's",
                lambda c: c.over("weir", HIKARI, load), gate, reach)


def against_bare(load: str, note: str) -> Part:
    return Part(11, f"{load} ({note}): cycles/s over bare's",
                lambda c: c.over("weir", "bare", load), 0.97, 0.995, show=finer_percent)


def cost(row: typing.Union[int, str], what: str, measure: str, gate: float,
         reach: typing.Optional[float] = None, show: typing.Callable[[float], str] = plain) -> Part:
    return Part(row, what, lambda c: c.costs[measure], gate, reach, at_most=True, show=show)


STRICT = "busy, fairness strict"
SLEEP = "sleep (32 threads, pool of 2, 20 µs asleep)"
PARTS = (
    Part(1, "u1 (1 thread): a cycle over the CAS pair", lambda c: c.over("cas", "weir", "u1"),
         3, 1.5, at_most=True),
    against_hikari(2, "u1", 5, 10),
    against_hikari(3, "t2", 5, 10, " (2 threads, pool of 32)"),
    against_hikari(3, "t8", 5, 10),
    against_hikari(3, "t32", 5, 10),
    Part(3, "t2: over u1", lambda c: c("weir", "t2").per_s / c("weir", "u1").per_s, None, 1.9),
    against_hikari(4, "c32", 0.7, 1, " (32 threads, pool of 2, no hold)"),
    Part(5, "busy (32 threads, pool of 2, 20 µs spinning): of the ideal",
         lambda c: c.of_ideal("weir"), 0.7, 0.8, show=percent),
    Part(5, "busy: luckiest thread over unluckiest", lambda c: c("weir", "busy").spread,
         1.4, 1.1, at_most=True, show=plain),
    Part(5, "busy: p99.9 (gate: HikariCP's)", lambda c: c("weir", "busy").p999,
         lambda c: c(HIKARI, "busy").p999, 5000, at_most=True, show=wait),
    Part(5, "busy: longest wait", lambda c: c("weir", "busy").longest, None, 15000, at_most=True,
         show=wait),
    Part(6, f"{STRICT}: of the ideal", lambda c: c.of_ideal("weir-strict"), 0.45, 0.65,
         show=percent),
    Part(6, f"{STRICT}: luckiest over unluckiest", lambda c: c("weir-strict", "busy").spread,
         1.02, None, at_most=True, show=plain),
    Part(6, f"{STRICT}: p99.9", lambda c: c("weir-strict", "busy").p999, 5000, 1500, at_most=True,
         show=wait),
    Part(7, f"{SLEEP}: cycles/s over HikariCP's", lambda c: c.over("weir", HIKARI, "sleep"),
         1.05, 1.15),
    Part(7, "sleep: p99.9 over HikariCP's",
         lambda c: c("weir", "sleep").p999 / c(HIKARI, "sleep").p999, 1 / 8, 1 / 20, at_most=True),
    Part(7, "sleep: luckiest over unluckiest", lambda c: c("weir", "sleep").spread, 1.05, 1.01,
         at_most=True, show=plain),
    Part(8, "coro (32 coroutines on 2 threads, pool of 2, 20 µs spinning): of the ideal",
         lambda c: c.of_ideal(CORO, "coro"), 0.85, 0.92, show=percent),
    Part(8, "coro: p99.9", lambda c: c(CORO, "coro").p999, 1000, 600, at_most=True, show=wait),
    cost(9, "a driver call, beyond the driver's own time", "boundary_ns", 15, 5, ns),
    cost(10, "messages to the server for an acquire and its release", "round_trips", 0, 0),
    against_bare("pg-select", "PostgreSQL"),
    against_bare("my-select", "MariaDB"),
    against_bare("lite-select", "SQLite"),
    cost(12, "an idle pool of 10: memory, without the driver's", "idle_pool_bytes", 4096, 2048,
         memory),
    cost(12, "3 idle pools of 10: threads of the process", "idle_threads", 1),
    cost(ALSO, "an idle connection, of 10,000: memory, without the driver's",
         "idle_connection_bytes", 512, show=memory),
    cost(ALSO, "1000 acquires and releases: allocations", "allocations_acquire", 0),
    cost(ALSO, "1000 executes of a prepared statement: allocations, without the driver's",
         "allocations_execute", 0),
    cost(ALSO, "1000 prepared queries of one row, SQLite: allocations, without the driver's",
         "allocations_query", 0),
)


def rows(cells: Cells) -> list:
    """The table of goals: row, what, measured, gate, reach."""
    return [(str(p.row), p.what, p.measured(cells), p.verdict(p.gate, cells),
             p.verdict(p.reach, cells)) for p in PARTS]

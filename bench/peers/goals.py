# SPDX-License-Identifier: MIT
"""What Weir is to be beside its peers: rows of goals, each judged on medians of one interleaved
run. A gate must be met; a reach is what we are after."""
import dataclasses
import typing

BUSY_HOLD_S = 20e-6
HIKARI = "hikaricp"
CORO = "weir-coro"


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
    """What was measured, by pool and load. Asking for what was not is a KeyError."""

    def __init__(self, cells: dict, cpus: int) -> None:
        self.cells = cells
        self.cpus = cpus

    def __call__(self, pool: str, load: str) -> Cell:
        return self.cells[pool, load]

    def over(self, pool: str, peer: str, load: str) -> float:
        """Throughput of one over that of another."""
        return self(pool, load).per_s / self(peer, load).per_s

    def of_ideal(self, pool: str) -> float:
        """Of what two connections give that each are held 20 us, back to back. A processor can
        spin on one of them only."""
        return self(pool, "busy").per_s * BUSY_HOLD_S / min(2, self.cpus)


Value = typing.Callable[[Cells], float]


def times(value: float) -> str:
    return f"{value:.3g} ×" if value >= 0.2 else f"1/{1 / value:.3g}"


def percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def plain(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def wait(us: float) -> str:
    return f"{us / 1000:.2f} ms" if us >= 1000 else f"{us:.0f} µs"


@dataclasses.dataclass(frozen=True)
class Part:
    """One number of a row. A limit is a number, or a function where a peer sets it; None: none."""
    row: int
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
        by = 100 * abs(value / bound - 1)
        return f"{goal}: missed by {by:.{1 if by < 10 else 0}f} %"


def against_hikari(row: int, load: str, gate: float, reach: float, note: str = "") -> Part:
    return Part(row, f"{load}{note}: cycles/s over HikariCP's",
                lambda c: c.over("weir", HIKARI, load), gate, reach)


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
)


def rows(cells: Cells) -> list:
    """The table of goals: row, what, measured, gate, reach."""
    return [(str(p.row), p.what, p.measured(cells), p.verdict(p.gate, cells),
             p.verdict(p.reach, cells)) for p in PARTS]

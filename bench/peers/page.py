# SPDX-License-Identifier: MIT
"""docs/performance.md, from what was measured. Ratios first: they are what lasts."""
import dataclasses

import goals

HEAD = ("#", "goal", "measured", "gate", "reach")
BARE = ("u1", "t2", "t8", "t32", "c8", "c32")
# A table for each, and the loads that are in it; the first is what Weir itself is seen under.
HELD = {"busy": ("busy", "coro"), "sleep": ("sleep",)}
QUERIES = ("pg-select", "pg-tpcb", "my-select", "my-tpcb", "lite-select")
QUERIERS = ("weir", "bare", "soci", "pgbouncer")
# What the programs write for the spread when a thread had no cycle at all.
STARVED = 9999

TITLES = {
    "weir": "Weir",
    "weir-strict": "Weir, fairness strict",
    goals.CORO: "Weir, coroutines on two threads",
    "hikaricp": "HikariCP",
    "go-sql": "Go database/sql",
    "soci-lease": "SOCI lease/give_back (an index)",
    "soci-session": "SOCI session(pool)",
    "poco": "POCO SessionPool",
    "mutex": "*mutex, vector, condition variable*",
    "ref-fifo": "*strict order at its simplest*",
    "cas": "*CAS pair*",
    "bare": "bare",
    "soci": "SOCI",
    "pgbouncer": "PgBouncer",
}

ABOUT = """\
# Beside other pools

What a pool costs by itself: threads that borrow a connection, hold it for a moment and give it
back, on Weir, on other pools and on the simplest pools there could be (in italics: they know no
timeout, lifetime, check or statistics, and are no peers, but say what the machine allows). No query
is sent, except in a section of its own. Ratios are what lasts; absolute numbers belong to one
machine. `./dev bench peers` measures anew and writes this page.

## Goals

A gate must be met, a reach is what we are after. Each is judged on medians of the same run.
"""

WHERE = """
## Where it is short, and why

What perf and strace show; looked at on 2026-11-27 to 29, on two machines: a Xeon, and the
EPYC that the numbers of this page are of.

- u1, t2, t8: of 28 ns the two exchanges are 6 on the EPYC; 10 of 20 on the Xeon, where a cycle was
  1.95 times the CAS pair's and 3.76 times as fast as HikariCP's. What is left are two calls into
  the library, two thirds of the time on the EPYC, and what is written down of a lease: who has it,
  where, since when ([decision 0007](decisions/0007-lane.md)). Five times HikariCP's would be 16 ns.
- busy: what is lost is the wake-up of each waiter that comes to his bound ([decision
  0008](decisions/0008-fair-after.md)); in strict order, that of each cycle, as with the simplest
  pool that keeps to the order, which makes 29 % on the EPYC and made 37 % on the Xeon. There Weir
  made 65 %, and 36 % in strict order. On the EPYC it was 31 % until 2026-11-28, when a wake-up
  counted as a part of the lease ([decision 0003](decisions/0003-bounded-fairness.md)).
- sleep: the sleep itself and the wake-up of an idle virtual processor are nearly all of a cycle. It
  came out at 1.01 and 1.06 on the Xeon, where all pools were within 8 % of each other, and at 1.13
  and 0.98 on the EPYC: the second time Weir's rounds were at 12.7 to 14.1 thousand cycles/s,
  HikariCP's at 8.8 to 14.8.
- coro: 92 % of what the program works is the hold itself; what else is lost is not in its profile.
  It was 87 % on the Xeon, and 78 to 89 % in the rounds of this page.
- a driver call: 11.6 ns on the Xeon. On the EPYC the same program came out at 15 to 47 ns within
  two hours, 20 of 27 runs at 15 to 22; why is not known. Half of what the library works is where
  the driver's arguments and the room for its answer are made, a quarter where the lease and the
  statement are checked. It is spread over all their instructions; nothing stands out.
- my-select, my-tpcb: calls are made on their callers' threads since the driver can cut the
  connection under them ([decision 0009](decisions/0009-mysql-callers-thread.md)); before that it
  was half of bare's. Since then my-select came out at 90 to 117 % in ten measurements.
- pg-select: two more descriptors are polled for a query, the connection's before it is sent (has
  the server ended the session?) and one by which it can be told to stop. On a third machine (51 us
  of both processors a cycle for bare, 64 for Weir, in the median of six rounds) a Weir without the
  two made 6 % more cycles in the mean. The client itself works 8.5 us where bare works 3.5, with
  twice the instructions (9.6 and 4.7 thousand), which each thread finds no longer in the caches.
  The rest is on which processor a client and its server are: Weir was at 38 thousand cycles/s at
  best, as bare, with 11 us of kernel time on each side, else at 25 to 33, with up to 20 us and a
  reschedule interrupt in every seven to twelve cycles, of which bare has none. Why it comes to that
  more often is not known. It is not the lane's timer: with one that comes each minute it is the
  same.
- lite-select: 0.3 us for a lease, a statement that is looked up, columns that are described with
  each result, and rows that are the caller's own. Nothing stands out.
- an idle pool: 5 KB are connections, the rest its configuration, the driver's options, hooks and
  the engine.
- an idle connection: 504 to 522 bytes, by what malloc leaves over where it aligns.
"""

RATIOS = """
## Weir beside each

Weir's cycles per second over those of each other pool; above 1, Weir is the faster one. u1, t2, t8,
t32: 1, 2, 8, 32 threads on a pool of 32; c8, c32: 8 and 32 threads on a pool of 2. All without a
hold.
"""

HOLDS = """
## With a hold: 32 threads, pool of 2

busy: each connection is held for 20 µs of work; sleep: for a sleep of 20 µs, as if it waited for a
server. Waits are times to acquire; the longest is that of all rounds. Fairness: cycles of the
luckiest thread over those of the unluckiest. Coroutines: 32 of them, under the load busy.
"""

END_TO_END = """
## Queries end to end

What is left of the cost of a pool beside the queries that it is there for. Bare is the client
library by hand, with a connection for each thread; PgBouncer is bare through a PgBouncer. pg, my,
lite: PostgreSQL, MariaDB, SQLite, all on the machine of the program; select: one row by its key;
tpcb: the transaction of pgbench. 8 threads and as many connections, 1 with SQLite. A cycle is all
of it: acquire, statements, release. First Weir's cycles per second over those of each other, then
the cycles themselves.
"""

ABSOLUTE = """
## Absolute numbers

Medians, and the lowest and highest of the rounds. u1 in ns per cycle, the others in million cycles
per second over all threads.
"""


@dataclasses.dataclass
class Run:
    """A run as the page tells it."""
    cells: goals.Cells
    pools: list
    conditions: list
    missing: list


def table(head, lines) -> str:
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    out += ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join(out) + "\n"


def goal_table(cells: goals.Cells) -> str:
    return table(HEAD, goals.rows(cells))


def ratio(cells: goals.Cells, pool: str, load: str, digits: int = 2) -> str:
    try:
        return f"{cells.over('weir', pool, load):.{digits}f}"
    except KeyError:
        return ""


def with_bare_loads(run: Run) -> list:
    return [pool for pool in run.pools if any((pool, load) in run.cells.cells for load in BARE)]


def ratio_table(run: Run) -> str:
    others = [pool for pool in with_bare_loads(run) if pool != "weir"]
    return table(("over", *BARE), [(TITLES[pool], *(ratio(run.cells, pool, load) for load in BARE))
                                   for pool in others])


def held_line(cells: goals.Cells, pool: str, load: str, weirs: str) -> tuple:
    cell = cells(pool, load)
    try:
        over = f"{cells('weir', weirs).per_s / cell.per_s:.2f}"
    except KeyError:
        over = ""
    share = f" ({goals.percent(cells.of_ideal(pool, load))})" if weirs == "busy" else ""
    fair = "a thread had none" if cell.spread >= STARVED else goals.plain(cell.spread)
    return (TITLES[pool], over, fair,
            *map(goals.wait, (cell.p50, cell.p99, cell.p999, cell.longest)),
            f"{cell.per_s:,.0f}{share}")


def held_table(run: Run, name: str) -> str:
    total = "cycles/s (of the ideal)" if name == "busy" else "cycles/s"
    head = (name, "Weir over it", "fairness", "p50", "p99", "p99.9", "longest", total)
    return table(head, [held_line(run.cells, pool, load, HELD[name][0]) for pool in run.pools
                        for load in HELD[name] if (pool, load) in run.cells.cells])


def absolute(cells: goals.Cells, pool: str, load: str) -> str:
    if (pool, load) not in cells.cells:
        return ""
    cell = cells(pool, load)
    if load == "u1":
        return f"{1e9 / cell.per_s:.1f} ({1e9 / cell.high:.1f}-{1e9 / cell.low:.1f})"
    return f"{cell.per_s / 1e6:.3g} ({cell.low / 1e6:.3g}-{cell.high / 1e6:.3g})"


def absolute_table(run: Run) -> str:
    return table(("pool", *BARE), [(TITLES[pool], *(absolute(run.cells, pool, load)
                                                    for load in BARE))
                                   for pool in with_bare_loads(run)])


def rate(cells: goals.Cells, pool: str, load: str) -> str:
    if (pool, load) not in cells.cells:
        return ""
    cell = cells(pool, load)
    return f"{cell.per_s:,.0f} ({cell.low:,.0f}-{cell.high:,.0f})"


def query_table(run: Run) -> str:
    measured = [load for load in QUERIES
                if any((pool, load) in run.cells.cells for pool in QUERIERS)]
    if not measured:
        return "Not measured.\n"
    head = ("load", *(f"over {TITLES[pool]}" for pool in QUERIERS[1:]),
            *(f"{TITLES[pool]}, cycles/s" for pool in QUERIERS))
    return table(head, [(load, *(ratio(run.cells, pool, load, 3) for pool in QUERIERS[1:]),
                         *(rate(run.cells, pool, load) for pool in QUERIERS)) for load in measured])


def notes(run: Run) -> str:
    lines = ["", "## How it was measured", ""]
    lines += [f"- {line}" for line in run.conditions]
    lines += [f"- Not measured: {line}" for line in run.missing]
    return "\n".join(lines) + "\n"


def render(run: Run) -> str:
    held = "\n".join(held_table(run, name) for name in HELD)
    return "\n".join((ABOUT, goal_table(run.cells) + WHERE + RATIOS, ratio_table(run) + HOLDS,
                      held + END_TO_END, query_table(run) + ABSOLUTE,
                      absolute_table(run) + notes(run)))

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts what `meson test` really ran: prints "passed failed skipped" and names on stderr
what failed or was skipped, with what it says of it.

A gtest or TAP program counts once per case, any other test once. A program that failed without
saying which case did (a crash, a timeout, a sanitizer report at exit) counts as one failure more,
so that a red run can never add up to zero failures.
"""
import json
import pathlib
import sys
import xml.etree.ElementTree as ET

REMARKS_MAX = 12

def short_name(name: str) -> str:
    """Meson shows "project:suite+suite / name", or "project:name" for a test without a suite."""
    return name.rsplit(" / ", 1)[-1].rsplit(":", 1)[-1]


def gtest_remarks(case: ET.Element, kind: str) -> list:
    """What GoogleTest says of a case; of a TAP case there is nothing here, see tap_remarks().
    The first line of each is where, which matters less than the name if it was skipped."""
    if case.get("status") == "notrun":
        return ["disabled by its name; --gtest_also_run_disabled_tests runs it"]
    first = 1 if kind == "skipped" else 0
    return [line for said in case.findall(kind) for line in (said.text or "").splitlines()[first:]]


def cases_by_test(junit: pathlib.Path) -> dict:
    """Maps a test's name to its (name, result, remarks) cases, from Meson's merged JUnit file."""
    cases: dict = {}
    for suite in ET.parse(junit).getroot().findall("testsuite"):
        # "weir.weir:<suites> / <test>[.<gtest suite>]"; plain tests share one suite named "weir".
        _, dot, rest = suite.get("name", "").partition(".")
        if not dot:
            continue
        test, _, group = short_name(rest).partition(".")
        for case in suite.findall("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                result = "failed"
            elif case.find("skipped") is not None or case.get("status") == "notrun":
                result = "skipped"
            else:
                result = "passed"
            name = ".".join(filter(None, [group, case.get("name", "?")]))
            remarks = gtest_remarks(case, "skipped" if result == "skipped" else "failure")
            cases.setdefault(test, []).append((name, result, remarks))
    return cases


def tap_remarks(output: str) -> dict:
    """Maps a TAP line's "number - name" to what follows it: its comments, or why it was skipped."""
    remarks: dict = {}
    title = ""
    for line in output.splitlines():
        if line.startswith(("ok ", "not ok ")):
            title, _, reason = line.split("ok ", 1)[1].partition(" # SKIP ")
            remarks[title] = [reason] if reason else []
        elif line.startswith("#") and title:
            remarks[title].append(line.lstrip("# "))
    return remarks


def report(result: str, name: str, remarks: list) -> None:
    print(f"{result}: {name}", file=sys.stderr)
    for line in remarks[:REMARKS_MAX]:
        print(f"    {line}", file=sys.stderr)
    if len(remarks) > REMARKS_MAX:
        print(f"    and {len(remarks) - REMARKS_MAX} lines more", file=sys.stderr)


def main() -> int:
    log = pathlib.Path(sys.argv[1]) / "meson-logs"
    tests = log / "testlog.json"
    if not tests.is_file():
        print("0 1 0")
        print("no test results were written", file=sys.stderr)
        return 1
    junit = log / "testlog.junit.xml"
    cases = cases_by_test(junit) if junit.is_file() else {}
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for line in tests.read_text().splitlines():
        run = json.loads(line)
        name = short_name(run["name"])
        output = run.get("stdout") or ""
        tap = tap_remarks(output)
        failed_cases = 0
        for case, result, remarks in cases.get(name, []):
            total[result] += 1
            failed_cases += result == "failed"
            if result != "passed":
                report(result, f"{name}: {case}", remarks or tap.get(case, []))
        if run["result"] not in ("OK", "EXPECTEDFAIL", "SKIP") and not failed_cases:
            total["failed"] += 1
            report("failed", f"{name}: {run['result'].lower()}", [])
        elif name not in cases:
            result = "skipped" if run["result"] == "SKIP" else "passed"
            total[result] += 1
            if result == "skipped":
                report(result, name, output.strip().splitlines()[-1:])
    print(total["passed"], total["failed"], total["skipped"])
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The page for Prometheus and the alert rules, as Prometheus' own tool sees them.

  promtool.py BUILD      a build directory with the examples and the plugins

Exit: 0 taken, 1 not, 77 no promtool (apt-get install prometheus)."""
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The name is OpenTelemetry's, and its exporters publish it like that.
ACCEPTED = {'db_client_connection_count non-histogram and non-summary metrics should not have '
            '"_count" suffix'}


def main() -> int:
    if shutil.which("promtool") is None:
        print("note: promtool is not installed: apt-get install prometheus")
        return 77
    build = pathlib.Path(sys.argv[1]).resolve()
    program = subprocess.run([build / "examples/example-metrics"], check=True, text=True,
                             stdout=subprocess.PIPE,
                             env={**os.environ, "WEIR_PLUGIN_PATH": str(build / "plugins")})
    page = subprocess.run(["promtool", "check", "metrics"], input=program.stdout, text=True,
                          stderr=subprocess.STDOUT, stdout=subprocess.PIPE, check=False)
    problems = set(page.stdout.splitlines()) - ACCEPTED
    lines = len(program.stdout.splitlines())
    print(f"the page, {lines} lines:", *(problems or {"taken"}), sep="\n  ")
    rules = subprocess.run(["promtool", "check", "rules", ROOT / "docs/metrics/alerts.yml"],
                           check=False)
    return 1 if problems or not program.stdout or rules.returncode else 0


if __name__ == "__main__":
    sys.exit(main())

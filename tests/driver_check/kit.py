# SPDX-License-Identifier: MIT
"""Runs `weir driver check` and says what it found."""
import argparse
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))


class Kit:
    def __init__(self, description: str) -> None:
        parser = argparse.ArgumentParser(description=description)
        for option in ("weir", "source", "offender", "template", "plugins"):
            parser.add_argument(f"--{option}", required=True,
                                type=lambda path: pathlib.Path(path).resolve())
        parser.add_argument("--network-offender", type=lambda path: pathlib.Path(path).resolve())
        parser.add_argument("--levels", default="")
        parser.add_argument("--with-server", default="")
        parser.add_argument("--server", default="")
        self.args = parser.parse_args()
        self.weir = self.args.weir
        self.quirks = self.args.source / "plugins" / "template" / "quirks.toml"

    def run(self, *args, offence: str = "", cwd=None) -> subprocess.CompletedProcess:
        env = dict(os.environ, WEIR_OFFENCE=offence)
        if offence:  # a rule that fails ends its process in mid-work, by design
            env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        return subprocess.run([str(self.weir), *map(str, args)], env=env, cwd=cwd or "/",
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, timeout=900)

    def check(self, driver, *args, offence: str = "", cwd=None) -> dict:
        """What it found, as JSON; {} with the reason on stderr if there is none."""
        done = self.run("driver", "check", driver, "--json", *args, offence=offence, cwd=cwd)
        try:
            return json.loads(done.stdout)
        except ValueError:
            print(f"# exit {done.returncode}: {done.stderr}", file=sys.stderr)
            return {}


NO_SERVER = 69  # with-server's, which says what is missing and how to get it


def way_to_server() -> list:
    """The options that lead to the server, which with-server tells."""
    env = os.environ
    return ["--dsn", env["WEIR_DEMO_DATABASE"], "--server", env["WEIR_DEMO_SERVER"],
            "--proxied-dsn", env["WEIR_DEMO_PROXIED"]]


def beside_server(main) -> int:
    """Runs this program beside the server that --with-server PROGRAM --server NAME ask for."""
    if "WEIR_DEMO_DATABASE" in os.environ:
        return main()
    words = sys.argv
    program, server = (words[words.index(o) + 1] for o in ("--with-server", "--server"))
    done = subprocess.run([program, server, sys.executable, *words], stderr=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode == NO_SERVER:
        print("1..0 # SKIP " + " ".join(done.stderr.split()))
        return 0
    print(done.stderr, file=sys.stderr, end="")
    return done.returncode


def broken(found: dict) -> dict:
    """The rules that did not pass, with what was seen."""
    return {r["id"]: f"{r['verdict']}: {r.get('text', '')}" for r in found.get("rules", [])
            if r["verdict"] not in ("passed", "skipped")}

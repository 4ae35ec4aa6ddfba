#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The command itself: parsing, help, configuration, what is made from the command table."""
import json
import re
import shutil
import subprocess
import sys

from harness import CONFIG, Expect, Weir, main


def commands(weir: Weir) -> list:
    return re.findall(r"^## weir (.+)$", weir("help", "--markdown").out, re.MULTILINE)


def version_and_help(weir: Weir, tap) -> None:
    Expect(weir("version")).code(0).out(r"^weir \d+\.\d+\.\d+ \(driver interface \d+\.\d+\)$").to(
        tap, "version says both versions")
    Expect(weir("--version")).code(0).out(r"^weir \d").to(tap, "--version is the same")
    Expect(weir("--json", "version")).code(0).json(lambda v: v["version"] and v["abi"]).to(
        tap, "version --json")
    Expect(weir()).code(64).no_out().err("usage:", "init", "doctor").to(
        tap, "without a command the help goes to stderr")
    Expect(weir("--help")).code(0).no_err().out("First steps", "Exit codes", "NO_COLOR").to(
        tap, "--help goes to stdout")
    Expect(weir("help", "options")).code(0).out("acquire_timeout", "max_lifetime").to(
        tap, "help options lists the keys of weir.toml")
    Expect(weir("config", "--help")).code(0).out("config check", "config show").to(
        tap, "help about a group")
    Expect(weir("help", "optoins")).code(64).err("did you mean 'options'").to(
        tap, "help about nothing suggests")
    known = commands(weir)
    tap.check("the table has the commands of the design",
              [c for c in ("init", "doctor", "config check", "config show", "config schema",
                           "driver list", "ping", "sql", "bench", "explain", "completion",
                           "version", "help") if c not in known])
    for command in known:
        Expect(weir(*command.split(), "--help")).code(0).no_err().out(
            rf"^usage: weir {command}", "Options of every command").to(tap, f"{command} --help")


def wrong_use(weir: Weir, tap) -> None:
    weir.write("weir.toml", CONFIG)
    for args, message in [
            (["sqll"], "unknown command 'sqll'; did you mean 'sql'"),
            (["config", "shw"], "unknown command 'config shw'; did you mean 'show'"),
            (["zzzzzz"], "unknown command 'zzzzzz'; see `weir --help`"),
            (["ping", "--cuont", "3"], "unknown option '--cuont'; did you mean '--count'"),
            (["--jsn", "version"], "unknown option '--jsn'; did you mean '--json'"),
            (["version", "now"], "'now' is one word too many"),
            (["sql", "main"], "SQL is missing"),
            (["-c"], "--config takes a value"),
            (["--color", "blue", "version"], "auto, always or never"),
            (["ping", "-n", "x"], "--count is 'x'"),
            (["ping", "-n", "0"], "from 1 to"),
            (["ping", "-i", "5"], 'needs a unit; write "5s"'),
            (["bench", "--threads", "-3"], "--threads is '-3'"),
            (["ping", "mian"], "has no pool 'mian'; did you mean 'main'"),
            (["doctor", "nothing-like-it"], "it has main"),
            (["completion", "tcsh"], "only for bash, zsh and fish"),
            (["explain", "W30"], "did you mean 'W301'"),
            (["sql", "ping", "version"], "has no pool 'ping'")]:
        Expect(weir(*args)).code(64).no_out().err(re.escape(message)).to(
            tap, f"weir {' '.join(args)}: {message}")
    Expect(weir("--json", "sqll")).code(64).json(
        lambda v: v["error"]["exit_code"] == 64 and "sql" in v["error"]["message"]).to(
            tap, "wrong use is JSON, too")
    Expect(weir("sqll", "-q")).code(64).no_out().no_err().to(tap, "-q leaves the exit code only")


def init(weir: Weir, tap) -> None:
    Expect(weir("init")).code(0).no_out().err("wrote weir.toml", "weir doctor").to(tap, "init")
    text = (weir.directory / "weir.toml").read_text()
    tap.check("the first line leads editors to the schema",
              [] if text.startswith("#:schema ./weir.schema.json\n") else text)
    Expect(weir("config", "check")).code(0).err("1 pool").to(tap, "what init writes is correct")
    Expect(weir("doctor")).code(0).out(r"config.*driver.*connect.*query.*reset").to(
        tap, "what init writes works")
    weir.write("weir.toml", "# mine\n")
    Expect(weir("init")).code(1).err("exists and was left alone; --force").to(
        tap, "init overwrites nothing")
    tap.check("the file is as it was",
              [] if (weir.directory / "weir.toml").read_text() == "# mine\n" else "changed")
    Expect(weir("--json", "init", "--force")).code(0).json(
        lambda v: v["config"] == "weir.toml").to(tap, "init --force")
    Expect(weir("-c", "nodir/app.toml", "init")).code(1).err("nodir/app.toml: No such file").to(
        tap, "init in a missing directory")


def config(weir: Weir, tap) -> None:
    Expect(weir("config", "check")).code(65).no_out().err("weir.toml does not exist", "weir init",
                                                          "W101").to(tap, "no configuration")
    Expect(weir("--json", "config", "check")).code(65).json(
        lambda v: v["error"]["code"] == "W101" and v["error"]["exit_code"] == 65).to(
            tap, "no configuration, as JSON")
    weir.write("weir.toml", CONFIG)
    Expect(weir("config", "check")).code(0).no_out().err("weir.toml: 1 pool").to(
        tap, "config check")
    Expect(weir("-q", "config", "check")).code(0).no_out().no_err().to(tap, "-q config check")
    Expect(weir("config", "check", "--json")).code(0).json(lambda v: v["pools"] == ["main"]).to(
        tap, "config check --json")
    for name, text, pattern in [
            ("syntax.toml", 'version = 1\n[pool.main\ndriver = "sqlite"\n', "W102"),
            ("key.toml", CONFIG + "maxx = 3\n", "did you mean"),
            ("unit.toml", CONFIG.replace('"5s"', "5"), "W104"),
            ("env.toml", CONFIG.replace('"app.db"', '{ env = "WEIR_NO_SUCH" }'), "WEIR_NO_SUCH"),
            ("option.toml", CONFIG + "[pool.main.options]\njurnal_mode = \"wal\"\n",
             "journal_mode")]:
        weir.write(name, text)
        Expect(weir("-c", name, "config", "check")).code(65).no_out().err(
            re.escape(pattern)).to(tap, f"config check {name}")
    weir.write("driver.toml", CONFIG.replace('"sqlite"', '"sqlitee"'))
    Expect(weir("-c", "driver.toml", "config", "check")).code(69).err("sqlitee", "W201").to(
        tap, "an unknown driver")
    Expect(weir("-c", "driver.toml", "config", "check", "--no-drivers")).code(0).to(
        tap, "--no-drivers asks no driver")

    Expect(weir("config", "schema")).code(0).json(lambda v: "properties" in v).to(
        tap, "config schema is JSON")
    shown = weir("config", "show")
    Expect(shown).code(0).out(r"max = 2 +# weir.toml:5", "# default").to(tap, "config show")
    weir.write("shown.toml", shown.out)
    Expect(weir("-c", "shown.toml", "config", "check")).code(0).to(
        tap, "what config show prints is a configuration")
    Expect(weir("config", "show", "--json")).code(0).json(
        lambda v: v["pool"]["main"]["max"] == 2 and v["pool"]["main"]["keepalive"] == "off"
        and v["pool"]["main"]["acquire_timeout"] == "5s").to(tap, "config show --json")
    weir.write("secret.toml", CONFIG.replace('"sqlite"', '"mock"').replace('"app.db"', '"mock:"')
               + '[pool.main.options]\npassword = "xyzzy-1942"\n')
    for extra in ([], ["--json"]):
        run = weir("-c", "secret.toml", "config", "show", *extra)
        problem = [] if "xyzzy" not in run.out + run.err and run.code == 0 else run.lines()
        tap.check(f"config show {' '.join(extra)} does not show a secret", problem)


def explain(weir: Weir, tap) -> None:
    for word in ("W301", "w301", "301", "acquire_timeout", "P2024"):
        Expect(weir("explain", word)).code(0).out("W301 acquire_timeout", "all_busy").to(
            tap, f"explain {word}")
    Expect(weir("explain")).code(0).out("^W101 ", "^W900 ").to(tap, "explain lists all codes")
    Expect(weir("explain", "--json")).code(0).json(lambda v: len(v["codes"]) > 30).to(
        tap, "explain --json")
    Expect(weir("explain", "W513", "--json")).code(0).json(
        lambda v: v["name"] == "resource" and v["advice"]).to(tap, "explain W513 --json")


def check_with(tap, name: str, command: list, text: str) -> None:
    if not shutil.which(command[0]):
        tap.skip(name, f"{command[0]} is not installed")
        return
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    tap.check(name, [] if done.returncode == 0 and not done.stderr.strip()
              else done.stdout + done.stderr)


def generated(weir: Weir, tap) -> None:
    check_with(tap, "bash takes the completion", ["bash", "-n"], weir("completion", "bash").out)
    check_with(tap, "zsh takes the completion", ["zsh", "-n"], weir("completion", "zsh").out)
    check_with(tap, "fish takes the completion", ["fish", "-n"], weir("completion", "fish").out)
    probe = (weir("completion", "bash").out
             + "COMP_WORDS=(weir -c x.toml config s); COMP_CWORD=4; _weir\n"
             + 'echo "${COMPREPLY[@]}"\n')
    done = subprocess.run(["bash", "-c", probe], capture_output=True, text=True, check=False)
    tap.check("bash completes the second word of a command",
              [] if done.stdout.split() == ["show", "schema"] else done.stdout + done.stderr)
    man = weir("help", "--man").out
    tap.check("the man page has every command",
              [c for c in commands(weir) if f".SS {c}" not in man])
    if shutil.which("mandoc"):
        check_with(tap, "mandoc takes the man page", ["mandoc", "-T", "lint", "-W", "error"], man)
    else:
        weir.write("weir.1", man)
        check_with(tap, "man takes the man page",
                   ["man", "--warnings", "-l", "--encoding=UTF-8",
                    str(weir.directory / "weir.1")], "")
    page = weir.source / "docs" / "cli.md"
    same = page.is_file() and page.read_text() == weir("help", "--markdown").out
    tap.check("docs/cli.md is what the table says",
              [] if same else "run: weir help --markdown > docs/cli.md")


def drivers(weir: Weir, tap) -> None:
    Expect(weir("driver", "list")).code(0).out(
        r"sqlite \d", r"path +/.*/weir_sqlite\.so", r"ABI +\d+\.\d+", "licence +MIT",
        r"capabilities +tx ", "journal_mode", "default wal").to(tap, "driver list")
    found = weir("driver", "list", "--json")
    Expect(found).code(0).json(
        lambda v: any(d["name"] == "sqlite" and d["usable"] and d["path"].endswith(".so")
                      and "tx" in d["capabilities"] and any(o["key"] == "busy_timeout"
                                                            and o["default"] for o in d["options"])
                      for d in v["drivers"])).to(tap, "driver list --json")
    weir.write("weir.toml", CONFIG + '[drivers]\nallow = ["nothing"]\n')
    Expect(weir("driver", "list")).code(69).out("refused", "W202").err("no usable driver").to(
        tap, "drivers that are not allowed are refused")
    weir.write("weir.toml", CONFIG.replace('"app.db"', '{ env = "WEIR_NO_SUCH" }'))
    Expect(weir("driver", "list")).code(0).err("has faults").out("sqlite").to(
        tap, "driver list works beside a configuration with faults")
    Expect(weir("-c", "weir.toml", "driver", "list")).code(65).to(
        tap, "a configuration that was asked for must be right")
    try:
        names = [d["name"] for d in json.loads(found.out)["drivers"]]
    except ValueError:
        names = []
    tap.check("each driver once", [] if len(names) == len(set(names)) else str(names))


if __name__ == "__main__":
    sys.exit(main([version_and_help, wrong_use, init, config, explain, generated, drivers]))

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
    Expect(weir("init", "--version")).code(0).no_err().out(r"^weir \d").to(
        tap, "--version behind a command is the same")
    tap.check("and the command is not run", [str(f) for f in weir.directory.iterdir()])
    Expect(weir("sql", "--version")).code(0).out(r"^weir \d").to(
        tap, "nor are its arguments missing")
    Expect(weir("sql", "--help", "--version")).code(0).out("^usage: weir sql").to(
        tap, "--help is about the command all the same")
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
                           "config diff", "driver list", "ping", "sql", "bench", "explain",
                           "completion", "version", "help", "metrics")
               if c not in known])
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
            (["config", "diff", "weir.toml"], "NEW is missing"),
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
    Expect(weir("doctor")).code(0).out(r"config.*driver.*connect.*query.*reset.*settings").to(
        tap, "what init writes works")
    weir.write("slow.toml", 'version = 1\n[pool.main]\ndriver = "sqlite"\nurl = "file:slow.db"\n'
               '[pool.main.options]\njournal_mode = "delete"\n')
    Expect(weir("-c", "slow.toml", "doctor")).code(0).out(
        "settings", "1 to look at", "warning: options.journal_mode: .* journal mode delete",
        'journal_mode = "wal"').to(tap, "doctor names a setting that will not do")
    Expect(weir("-c", "slow.toml", "doctor", "--json")).code(0).json(
        lambda v: v["pools"][0]["advice"][0]["key"] == "options.journal_mode").to(
            tap, "doctor --json has the advice")
    (weir.directory / "weir.toml").unlink()
    Expect(weir("init")).code(0).err("wrote weir.toml; weir.schema.json was there").to(
        tap, "init leaves a schema alone, and says so")
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
    weir.write("admin.toml", CONFIG + '[admin]\nsocket = "not/there/weir.sock"\n')
    Expect(weir("-c", "admin.toml", "config", "check")).code(0).to(
        tap, "config check leaves the socket to the program")
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
    weir.write("words.toml", CONFIG.replace("max = 2", 'max = "auto"')
               + '[drivers.sqlite]\nsha256 = "' + "0a" * 32 + '"\n')
    Expect(weir("-c", "words.toml", "config", "show", "--json")).code(0).json(
        lambda v: v["pool"]["main"]["max"] == "auto"
        and v["drivers"]["sqlite"] == {"sha256": "0a" * 32}).to(
            tap, "config show --json has the words and the pins")
    weir.write("secret.toml", CONFIG.replace('"sqlite"', '"mock"')
               .replace('"app.db"', '"mock://user:xyzzy@host"')
               + 'init_sql = ["SET key = \'xyzzy-1942\'"]\n'
               + '[pool.main.options]\npassword = "xyzzy-1942"\n')
    for extra in ([], ["--json"]):
        run = weir("-c", "secret.toml", "config", "show", *extra)
        problem = [] if "xyzzy" not in run.out + run.err and run.code == 0 else run.lines()
        tap.check(f"config show {' '.join(extra)} does not show a secret", problem)


SECRETS = CONFIG + """\
[pool.main.options]
journal_mode = "wal"
[pool.hidden]
driver = "mock"
url = "mock://user:xyzzy-1@host"
options = { password = "xyzzy-1" }
"""


def config_diff(weir: Weir, tap) -> None:
    weir.write("old.toml", SECRETS)
    weir.write("same.toml", SECRETS.replace('"5s"', '"5000ms"') + "max_waiting = 1024\n")
    weir.write("new.toml", SECRETS.replace("max = 2", 'max = 3\nlog = ["warn"]')
               .replace('"wal"', '"delete"\nbusy_timeout = "2s"').replace("xyzzy-1", "xyzzy-2")
               + '[drivers]\nallow = ["mock", "sqlite"]\n')
    Expect(weir("config", "diff", "old.toml", "same.toml")).code(0).no_out().err(
        "old.toml and same.toml: no difference").to(tap, "config diff of equal files")
    weir.write("pools.toml", SECRETS.replace("pool.hidden", "pool.other"))
    Expect(weir("config", "diff", "old.toml", "new.toml")).code(1).out_is("""\
[pool.hidden]
  url: "mock://user:***@host" -> the same, but for what is not shown   (generation)
  options.password: "***" -> the same, but for what is not shown   (generation)
[pool.main]
  max: 2 -> 3   (size)
  log: ["info", "warn", "error"] -> ["warn"]   (live)
  options.busy_timeout: not set -> "2s"   (generation)
  options.journal_mode: "wal" -> "delete"   (generation)
drivers.allow: [] -> ["mock", "sqlite"]   (restart)
""").err("^When main is reloaded, every connection is replaced", "^When hidden is",
         r"^\[drivers\] and \[admin\] are read").to(tap, "config diff of different files")
    Expect(weir("config", "diff", "old.toml", "pools.toml")).code(1).out_is(
        "[pool.hidden]: removed\n[pool.other]: added\n").err("^A reload is refused").to(
            tap, "config diff of other pools")
    Expect(weir("-q", "config", "diff", "old.toml", "new.toml", "--no-drivers")).code(1).out(
        r'options\.journal_mode: "\*\*\*" -> the same').no_err().to(
            tap, "without drivers nobody knows which options may be shown")
    run = weir("config", "diff", "old.toml", "new.toml", "--json")
    Expect(run).code(1).json(
        lambda v: not v["equal"] and v["reach"] == "restart" and v["pools_added"] == []
        and [c["key"] for c in v["changes"] if c["hidden"]] == ["url", "options.password"]
        and {"pool": "main", "key": "max", "before": "2", "after": "3", "hidden": False,
             "reach": "size"} in v["changes"]
        and v["changes"][-1]["pool"] is None).to(tap, "config diff --json")
    tap.check("config diff --json does not show a secret",
              run.lines() if "xyzzy" in run.out + run.err else [])
    Expect(weir("config", "diff", "old.toml", "same.toml", "--json")).code(0).json(
        lambda v: v["equal"] and v["reach"] is None and v["changes"] == []).to(
            tap, "config diff --json of equal files")


def config_diff_of_bad_files(weir: Weir, tap) -> None:
    weir.write("good.toml", CONFIG)
    weir.write("key.toml", CONFIG + "maxx = 3\n")
    weir.write("syntax.toml", CONFIG + "max\n")
    weir.write("option.toml", CONFIG + "[pool.main.options]\njurnal_mode = \"wal\"\n")
    weir.write("driver.toml", CONFIG.replace('"sqlite"', '"sqlitee"'))
    for old, new, code, messages in [
            ("key.toml", "good.toml", 65, ["key.toml:7:1", "W103"]),
            ("good.toml", "key.toml", 65, ["key.toml:7:1", "W103"]),
            ("syntax.toml", "key.toml", 65, ["syntax.toml:7", "key.toml:7:1", "W109"]),
            ("none.toml", "key.toml", 65, ["none.toml does not exist", "key.toml:7:1"]),
            ("option.toml", "good.toml", 65, ["option.toml.*journal_mode"]),
            ("good.toml", "driver.toml", 69, ["sqlitee", "W201"])]:
        Expect(weir("config", "diff", old, new)).code(code).no_out().err(*messages).to(
            tap, f"config diff {old} {new}")
    Expect(weir("config", "diff", "syntax.toml", "key.toml", "--json")).code(65).json(
        lambda v: v["error"]["code"] == "W109" and "syntax.toml" in v["error"]["message"]
        and "key.toml" in v["error"]["message"]).to(tap, "both files' faults are one JSON object")
    Expect(weir("config", "diff", "good.toml", "driver.toml", "--no-drivers")).code(1).out(
        r'driver: "sqlite" -> "sqlitee"   \(restart\)').err("nothing is applied").to(
            tap, "another driver is for the pools to be opened anew")
    (weir.directory / "sub").mkdir()
    weir.write("sub/good.toml", CONFIG)
    Expect(weir("config", "diff", "good.toml", "sub/good.toml")).code(0).no_out().err(
        "no difference", "means another file in each").to(
            tap, "relative paths of two directories are two files")
    for name in ("absolute.toml", "sub/absolute.toml"):
        weir.write(name, CONFIG.replace('"app.db"', '"/srv/app.db"'))
    run = weir("config", "diff", "absolute.toml", "sub/absolute.toml")
    tap.check("absolute paths are the same from everywhere",
              run.lines() if run.code != 0 or "another file in each" in run.err else [])


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
        tap.skip(name, f"{command[0]} is not installed (apt-get install {command[0]})")
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
    weir.write("one.toml", "")
    files = probe.replace("config s)", "config diff one)").replace("CWORD=4", "CWORD=5")
    done = subprocess.run(["bash", "-c", files], capture_output=True, text=True, check=False,
                          cwd=weir.directory)
    tap.check("bash completes files where a command takes them",
              [] if done.stdout.split() == ["one.toml"] else done.stdout + done.stderr)
    for command, option in (("config diff", "--no-drivers"), ("driver check", "--junit"),
                            ("sim run", "--twice")):
        if command not in commands(weir):
            continue
        words = f"weir {command} {option[:5]}".split()
        probe = (weir("completion", "bash").out
                 + f"COMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}; _weir\n"
                 + 'echo "${COMPREPLY[@]}"\n')
        done = subprocess.run(["bash", "-c", probe], capture_output=True, text=True, check=False)
        tap.check(f"bash completes the options of {command}",
                  [] if option in done.stdout.split() else done.stdout + done.stderr)
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


def metrics(weir: Weir, tap) -> None:
    table = weir("metrics").out
    Expect(weir("metrics", "list")).code(0).no_err().to(tap, "metrics is metrics list")
    Expect(weir("metrics", "--json")).code(0).json(
        lambda v: {"db.client.connection.count", "weir.acquire"} <=
        {m["name"] for m in v["metrics"]}).to(tap, "metrics --json")
    Expect(weir("metrics", "alert")).code(64).no_out().err("list, dashboard or alerts").to(
        tap, "metrics of nothing says what there is")
    tap.check("docs/metrics.md has the table of metrics",
              [] if table and table in (weir.source / "docs" / "metrics.md").read_text()
              else "put the output of `weir metrics` there")
    names = [m["prometheus"] for m in json.loads(weir("metrics", "--json").out)["metrics"]]
    for what, file in (("dashboard", "dashboard.json"), ("alerts", "alerts.yml")):
        text = weir("metrics", what).out
        page = weir.source / "docs" / "metrics" / file
        tap.check(f"docs/metrics/{file} is what the table says",
                  [] if page.is_file() and page.read_text() == text
                  else f"run: weir metrics {what} > docs/metrics/{file}")
        used = set(re.findall(r"\b(?:weir|db_client)_\w+", text))
        used -= {"db_client_connection_pool_name", "db_client_connection_state"}
        tap.check(f"{what} uses metrics that there are",
                  sorted(n for n in used if n.removesuffix("_bucket") not in names))
    rules = weir("metrics", "alerts", "--json").json()["groups"][0]["rules"]
    text = weir("metrics", "alerts").out
    tap.check("alerts as JSON are the same",
              [r["alert"] for r in rules if f"expr: {r['expr']}\n" not in text]
              + [name for name in re.findall(r"alert: (\w+)", text)
                 if name not in [r["alert"] for r in rules]])
    panels = json.loads(weir("metrics", "dashboard").out)["panels"]
    tap.check("the dashboard has a panel for each metric",
              [] if len(panels) == len(names) - 1 else f"{len(panels)} for {len(names)}")
    legends = {t["legendFormat"].split()[-1] for p in panels for t in p["targets"]
               if "histogram_quantile(0.5," in t["expr"]}
    tap.check("the median is called so", [] if legends == {"p50"} else sorted(legends))
    places = {(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels}
    tap.check("no two panels lie upon each other",
              [] if len(places) == len(panels) else f"{len(places)} places")


SCENARIO = """\
format = 1
duration = "2s"
[pool]
max = 2
[server]
statement = "exp(2ms)"
[[client]]
number = 1
count = 4
every = "exp(5ms)"
sql = ["SELECT 1"]
[[fault]]
what = "restart"
at = "1s"
for = "200ms"
"""


def simulator(weir: Weir, tap) -> None:
    if "sim run" not in commands(weir):
        tap.check("this build has no simulator", [])
        return
    weir.write("outage.toml", SCENARIO)
    runs = [weir("sim", "run", "outage.toml", "--json", *extra)
            for extra in ([], [], ["--engine", "threads"])]
    for run in runs:
        Expect(run).code(0).no_err().json(lambda v: v["trace_hash"].startswith("0x")).to(
            tap, "sim run --json names its trace")
    hashes = {run.json()["trace_hash"] for run in runs}
    tap.check("one scenario has one trace, in every process and on every engine",
              [] if len(hashes) == 1 else str(hashes))
    Expect(weir("sim", "run", "outage.toml", "--twice", "--html", "r.html", "--trace", "t.json")
           ).code(0).out("ok", "p99.9", "sessions  at most 2").to(tap, "sim run")
    tap.check("and writes its reports",
              [n for n in ("r.html", "t.json") if not (weir.directory / n).stat().st_size])
    json.loads((weir.directory / "t.json").read_text())
    Expect(weir("sim", "replay", "outage.toml")).code(0).err("names no trace to compare with").to(
        tap, "sim replay claims no more than it knows")
    weir.write("known.toml", SCENARIO + f'[expect]\ntrace_hash = "{hashes.pop()}"\n')
    Expect(weir("sim", "replay", "known.toml")).code(0).err("replayed exactly").to(
        tap, "sim replay of a known trace")
    weir.write("other.toml", SCENARIO + '[expect]\ntrace_hash = "0x1"\n')
    Expect(weir("sim", "replay", "other.toml")).code(0).err("stale, but it ends as expected").to(
        tap, "sim replay of another build's trace")
    weir.write("mended.toml", SCENARIO + '[expect]\nproperty = "S13"\n')
    Expect(weir("sim", "replay", "mended.toml")).code(0).err("expects S13 to break").to(
        tap, "sim replay of what is mended")
    Expect(weir("sim", "minimize", "outage.toml")).code(1).no_out().err("nothing fails").to(
        tap, "sim minimize of what holds")
    Expect(weir("sim", "minimize", "outage.toml", "--json")).code(1).json(
        lambda v: v["ok"]).to(tap, "sim minimize --json of what holds")
    Expect(weir("sim", "explore", "--runs", "20", "--json")).code(0).json(
        lambda v: v["ok"] and v["runs"] == 20 and not v["found"]).to(tap, "sim explore")
    weir.write("no-folder", "")
    Expect(weir("sim", "explore", "--runs", "1", "--out", "no-folder")).code(64).no_out().err(
        "--out no-folder is no directory").to(tap, "sim explore that could not write a case")
    weir.write("long.toml", SCENARIO.replace(
        '"2s"', '"8000h"\nsteps_max = 1000000000000'))
    for verb in ("run", "replay", "minimize"):
        Expect(weir.interrupted("sim", verb, "long.toml")).code(130).no_out().err(
            "interrupted after [1-9].* of virtual time").to(
                tap, f"SIGINT ends sim {verb}, in a run")
    weir.write("wall.toml", 'format = 1\nclock = "wall"\n[pool]\ndriver = "mine"\nurl = "mine:x"\n')
    weir.write("nowhere.toml", 'format = 1\nplugin = "nowhere.so"\n[pool]\ndriver = "mine"\n'
               'url = "mine:x"\n')
    for args in (["run", "wall.toml"], ["run", "nowhere.toml"], ["replay", "nowhere.toml"],
                 ["minimize", "nowhere.toml"], ["size", "nowhere.toml", "--slo", "p99 wait < 1s"]):
        Expect(weir("sim", *args)).code(69).no_out().err(
            'driver "mine"(: .*nowhere.so: no such file| was not found)').to(
                tap, f"sim {' '.join(args)}, with a driver that is nowhere")
    weir.write("endless.toml", 'format = 1\n[[client]]\nsql = ["SELECT 1"]\n')
    Expect(weir("sim", "run", "endless.toml")).code(65).no_out().err("client 1 never ends").to(
        tap, "sim run of clients whose rounds take no time")
    weir.write("auto.toml", CONFIG.replace("max = 2", 'max = "auto"'))
    Expect(weir("-c", "auto.toml", "sim", "explore", "--runs", "1")).code(65).no_out().err(
        "a number for `max`").to(tap, "sim explore of a pool whose size is the server's to say")
    for args in (["run", "--twice"], ["replay"], ["minimize"]):
        Expect(weir("sim", args[0], "wall.toml", *args[1:])).code(65).no_out().err(
            'wall.toml: clock = "wall"', "weir sim run").to(
                tap, f"sim {' '.join(args)} by the wall clock")
    weir.write("bad.toml", SCENARIO.replace("restart", "restrat"))
    Expect(weir("sim", "run", "bad.toml")).code(65).no_out().err('did you mean "restart"').to(
        tap, "sim run of a bad scenario")
    Expect(weir("sim", "run", "none.toml")).code(65).no_out().err("does not exist").to(
        tap, "sim run of no scenario")
    for args in (["--seed", "x"], ["--engine", "steam"]):
        Expect(weir("sim", "run", "outage.toml", *args)).code(64).no_out().err(args[0]).to(
            tap, f"sim run {' '.join(args)}")
    studies(weir, tap)


QUEUE = """format = 1
duration = "2s"
[[client]]
count = 50
loop = "open"
every = "exp(5ms)"
hold = "exp(10ms)"
"""


def studies(weir: Weir, tap) -> None:
    weir.write("queue.toml", QUEUE)
    few = ["--runs", "2"]
    Expect(weir("sim", "size", "queue.toml", "--slo", "p99 wait < 10s", "--html", "size.html",
                *few)).code(0).out("keeps p99 wait < 10s", "limit: ").to(tap, "sim size")
    Expect(weir("sim", "size", "queue.toml", "--slo", "p99 round < 1ms", "--json", *few)).code(
        1).json(lambda v: v["max"] is None and v["limit"] == "database").to(
            tap, "sim size, of what no size keeps")
    Expect(weir("sim", "sweep", "queue.toml", "--set", "pool.max=3,4", "--set", "seed=1,2",
                "--html", "sweep.html", *few)).code(0).out("pool.max", "M/M/c").to(tap, "sim sweep")
    Expect(weir("sim", "compare", "queue.toml", "queue.toml", *few)).code(0).out(
        "the same in each run").to(tap, "sim compare of the same")
    Expect(weir("sim", "compare", "queue.toml", "--with", "pool.max=1", "--json", "--html",
                "compare.html", *few)).code(0).json(lambda v: v["same_work"] and v["rows"]).to(
                    tap, "sim compare --with")
    for page, says in (("sweep", "a sweep"), ("size", "keeps p99 wait &lt; 10s"),
                       ("compare", "B is queue with pool.max=1")):
        text = (weir.directory / f"{page}.html").read_text()
        tap.check(f"and sim {page} writes its page",
                  [] if says in text and "</html>" in text else f"no '{says}'")
    Expect(weir("sim", "compare", "queue.toml", "--with", "seed=1", "--html", "no/such/a.html",
                *few)).code(1).no_out().err("no/such/a.html").to(
                    tap, "a page that cannot be written")
    for args, says in ((["size"], "--slo is missing"),
                       (["size", "--slo", "wait"], "write one like"),
                       (["sweep"], "--set is missing"),
                       (["sweep", "--set", "max"], "write it like"),
                       (["compare"], "one of the two"),
                       (["compare", "--with", "x"], "write it like")):
        Expect(weir("sim", args[0], "queue.toml", *args[1:])).code(64).no_out().err(says).to(
            tap, f"sim {' '.join(args)}")
    Expect(weir("sim", "sweep", "queue.toml", "--set", "pool.mx=1")).code(65).no_out().err(
        "pool.mx=1", "max").to(tap, "sim sweep over a key that does not exist")
    for args in (["size", "--slo", "p99 wait < 1s"], ["sweep", "--set", "seed=1"]):
        Expect(weir("sim", args[0], "wall.toml", *args[1:])).code(65).no_out().err(
            'clock = "wall"').to(tap, f"sim {args[0]} by the wall clock")
        Expect(weir.interrupted("sim", args[0], "long.toml", *args[1:])).code(130).no_out().err(
            "interrupted").to(tap, f"SIGINT ends sim {args[0]}")


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
        # The install test leaves a second set in the directory that was compiled in.
        names = [d["name"] for d in json.loads(found.out)["drivers"] if "shadowed_by" not in d]
    except ValueError:
        names = []
    tap.check("each driver once", [] if len(names) == len(set(names)) else str(names))


if __name__ == "__main__":
    sys.exit(main([version_and_help, wrong_use, init, config, config_diff, config_diff_of_bad_files,
                   explain, generated, metrics, simulator, drivers]))

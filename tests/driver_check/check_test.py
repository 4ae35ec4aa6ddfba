#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""weir driver check: our drivers pass, files that are wrong do not, and its reports can be read."""
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

import databases
from kit import Kit, broken
from offences import NETWORK_OFFENCES, OFFENCES, rule_of
from tap import Tap  # noqa: E402  (kit sets the path)

# Level 0 is about files; what is wrong with them is made here or by the linker.
FILES = {
    "offender_symbols": "L0.file.symbols", "offender_stack": "L0.file.stack",
    "offender_relro": "L0.file.relro", "offender_runpath": "L0.file.runpath",
    "offender_tls": "L0.file.static_tls", "offender_text": "L0.file.text_relocations",
}
MANIFEST = """\
manifest = 1
[driver]
name = "template"
version = "{version}"
{more}
[driver.library]
linux-x86_64-gnu = "offender.so"
linux-aarch64-gnu = "offender.so"
"""
ZEROS = "0" * 64
SHA256 = f"""\
[driver.sha256]
linux-x86_64-gnu = "{ZEROS}"
linux-aarch64-gnu = "{ZEROS}"
"""
MADE_HERE = {"L0.file.elf", "L0.file.trust", "L0.manifest.reads", "L0.manifest.sha256",
             "L1.manifest.truth", "L3.session.refused", *FILES.values()}


def our_drivers_pass(kit: Kit, tap: Tap) -> None:
    page = (kit.args.source / "docs" / "databases.md").read_text()
    for driver in (kit.args.plugins / "weir_sqlite.so", kit.args.plugins / "weir_mock.so"):
        if not driver.exists():
            tap.skip(f"{driver.name} keeps every rule", "it was not built: configure with "
                     "-Dplugins=enabled -Dsqlite=enabled, which says what is missing")
            continue
        found = kit.check(driver, "--level", 5)
        tap.check(f"{driver.name} keeps every rule",
                  [f"{k}: {v}" for k, v in broken(found).items()] or
                  ([] if found.get("ok") else "no verdict"))
        tap.check(f"docs/databases.md says of {driver.name} what was found",
                  databases.differences(page, found))
    found = kit.check(kit.args.template, "--level", 5)
    # The tests link it without -z now; a copied project has it.
    seen = {k: v for k, v in broken(found).items() if k != "L0.file.relro"}
    tap.check("the template keeps every rule", [f"{k}: {v}" for k, v in seen.items()] or
              ([] if found.get("ok") else "no verdict"))
    found = kit.check(kit.args.offender, "--level", 5, "--quirks", kit.quirks)
    tap.check("the offender without an offence keeps every rule",
              [f"{k}: {v}" for k, v in broken(found).items()])
    for less in ("less_reset", "less_of_all", "less_rows", "less_info"):
        found = kit.check(kit.args.offender, "--level", 3, "--quirks", kit.quirks, offence=less)
        tap.check(f"a driver that offers {less} keeps every rule that is put to it",
                  [f"{k}: {v}" for k, v in broken(found).items()] or
                  ([] if found.get("ok") else "no verdict"))


def wrong_files_are_caught(kit: Kit, tap: Tap) -> None:
    def only(rule: str, found: dict) -> list:
        seen = broken(found)
        return [] if set(seen) == {rule} else [f"{k}: {v}" for k, v in seen.items()] or "nothing"

    def right(found: dict) -> list:
        return [f"{k}: {v}" for k, v in broken(found).items()] or (
            [] if found.get("ok") else ["no verdict"])

    for name, rule in FILES.items():
        found = kit.check(kit.args.offender.with_name(f"{name}.so"), "--level", 0)
        tap.check(f"{name} is caught by {rule}", only(rule, found))
    with tempfile.TemporaryDirectory(prefix="weir-check-") as directory:
        library = pathlib.Path(directory) / "offender.so"
        whole = kit.args.offender.read_bytes()
        library.write_bytes(whole[:len(whole) // 2])
        tap.check("a truncated library is caught by L0.file.elf",
                  only("L0.file.elf", kit.check(library, "--level", 1)))
        shutil.copyfile(kit.args.offender, library)
        library.chmod(0o666)
        tap.check("a library that others can write is caught by L0.file.trust",
                  only("L0.file.trust", kit.check(library, "--level", 0)))
        library.chmod(0o755)
        manifest = pathlib.Path(directory) / "template.toml"
        for rule, version, more, tail in (
                ("L0.manifest.reads", "0.1.0", "licence = \"MIT\"", ""),
                ("L0.manifest.reads", "0.1.0", "", "[driver.damaged"),
                ("L0.manifest.sha256", "0.1.0", "", SHA256),
                ("L1.manifest.truth", "9.9.9", "", "")):
            manifest.write_text(MANIFEST.format(version=version, more=more) + tail)
            tap.check(f"a wrong manifest is caught by {rule}",
                      only(rule, kit.check(library, "--level", 1)))
        manifest.unlink()
        digest = hashlib.sha256(library.read_bytes()).hexdigest().upper()
        other = manifest.with_name("manifest-0.1.0.toml")
        other.write_text(MANIFEST.format(version="0.1.0", more="") +
                         SHA256.replace(ZEROS, digest))
        manifest.symlink_to(other.name)
        config = pathlib.Path(directory) / "weir.toml"
        for drivers in (f'template = {{ path = "{other}" }}', f'search = ["{directory}"]'):
            config.write_text(f"version = 1\n[drivers]\n{drivers}\n"
                              "[pool.main]\ndriver = \"template\"\nurl = \"template:check\"\n")
            tap.check(f"a manifest that pools load by {drivers.split()[0]} keeps every rule",
                      right(kit.check("template", "--config", config, "--level", 1)))
        tap.check("a manifest that is given as a file may have any name",
                  right(kit.check(other, "--level", 1)))
        manifest.unlink()
        other.unlink()
        quirks = pathlib.Path(directory) / "quirks.toml"
        quirks.write_text(kit.quirks.read_text().replace("sleep 2000000000", "slip 2000000000"))
        found = kit.check(kit.args.offender, "--level", 4, "--quirks", quirks, "--include",
                          "L4.cancel.running")
        verdicts = {r["id"]: r["verdict"] for r in found.get("rules", [])}
        tap.check("a statement that ends before it is cancelled is told as that, not as a hang",
                  [] if verdicts.get("L4.cancel.running") == "failed" else str(verdicts))
        quirks.write_text(kit.quirks.read_text() + "\n[refused]\nauth = \"template:check\"\n")
        tap.check("who lets in what must be refused is caught by L3.session.refused",
                  only("L3.session.refused",
                       kit.check(kit.args.offender, "--level", 3, "--quirks", quirks,
                                 "--include", "L3.session.refused")))


def reports(kit: Kit, tap: Tap) -> None:
    with tempfile.TemporaryDirectory(prefix="weir-check-") as directory:
        xml_file = pathlib.Path(directory) / "found.xml"
        done = kit.run("driver", "check", kit.args.offender, "--quirks", kit.quirks, "--include",
                       "L3.rows", "--junit", xml_file, offence="rows_lost")
        tap.check("a broken MUST is exit status 1", [] if done.returncode == 1 else done.stderr)
        words = ("L3.rows.complete", "D35", "expected 1000", "capability", "level 3", "1 broken")
        tap.check("the report says what was seen and what was expected",
                  [w for w in words if w not in done.stdout])
        root = xml.etree.ElementTree.parse(xml_file).getroot()
        failures = [c.get("name") for c in root.iter("testcase") if c.find("failure") is not None]
        tap.check("and so does the file for build servers",
                  [] if failures == ["L3.rows.complete"] else str(failures))
        done = kit.run("driver", "check", kit.args.offender, "--quirks", kit.quirks, "--include",
                       "L1.load.signals", offence="load_realtime_signal")
        tap.check("a signal without a name is reported by its number",
                  [] if "(real-time) is handled now" in done.stdout else done.stdout)
        bad = pathlib.Path(directory) / "bad.toml"
        for table, key, meant in (("sql", "select_on", "select_one"), ("echo", "int46", "int64")):
            bad.write_text(f"quirks = 1\n[{table}]\n{key} = \"x\"\n")
            done = kit.run("driver", "check", kit.args.offender, "--quirks", bad)
            tap.check(f"a mistake in [{table}] of a quirks file is named, with its line",
                      [] if done.returncode == 65 and "bad.toml:3" in done.stderr
                      and meant in done.stderr else done.stderr)
    for file in sorted((kit.args.source / "cli" / "check" / "quirks").glob("*.toml")):
        done = kit.run("driver", "check", kit.args.offender, "--level", 0, "--quirks", file)
        tap.check(f"the built-in quirks {file.name} can be read",
                  [] if done.returncode == 0 else done.stderr)
    for include, words in (("L4.cancel", "--level 4"), ("L3.rwos", "--list")):
        done = kit.run("driver", "check", kit.args.offender, "--quirks", kit.quirks,
                       "--include", include)
        tap.check(f"--include {include} with no rule to put is wrong use",
                  [] if done.returncode == 64 and words in done.stderr
                  else f"exit {done.returncode}: {done.stderr}")
    address = ("--server", "127.0.0.1:5432")
    dsn = ("--proxied-dsn", "postgresql://127.0.0.1:{port}/")
    for wrong, words in ((address, "give both"), (dsn, "give both"),
                         (("--server", "localhost:5432", *dsn), "IPv4"),
                         (("--server", "127.0.0.1:0", *dsn), "IPv4"),
                         (("--server", "/" + "x" * 200, *dsn), "socket"),
                         ((*address, "--proxied-dsn", "postgresql://127.0.0.1:5432/"), "{port}")):
        done = kit.run("driver", "check", kit.args.offender, "--level", 0, *wrong)
        tap.check(f"{' '.join(wrong)[:60]} is wrong use, and the message says why",
                  [] if done.returncode == 64 and words in done.stderr
                  else f"exit {done.returncode}: {done.stderr}")
    done = kit.run("driver", "check", "no-such-driver")
    tap.check("a driver that is nowhere is exit status 69, with the places",
              [] if done.returncode == 69 and "Looked in" in done.stderr else done.stderr)
    done = kit.run("driver", "check")
    tap.check("a missing DRIVER is wrong use", [] if done.returncode == 64 else done.stderr)
    done = kit.run("--driver-check-child")
    tap.check("the child's own word is of no use to people",
              [] if done.returncode == 64 and "weir driver check" in done.stderr else done.stderr)


def careless_parent(kit: Kit, tap: Tap) -> None:
    done = subprocess.run(
        [str(kit.weir), "driver", "check", str(kit.args.offender), "--level", "0", "--include",
         "L0.file.elf"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=60, preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    tap.check("a parent that ignores SIGCHLD makes no difference",
              [] if done.returncode == 0 else f"exit {done.returncode}: {done.stdout}{done.stderr}")


def interrupted(kit: Kit, tap: Tap) -> None:
    process = subprocess.Popen(
        [str(kit.weir), "driver", "check", str(kit.args.offender), "--include", "L1.load.opens"],
        env=dict(os.environ, WEIR_OFFENCE="load_hangs"), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(2)  # the driver hangs already when it is asked for its name
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    tap.check("an interrupt is said, and is the fault of no rule",
              [] if process.returncode == 130 and "interrupted" in out and "hung" not in out
              else f"exit {process.returncode}: {out}{err}")


def rules_are_covered(kit: Kit, tap: Tap) -> None:
    done = kit.run("driver", "check", "--list")
    page = (kit.args.source / "docs" / "driver-check.md").read_text()
    tap.check("docs/driver-check.md lists the rules as they are",
              [] if done.stdout and done.stdout in page
              else "put the output of `weir driver check --list` there")
    ids = {line.split("`")[1] for line in done.stdout.splitlines() if line.startswith("| `L")}
    caught = {rule_of(o) for o in [*OFFENCES, *NETWORK_OFFENCES]} | MADE_HERE
    tap.check("each rule has an offence that it catches", sorted(ids - caught))
    tap.check("each offence is against a rule that there is", sorted(caught - ids))
    guide = (kit.args.source / "docs" / "driver-author-guide.md").read_text()
    numbers = {line.split("|")[3].strip() for line in done.stdout.splitlines()
               if line.startswith("| `L")}
    tap.check("each rule names a requirement of the author guide",
              sorted(n for n in numbers if f"**{n}. " not in guide))


def main() -> int:
    kit = Kit(__doc__)
    tap = Tap()
    for test in (our_drivers_pass, wrong_files_are_caught, reports, careless_parent, interrupted,
                 rules_are_covered):
        test(kit, tap)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())

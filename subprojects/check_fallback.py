#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds and tests Weir against the wraps in this folder, as far as their sources can be had.

Each wrap names an archive and its SHA-256. An archive is looked for in subprojects/packagecache;
for the wraps whose archive Debian ships byte for byte, it is taken from the Debian mirror that apt
is set up with. One that cannot be had is named with its hash and not tested. tl-expected is one
header: where its archive is missing, at least our overlay is tried, around the header that is
installed.

Nothing is unpacked into the source tree: the build runs in a copy under build/fallback.
Exit status: 0 passed, 1 failed, 77 no archive could be had.
"""
import configparser
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "build" / "fallback"
COPY = WORK / "src"
CACHE = COPY / "subprojects" / "packagecache"
JOBS = os.environ.get("WEIR_JOBS") or str(os.cpu_count() or 2)

# wrap -> a binary package from the same Debian source, and the name of that source's archive.
DEBIAN_TWINS = {
    "gtest": ("libgtest-dev", "googletest_{version}.orig.tar.gz"),
    "google-benchmark": ("libbenchmark-dev", "benchmark_{version}.orig.tar.gz"),
}


def note(text: str) -> None:
    print(f"note: {text}", flush=True)


def read_wraps() -> dict:
    wraps = {}
    for path in sorted((ROOT / "subprojects").glob("*.wrap")):
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(path)
        wraps[path.stem] = parser["wrap-file"]
    return wraps


def sha256(path: pathlib.Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fetch_from_debian(package: str, archive: str, target: pathlib.Path) -> str:
    """Downloads the source archive that lies beside a binary package; returns what went wrong."""
    uris = subprocess.run(["apt-get", "--print-uris", "download", package], cwd=WORK,
                          capture_output=True, text=True, check=False).stdout.split()
    if not uris:
        return f"apt knows no source for {package}"
    # 'http://mirror/pool/main/g/googletest/libgtest-dev_1.12.1-0.2_amd64.deb' name size hash
    binary = uris[0].strip("'")
    version = binary.rsplit("/", 1)[1].split("_")[1].rsplit("-", 1)[0]
    url = binary.rsplit("/", 1)[0] + "/" + archive.format(version=version)
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            target.write_bytes(answer.read())
    except OSError as error:
        return f"{url}: {error}"
    return ""


def obtain(name: str, wrap) -> bool:
    """Puts the archive of a wrap into the copy's cache, if bytes with its hash can be had."""
    target = CACHE / wrap["source_filename"]
    local = ROOT / "subprojects" / "packagecache" / wrap["source_filename"]
    reason = "not in subprojects/packagecache"
    if local.is_file():
        shutil.copyfile(local, target)
    elif name in DEBIAN_TWINS and shutil.which("apt-get"):
        reason = fetch_from_debian(*DEBIAN_TWINS[name], target)
    if target.is_file():
        found = sha256(target)
        if found == wrap["source_hash"]:
            note(f"{name}: {wrap['source_filename']} has the hash of the wrap")
            return True
        target.unlink()
        reason = f"an archive with another hash, {found}"
    note(f"{name}: not tested; {wrap['source_filename']} (sha256 {wrap['source_hash']}): {reason}")
    return False


def stand_in_expected(wrap) -> bool:
    """Packs the installed header as if it were the archive, to try our overlay at least."""
    header = pathlib.Path("/usr/include/tl/expected.hpp")
    if not header.is_file():
        return False
    archive = CACHE / wrap["source_filename"]
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(header, f"{wrap['directory']}/include/tl/expected.hpp")
    path = COPY / "subprojects" / "tl-expected.wrap"
    path.write_text(path.read_text().replace(wrap["source_hash"], sha256(archive)))
    note(f"tl-expected: overlay tried around {header}")
    return True


def run(*command: str) -> None:
    print("+", *command, flush=True)
    subprocess.run(command, check=True)


def main() -> int:
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)

    def skip(folder: str, names: list) -> list:
        if pathlib.Path(folder) == ROOT:
            return [n for n in names if n in (".git", "build")]
        if pathlib.Path(folder) == ROOT / "subprojects":
            return [n for n in names if n != "packagefiles" and (ROOT / "subprojects" / n).is_dir()]
        return []

    shutil.copytree(ROOT, COPY, ignore=skip, symlinks=True)
    CACHE.mkdir()
    wraps = read_wraps()
    forced = [name for name, wrap in wraps.items() if obtain(name, wrap)]
    if "tl-expected" not in forced and stand_in_expected(wraps["tl-expected"]):
        forced.append("tl-expected")
    if not forced:
        return 77

    build = str(WORK / "build")
    run("meson", "setup", build, str(COPY), "--buildtype=debug", "-Dwerror=true", "-Dtests=enabled",
        "-Dbench=enabled", "--wrap-mode=nodownload", "--force-fallback-for=" + ",".join(forced))
    subprojects = subprocess.run(["meson", "introspect", "--projectinfo", build],
                                 capture_output=True, text=True, check=True).stdout
    missing = [name for name in forced if f'"{name}"' not in subprojects]
    if missing:
        print(f"forced, but the build took another: {', '.join(missing)}")
        return 1
    run("ninja", "-j", JOBS, "-C", build)
    run("meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs", "--num-processes", JOBS,
        "--suite", "unit")
    note("built and unit-tested with fallbacks: " + ", ".join(forced))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        print(error)
        sys.exit(1)

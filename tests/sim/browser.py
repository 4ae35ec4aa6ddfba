#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The HTML reports of the simulator, as a browser shows them: without an error of its console, in
light and in dark, with nothing that sticks out of a wide page or a narrow one, every chart drawn,
and the button at work. What is in them the tests of sim/report and sim/study say.

  browser.py BUILD      a build directory with the command

Exit: 0 well, 1 not, 77 no browser (apt-get install chromium)."""
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
REPORTS = {
    "run": ["sim", "run", "examples/storm/storm.toml"],
    "sweep": ["sim", "sweep", "examples/sizing/orders.toml", "--set", "pool.max=5..7"],
    "size": ["sim", "size", "examples/sizing/orders.toml", "--slo",
             "p99 wait < 20ms, errors < 0.1%"],
    "compare": ["sim", "compare", "examples/sizing/orders.toml", "--with", "pool.max=6"],
}
WIDTHS = (1200, 480)
HEIGHT = 2400
COLORS_MIN = 24  # of a page with text and curves, edges smoothed; an empty one has two or three
# Put at the end of a copy of the page. What it finds is read from the printed document.
LOOK = """<script>
const found = [];
const sticks_out = document.documentElement.scrollWidth - innerWidth;
if (sticks_out > 0) found.push(`${sticks_out} px stick out`);
const charts = document.querySelectorAll('svg');
if (charts.length == 0) found.push('no chart');
for (const svg of charts) {
  if (!svg.querySelector(':scope > :not(defs)')) continue;  // patterns that others use
  const frame = svg.getBoundingClientRect();
  if (frame.width < 100 || frame.height < 50)
    found.push(`a chart of ${frame.width} x ${frame.height}`);
  for (const text of svg.querySelectorAll('text')) {
    const box = text.getBoundingClientRect();
    if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 ||
        box.bottom > frame.bottom + 1) found.push(`"${text.textContent}" is outside of its chart`);
  }
  for (const path of svg.querySelectorAll('path[d]:not(defs path)')) {
    if (path.getAttribute('d').includes('NaN')) found.push('a path with NaN');
    const box = path.getBBox();
    if (box.width == 0 && box.height == 0) found.push(`an empty path ${path.className.baseVal}`);
  }
}
const before = getComputedStyle(document.body).backgroundColor;
document.getElementById('theme').click();
if (getComputedStyle(document.body).backgroundColor == before)
  found.push('the button does nothing');
document.body.dataset.found = found.join('; ');
document.body.dataset.looked = 'yes';
</script>"""


def pixels(png: bytes) -> tuple:
    """Returns: how many colours a picture has, and the one of its first point."""
    at, data, width, channels = 8, b"", 0, 0
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        body = png[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, _, depth, color, *_ = struct.unpack(">IIBBBBB", body)
            assert depth == 8 and color in (2, 6), "a picture of another kind"
            channels = 3 if color == 2 else 4
        elif kind == b"IDAT":
            data += body
        at += 12 + size
    raw, stride = zlib.decompress(data), width * channels
    above, colors, first = bytearray(stride), set(), None
    for row in range(len(raw) // (stride + 1)):
        start = row * (stride + 1)
        line = unfiltered(raw[start], bytearray(raw[start + 1:start + 1 + stride]), above, channels)
        if row % 4 == 0:  # enough to tell
            colors.update(bytes(line[i:i + 3]) for i in range(0, stride, channels))
        first = first or bytes(line[:3])
        above = line
    return len(colors), first


def unfiltered(kind: int, line: bytearray, above: bytearray, channels: int) -> bytearray:
    """PNG, second edition, section 9: filtering."""
    if kind == 0:
        return line
    for i, byte in enumerate(line):
        left = line[i - channels] if i >= channels else 0
        corner = above[i - channels] if i >= channels else 0
        up = above[i]
        if kind == 4:
            guess = left + up - corner
            near = min((abs(guess - left), 0, left), (abs(guess - up), 1, up),
                       (abs(guess - corner), 2, corner))[2]
        else:
            near = (0, left, up, (left + up) // 2)[kind]
        line[i] = (byte + near) & 255
    return line


def browse(browser: str, page: pathlib.Path, width: int, dark: bool, *more: str):
    with tempfile.TemporaryDirectory() as profile:
        return subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--no-first-run", f"--user-data-dir={profile}", "--enable-logging=stderr", "--v=0",
             f"--window-size={width},{HEIGHT}", *(["--force-dark-mode"] if dark else []),
             "--blink-settings=preferredColorScheme=" + ("0" if dark else "1"), *more,
             page.as_uri()],
            check=False, capture_output=True, timeout=120)


def problems_of(browser: str, page: pathlib.Path, width: int, dark: bool) -> list:
    looked_at = page.with_suffix(".looked.html")
    looked_at.write_text(page.read_text().replace("</body>", LOOK + "</body>"))
    told = browse(browser, looked_at, width, dark, "--dump-dom")
    document = told.stdout.decode(errors="replace")
    problems = [line for line in told.stderr.decode(errors="replace").splitlines()
                if "CONSOLE" in line]
    if 'data-looked="yes"' not in document:
        problems.append("the page's script did not come to its end")
    found = re.search(r'data-found="([^"]*)"', document)
    problems += [text for text in (found.group(1) if found else "").split("; ") if text]
    picture = page.with_suffix(f".{width}.{'dark' if dark else 'light'}.png")
    browse(browser, page, width, dark, f"--screenshot={picture}")
    if not picture.exists():
        return [*problems, "no picture was taken"]
    colors, corner = pixels(picture.read_bytes())
    if colors < COLORS_MIN:
        problems.append(f"only {colors} colours")
    if (sum(corner) < 3 * 128) != dark:
        problems.append(f"the page is {'light' if dark else 'dark'}, the reader wants it otherwise")
    return problems


def main() -> int:
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        print("note: no browser: apt-get install chromium")
        return 77
    weir = pathlib.Path(sys.argv[1]).resolve() / "cli/weir"
    failed = False
    with tempfile.TemporaryDirectory() as directory:
        for name, command in REPORTS.items():
            page = pathlib.Path(directory) / f"{name}.html"
            subprocess.run([weir, *command, "--html", page], cwd=ROOT, check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for width in WIDTHS:
                for dark in (False, True):
                    problems = problems_of(browser, page, width, dark)
                    failed = failed or bool(problems)
                    print(f"{name}, {width} px, {'dark' if dark else 'light'}:",
                          *(problems or ["well"]), sep="\n  ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

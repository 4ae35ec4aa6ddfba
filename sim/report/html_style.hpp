// SPDX-License-Identifier: MIT
//
// The style sheet of the HTML report, and its few lines of script. Colours are those of M. Okabe
// and K. Ito (jfly.uni-koeln.de/color), which colour-blind readers can tell apart; lines differ in
// their dashes, too, and bands are hatched. Light or dark as the reader's system is, or as the
// button says.
//
// Read by: html.cpp only. Invariant: nothing in here loads anything.
#pragma once

#include <string_view>

namespace weir::sim {

inline constexpr std::string_view html_style = R"css(
:root { color-scheme: light dark;
  --page: #fbfbfa; --card: #fff; --text: #1c1f23; --dim: #5d656e; --rule: #dcdfe3; --grid: #e6e8eb;
  --bad: #b3261e; --bad-soft: #fdecea; --good: #1b6e3c; --never: #8a5a00;
  --lent: #0072b2; --idle: #9ad0f0; --connecting: #e69f00; --other: #a7adb4;
  --lent-name: #0067a0; --idle-name: #2b7ba8; --connecting-name: #946400; --other-name: #666d75;
  --waiting: #c03a00; --limit: #4a5158; --fault: #a4457e; --heat: 0, 114, 178; }
:root[data-theme=dark] {
  --page: #14171a; --card: #1b1f23; --text: #e4e7ea; --dim: #9aa3ad; --rule: #343a41;
  --grid: #2a3036; --bad: #ff8a80; --bad-soft: #3a1d1b; --good: #6fd397; --never: #e3b25c;
  --lent: #2f8fce; --idle: #1f5373; --connecting: #e69f00; --other: #5c646d;
  --lent-name: #62b4ea; --idle-name: #7fb4d4; --connecting-name: #f0b437; --other-name: #a7adb4;
  --waiting: #ff8a50; --limit: #b9c0c7; --fault: #dd8fbd; --heat: 86, 180, 233; }
@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) {
  --page: #14171a; --card: #1b1f23; --text: #e4e7ea; --dim: #9aa3ad; --rule: #343a41;
  --grid: #2a3036; --bad: #ff8a80; --bad-soft: #3a1d1b; --good: #6fd397; --never: #e3b25c;
  --lent: #2f8fce; --idle: #1f5373; --connecting: #e69f00; --other: #5c646d;
  --lent-name: #62b4ea; --idle-name: #7fb4d4; --connecting-name: #f0b437; --other-name: #a7adb4;
  --waiting: #ff8a50; --limit: #b9c0c7; --fault: #dd8fbd; --heat: 86, 180, 233; } }
:root[data-theme=light] { color-scheme: light; }
:root[data-theme=dark] { color-scheme: dark; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1040px; padding: 24px 20px 60px; background: var(--page);
  color: var(--text); font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
header { display: flex; gap: 12px; align-items: baseline; justify-content: space-between; }
h1 { font-size: 22px; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 16px; margin: 32px 0 8px; }
p { margin: 6px 0; }
.dim { color: var(--dim); }
button { font: inherit; font-size: 13px; color: var(--dim); background: none; cursor: pointer;
  border: 1px solid var(--rule); border-radius: 6px; padding: 2px 10px; }
.verdict { margin: 14px 0; padding: 12px 16px; border: 1px solid var(--rule);
  border-left: 5px solid var(--good); border-radius: 6px; background: var(--card);
  overflow-wrap: anywhere; white-space: pre-wrap; }
.verdict.broken { border-left-color: var(--bad); background: var(--bad-soft); }
.facts { display: flex; flex-wrap: wrap; gap: 4px 28px; margin: 12px 0; padding: 0; }
.facts div { min-width: 90px; }
.facts dt { font-size: 12px; color: var(--dim); }
.facts dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 12px;
  overflow-x: auto; }
.pair { display: grid; gap: 20px; grid-template-columns: 3fr 2fr; align-items: start; }
.pair > div { min-width: 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
th { font-weight: 600; font-size: 13px; text-align: left; color: var(--dim); }
td, th { padding: 3px 10px 3px 0; border-bottom: 1px solid var(--grid); vertical-align: top; }
tr:last-child > td { border-bottom: none; }
.dense td, .dense th { font-size: 13px; padding-right: 7px; }
.n { text-align: right; white-space: nowrap; }
.id { white-space: nowrap; font-weight: 600; }
.broken .state, .broken .id { color: var(--bad); }
.held .state { color: var(--good); }
.untested td, .untested .state { color: var(--dim); }
.state { white-space: nowrap; }
.sentence { display: block; white-space: pre-wrap; overflow-wrap: anywhere; }
details > summary { cursor: pointer; color: var(--dim); margin: 6px 0; }
svg { display: block; width: 100%; min-width: 640px; height: auto; font-size: 12px; }
svg text { fill: var(--text); }
svg .dim { fill: var(--dim); }
svg .mid { text-anchor: middle; }
svg .end { text-anchor: end; font-variant-numeric: tabular-nums; }
.grid { stroke: var(--grid); }
.axis { stroke: var(--dim); }
.area { stroke: var(--card); stroke-width: .6; }
.area.lent { fill: var(--lent); } .area.idle { fill: var(--idle); }
.area.connecting { fill: var(--connecting); } .area.other { fill: var(--other); }
svg .name.lent { fill: var(--lent-name); } svg .name.idle { fill: var(--idle-name); }
svg .name.connecting { fill: var(--connecting-name); } svg .name.other { fill: var(--other-name); }
svg .name { font-weight: 600; }
path.limit, path.waiting, path.halo, path.p50, path.p99, path.curve-wait, path.curve-round,
path.failed { fill: none; stroke-linejoin: round; stroke-linecap: round; }
path.limit { stroke: var(--limit); stroke-dasharray: 2 4; stroke-width: 1.4; }
path.halo { stroke: var(--card); stroke-width: 4.4; }
path.waiting, path.p99, path.curve-wait { stroke: var(--waiting); stroke-width: 2; }
path.p50, path.curve-round { stroke: var(--lent-name); stroke-width: 2; stroke-dasharray: 6 4; }
path.failed { stroke: var(--bad); stroke-width: 1.6; }
svg .name.waiting, svg .name.p99, svg .name.curve-wait { fill: var(--waiting); }
svg .name.p50, svg .name.curve-round { fill: var(--lent-name); }
svg .name.limit { fill: var(--limit); } svg .name.failed { fill: var(--bad); }
rect.fault { fill: url(#hatch); stroke: var(--fault); stroke-width: .8; }
#hatch path { stroke: var(--fault); stroke-opacity: .5; stroke-width: 1.2; }
svg .faultname { fill: var(--fault); font-weight: 600; paint-order: stroke;
  stroke: var(--card); stroke-width: 3px; }
line.failure { stroke: var(--bad); stroke-width: 2; }
.heat { width: auto; font-size: 13px; }
.heat td { min-width: 38px; text-align: center; padding: 4px 6px; border: 2px solid var(--card); }
.heat th { border: none; color: var(--text); font-weight: 400; padding: 4px 8px 4px 0;
  white-space: nowrap; text-align: right; vertical-align: middle; }
.heat thead th { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left;
  padding: 4px 4px 4px 0; vertical-align: top; }
.heat .h0 { color: var(--dim); opacity: .5; }
.heat .h1 { background: rgba(var(--heat), .12); } .heat .h2 { background: rgba(var(--heat), .26); }
.heat .h3 { background: rgba(var(--heat), .42); } .heat .h4 { background: rgba(var(--heat), .6); }
.lanes { font: 12.5px/1.45 ui-monospace, "DejaVu Sans Mono", Consolas, monospace; }
.lanes td, .lanes th { border-bottom: none; padding: 1px 10px; border-left: 1px solid var(--grid);
  white-space: nowrap; min-width: 110px; }
.lanes th { position: sticky; top: 0; background: var(--card); color: var(--text);
  border-bottom: 1px solid var(--rule); }
.lanes .t { border-left: none; padding-left: 0; min-width: 0; color: var(--dim); text-align: right; }
.lanes .on { background: rgba(var(--heat), .16); }
.lanes .told { font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; color: var(--dim);
  white-space: normal; border-left: none; }
.lanes .forced { color: var(--waiting); font-weight: 600; }
.lanes .failure { color: var(--bad); font-weight: 600; padding-top: 8px; white-space: pre-wrap; }
pre { overflow-x: auto; margin: 0; font-size: 12.5px; }
@media (max-width: 700px) {
  body { padding: 14px 12px 40px; } .pair { display: block; }
  table { font-size: 14px; } td, th { padding-right: 7px; }
  .verdicts thead { display: none; }
  .verdicts tr { display: grid; grid-template-columns: auto auto 1fr; column-gap: 14px;
    border-bottom: 1px solid var(--grid); padding: 4px 0; }
  .verdicts tr:last-child { border-bottom: none; }
  .verdicts td { border: none; padding: 0; }
  .verdicts .says { grid-column: 1 / -1; order: 1; } }
@media print { button { display: none; } .card { overflow: visible; } }
)css";

inline constexpr std::string_view html_script = R"js(
const root = document.documentElement;
document.getElementById('theme').onclick = () => {
  const dark = root.dataset.theme ? root.dataset.theme == 'dark'
                                  : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
};
)js";

}  // namespace weir::sim

/** The page's style: light or dark as the reader's system is, one column on a phone. */
export const reportStyle = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #16181d; --soft: #5b6270; --rule: #e3e6eb;
  --accent: #2563eb; --raw: #2563eb40; --good: #0f7b4f; --warn: #9a5b00; --warn-card: #fff7e6; --code: #f1f3f6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1116; --card: #171b22; --ink: #e8eaee; --soft: #99a1b0; --rule: #2a303a;
    --accent: #6ea8fe; --raw: #6ea8fe40; --good: #4cc38a; --warn: #f0b75a; --warn-card: #2a2213; --code: #10141a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; -webkit-text-size-adjust: 100%;
}
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { margin: 0; font-size: clamp(1.6rem, 5vw, 2.3rem); letter-spacing: -.02em; line-height: 1.15; overflow-wrap: anywhere; }
h1 .to { color: var(--soft); font-weight: 400; }
h2 { margin: 44px 0 14px; font-size: 1.15rem; letter-spacing: -.01em; }
p { margin: 8px 0; }
.lead { color: var(--soft); max-width: 46em; }
.state { display: inline-block; margin-bottom: 12px; padding: 2px 10px; border-radius: 99px; border: 1px solid var(--rule); background: var(--card); font-size: .8rem; color: var(--soft); }
.state.finished { color: var(--good); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 24px; }
.tile, .card, .chart { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; }
.tile { padding: 16px 18px; }
.tile .value { font-size: 1.7rem; font-weight: 650; letter-spacing: -.02em; line-height: 1.2; font-variant-numeric: tabular-nums; white-space: nowrap; }
.tile.main .value { color: var(--accent); }
.tile .what { color: var(--soft); font-size: .86rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); gap: 12px; }
.chart { margin: 0; padding: 14px 14px 8px; min-width: 0; }
figcaption { margin: 0 4px 8px; line-height: 1.35; }
figcaption span { display: block; color: var(--soft); font-size: .82rem; }
.chart svg { display: block; width: 100%; height: auto; overflow: visible; }
.chart text { fill: var(--soft); font-size: 11.5px; font-variant-numeric: tabular-nums; }
.chart .grid { stroke: var(--rule); }
.chart .line { fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; }
.chart .raw { fill: none; stroke: var(--raw); stroke-width: 1; }
.chart circle { fill: var(--card); stroke: var(--accent); stroke-width: 2; }
.chart line.reference { stroke: var(--soft); stroke-dasharray: 4 4; }
.card { padding: 18px; }
.warnings { background: var(--warn-card); color: var(--warn); margin: 20px 0 0; padding: 12px 18px 12px 34px; border-radius: 12px; border: 1px solid var(--rule); }
.player { display: flex; gap: 14px; align-items: center; margin-bottom: 14px; }
.player input { flex: 1; min-width: 0; accent-color: var(--accent); height: 32px; }
.player output { min-width: 6.5em; text-align: right; color: var(--soft); font-variant-numeric: tabular-nums; }
button { font: inherit; color: var(--ink); background: var(--code); border: 1px solid var(--rule); border-radius: 8px; padding: 5px 14px; cursor: pointer; }
button:hover, button:focus-visible { border-color: var(--accent); }
.grids { background: #121212; border-radius: 8px; overflow-x: auto; }
.grids img { display: block; width: 100%; max-width: 920px; margin: 0 auto; image-rendering: pixelated; }
.grids img[hidden] { display: none; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); gap: 12px; }
.pair img { display: block; width: 100%; height: auto; image-rendering: pixelated; margin-top: 10px; }
.pair span { color: var(--soft); font-size: .86rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 8px 12px; border-bottom: 1px solid var(--rule); white-space: nowrap; }
tr:last-child > * { border-bottom: 0; }
th:first-child, td:first-child { text-align: left; }
thead th { color: var(--soft); font-weight: 500; font-size: .86rem; }
tbody th { font-weight: 500; white-space: normal; }
.options td:last-child, .facts td:last-child { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.options td:first-child, .facts td:first-child { color: var(--soft); width: 1%; }
details > summary { cursor: pointer; color: var(--accent); padding: 4px 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 8px 0; padding: 12px 14px; background: var(--code); border-radius: 8px; font: .88rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code { font: .88em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
footer { margin-top: 48px; color: var(--soft); font-size: .84rem; }
@media (max-width: 560px) {
  main { padding: 24px 14px 40px; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 8px; }
  .tile { padding: 12px 14px; }
  .tile .value { font-size: 1.35rem; }
  .card { padding: 14px; }
  th, td { padding: 8px 6px; font-size: .9rem; }
  .grids img { width: 620px; max-width: none; }
  .facts tr, .options tr { display: block; padding: 6px 0; border-bottom: 1px solid var(--rule); }
  .facts td, .options td { display: block; width: auto !important; border: 0; padding: 1px 0; text-align: left; }
}
`;

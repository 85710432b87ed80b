import { figureStyle, tones } from './figures/figure-style.ts';

function variables(theme: 0 | 1): string {
  return Object.entries(tones)
    .map(([name, tone]) => `--${name}:${tone[theme]}`)
    .join(';');
}

/** The style of all pages: light or dark as the reader's system is, one column on a phone. */
export const pageStyle: string = `
:root { color-scheme: light dark; ${variables(0)} }
@media (prefers-color-scheme: dark) { :root { ${variables(1)} } }
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.6 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; -webkit-text-size-adjust: 100%;
}
main { max-width: 1104px; margin: 0 auto; padding: 48px 32px 64px; }
header { border-bottom: 1px solid var(--rule); padding-bottom: 28px; }
h1 { margin: 6px 0 10px; font-size: clamp(1.65rem, 4.6vw, 2.4rem); letter-spacing: -.022em; line-height: 1.15; font-weight: 680; overflow-wrap: anywhere; }
h1 .to { color: var(--soft); font-weight: 400; }
h2 { margin: 0 0 6px; font-size: 1.3rem; letter-spacing: -.012em; line-height: 1.3; }
h3 { margin: 0 0 2px; font-size: 1rem; line-height: 1.35; }
.figure + h3 { margin-top: 22px; }
p { margin: 0 0 10px; }
a { color: var(--accent); }
section { padding-top: 44px; scroll-margin-top: 8px; }
.lead { color: var(--soft); max-width: 44em; margin-bottom: 18px; }
.lead strong { color: var(--ink); font-weight: 600; }
.state { color: var(--soft); font-size: .875rem; }
.state b { color: var(--good); font-weight: 600; }
.state b.open { color: var(--warn); }
.story { font-size: 1.1rem; line-height: 1.55; max-width: 42em; margin: 0; }
.verdict { margin: 14px 0 0; max-width: 46em; color: var(--soft); }
.verdict b { color: var(--ink); }
nav { margin-top: 18px; display: flex; flex-wrap: wrap; gap: 2px 18px; font-size: .875rem; }
nav a { text-decoration: none; padding: 4px 0; }
nav a:hover { text-decoration: underline; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: 24px 28px; margin: 26px 0 0; padding: 0; list-style: none; }
.flag { white-space: nowrap; }
.tile .value { font-size: 1.75rem; font-weight: 660; letter-spacing: -.025em; line-height: 1.15; font-variant-numeric: tabular-nums; white-space: nowrap; }
.tile.main .value { color: var(--accent); }
.tile .what { color: var(--soft); font-size: .875rem; line-height: 1.4; margin-top: 3px; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 18px 20px; min-width: 0; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); gap: 16px; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 16px; align-items: start; }
figure { margin: 0; }
.chart { padding: 14px 16px 10px; }
figcaption { display: flex; gap: 0 12px; justify-content: space-between; flex-wrap: wrap; margin-bottom: 10px; line-height: 1.35; }
figcaption strong { font-weight: 620; }
figcaption .now { font-weight: 620; font-variant-numeric: tabular-nums; }
figcaption span { flex-basis: 100%; color: var(--soft); font-size: .8125rem; }
.figure { position: relative; }
.figure.scrolls { overflow-x: auto; }
.figure svg { display: block; width: 100%; height: auto; }
.tip { position: fixed; z-index: 9; pointer-events: none; background: var(--ink); color: var(--page); font-size: .8125rem; line-height: 1.35; padding: 4px 9px; border-radius: 6px; max-width: 280px; font-variant-numeric: tabular-nums; }
.mark { position: absolute; width: 9px; height: 9px; margin: -4.5px; border-radius: 50%; background: var(--accent); border: 2px solid var(--card); pointer-events: none; }
.warnings { background: var(--card); color: var(--warn); margin: 22px 0 0; padding: 12px 18px 12px 34px; border-radius: 10px; border: 1px solid var(--rule); font-size: .9375rem; }
.player { display: flex; gap: 12px; align-items: center; margin-bottom: 14px; }
.player input { flex: 1; min-width: 0; accent-color: var(--accent); height: 32px; margin: 0; }
.player output { min-width: 6em; text-align: right; color: var(--soft); font-size: .875rem; font-variant-numeric: tabular-nums; }
button, .button, select { font: inherit; font-size: .9375rem; color: var(--ink); background: var(--code); border: 1px solid var(--rule); border-radius: 7px; padding: 5px 14px; cursor: pointer; text-decoration: none; display: inline-block; line-height: 1.5; }
button:hover, .button:hover { border-color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(92px, 1fr)); gap: 18px 14px; margin: 0; padding: 0; list-style: none; }
.gallery li { font-size: .8125rem; line-height: 1.4; min-width: 0; overflow-wrap: anywhere; }
.gallery b { display: block; font-weight: 600; }
.gallery span { display: block; color: var(--soft); }
.gallery .wrong { color: var(--bad); }
.sprite { display: block; width: 100%; max-width: 92px; border-radius: 4px; image-rendering: pixelated; background-image: var(--sheet); background-repeat: no-repeat; margin-bottom: 6px; }
.try { display: grid; grid-template-columns: auto minmax(200px, 1fr) minmax(260px, 1.4fr); gap: 24px 32px; align-items: start; }
.try.without-pad { grid-template-columns: 1fr 1fr; }
.try.over { outline: 2px dashed var(--accent); }
.pad { display: block; width: 224px; height: 224px; border-radius: 8px; border: 1px solid var(--rule); touch-action: none; cursor: crosshair; margin: 8px 0 10px; }
.sprites { display: grid; grid-template-columns: repeat(auto-fill, minmax(44px, 1fr)); gap: 8px; margin: 8px 0 16px; }
.sprite-button { padding: 0; border-radius: 6px; overflow: hidden; background: none; }
.sprite-button .sprite { margin: 0; border-radius: 0; }
.drop { display: block; font-size: .875rem; color: var(--soft); margin-bottom: 16px; }
.drop input { font: inherit; font-size: .8125rem; max-width: 100%; margin-top: 6px; color: var(--ink); }
.try-input { display: flex; gap: 12px; align-items: center; font-size: .875rem; }
.try-seen { width: 64px; height: 64px; object-fit: contain; image-rendering: pixelated; border-radius: 4px; background: var(--code); }
.answers { display: grid; gap: 20px; }
.answer ol { list-style: none; margin: 8px 0 0; padding: 0; display: grid; gap: 6px; min-height: 9.5em; }
.answer li { display: grid; grid-template-columns: minmax(2.5em, 6.5em) 1fr 5.4em; gap: 10px; align-items: center; font-size: .875rem; }
.answer b { font-weight: 500; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.answer li:first-child b { font-weight: 680; }
.answer .value { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.took { font-weight: 400; font-size: .8125rem; }
.bars { width: 100%; }
.bars td, .bars th { padding: 4px 8px; border: 0; }
.bars .bar { width: 60%; padding: 4px 0; }
.track { display: block; position: relative; height: 14px; background: var(--code); border-radius: 3px; min-width: 60px; }
.track i { position: absolute; inset: 0 auto 0 0; background: var(--accent); border-radius: 3px; }
.track u { position: absolute; top: -3px; bottom: -3px; width: 2px; background: var(--ink); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .9375rem; }
th, td { text-align: right; padding: 9px 12px; border-bottom: 1px solid var(--rule); white-space: nowrap; }
tbody tr:last-child > * { border-bottom: 0; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-weight: 500; font-size: .875rem; }
tbody th { font-weight: 500; }
.wrap th:first-child { white-space: normal; min-width: 9em; }
.soft { color: var(--soft); }
.facts th, .facts td { text-align: left; white-space: normal; vertical-align: top; }
.facts th { color: var(--soft); font-weight: 400; width: 13em; }
.facts td { overflow-wrap: anywhere; }
details > summary { cursor: pointer; color: var(--accent); padding: 6px 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 14px; padding: 12px 14px; background: var(--code); border-radius: 8px; border: 1px solid var(--rule); font: .875rem/1.55 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code { font: .875em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.downloads { display: flex; flex-wrap: wrap; gap: 10px; margin: 0 0 16px; }
footer { margin-top: 56px; padding-top: 18px; border-top: 1px solid var(--rule); color: var(--soft); font-size: .875rem; }
[hidden] { display: none !important; }
@media (max-width: 600px) {
  main { padding: 26px 16px 40px; }
  .try, .try.without-pad { grid-template-columns: 1fr; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 18px 14px; }
  .tile .value { font-size: 1.4rem; }
  section { padding-top: 36px; }
  .card { padding: 14px 12px; }
  th, td { padding: 8px 6px; }
  .few tr { display: flex; flex-wrap: wrap; }
  .few tbody tr { padding: 7px 0; border-bottom: 1px solid var(--rule); }
  .few tbody tr:last-child { border-bottom: 0; }
  .few thead td { display: none; }
  .few th, .few td { border: 0; padding: 0; flex: 0 0 calc(100% / 3); }
  .few thead th { padding: 0 0 6px 10px; white-space: normal; }
  .few th:first-child { text-align: right; }
  .few tbody th { flex: 0 0 100%; color: var(--soft); font-weight: 400; font-size: .875rem; }
  .few tbody th:first-child { text-align: left; }
  .facts tr { display: block; padding: 7px 0; border-bottom: 1px solid var(--rule); }
  .facts th, .facts td { display: block; width: auto; border: 0; padding: 0; }
}
@media print { nav, .player, .try { display: none; } section { break-inside: avoid; } }
${figureStyle('.figure')}
`;

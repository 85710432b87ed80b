/** One colour by day and by night. */
type Tone = readonly [light: string, dark: string];

/** What the page and the figures are drawn with. Text colours have a contrast of 4.5 on the card, marks of 3. */
export const tones: Readonly<Record<string, Tone>> = {
  page: ['#f7f8fa', '#0e1116'],
  card: ['#ffffff', '#161a21'],
  ink: ['#16181d', '#e8eaee'],
  soft: ['#575e6b', '#a0a8b6'],
  rule: ['#e2e5ea', '#2b313b'],
  accent: ['#2257d6', '#7db0ff'],
  good: ['#0b6e46', '#4cc38a'],
  bad: ['#b42318', '#ff8a7a'],
  warn: ['#8a5200', '#f0b75a'],
  code: ['#f1f3f6', '#0f1319'],
};

/** Series and classes; told apart by most eyes in their order, and by name everywhere. */
const series: readonly Tone[] = [
  ['#2257d6', '#7db0ff'],
  ['#c2410c', '#fb923c'],
  ['#0b7a4b', '#4cc38a'],
  ['#be185d', '#f472b6'],
  ['#7c3aed', '#b794f6'],
  ['#0e7490', '#22c3dd'],
  ['#946200', '#e8c33a'],
  ['#5f6b7e', '#a3aebf'],
  ['#4d7c0f', '#a3e635'],
  ['#7a4a2b', '#d9a27c'],
];

/** Number of colours for series; further ones begin again. */
export const seriesCount: number = series.length;

function rules(theme: 0 | 1, scope: string): string {
  const of = (name: string): string => tones[name][theme];
  const lines = [
    `text{fill:${of('soft')}}`,
    `.ink{fill:${of('ink')}}`,
    `.onmark{fill:${of('card')}}`,
    `.ground{fill:${of('card')}}`,
    `.grid{stroke:${of('rule')}}`,
    `.axis{stroke:${of('soft')}}`,
    `.outline{stroke:${of('card')}}`,
    `.goodmark{fill:${of('accent')}}`,
    `.halo{stroke:${of('card')};stroke-width:4;paint-order:stroke}`,
    `.badmark{fill:${of('bad')}}`,
    `.band{fill:${of('rule')}}`,
    ...series.flatMap((tone, index) => [`.s${index}{fill:${tone[theme]}}`, `.l${index}{stroke:${tone[theme]}}`]),
  ];
  return lines.map((line) => `${scope}${line}`).join('');
}

/**
 * The style of figures: literal colours in classes, which other programs than browsers read too.
 *
 * @param scope Selector that the rules hold within; empty in a file of its own.
 */
export function figureStyle(scope = ''): string {
  const within = scope === '' ? '' : `${scope} `;
  const common = [
    `${within}text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;font-variant-numeric:tabular-nums}`,
    `${within}.title{font-weight:600}`,
    `${within}.end{text-anchor:end}${within}.middle{text-anchor:middle}`,
    `${within}.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}`,
    `${within}.raw{fill:none;stroke-width:1;stroke-opacity:.3}`,
    `${within}.axis{stroke-dasharray:4 4}`,
    `${within}.pixels{image-rendering:pixelated}`,
  ].join('');
  return `${common}${rules(0, within)}@media (prefers-color-scheme:dark){${rules(1, within)}}`;
}

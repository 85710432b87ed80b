import { extent } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { escapeHtml } from '../escape-html.ts';
import type { FeatureProjection } from '../project-features.ts';
import type { Figure } from './figure.ts';
import { seriesCount } from './figure-style.ts';
import { shorten, textWidth } from './text-width.ts';

const WIDTH = 560;
const HEIGHT = 460;
const MARGIN = 14;
const LEGEND_ROW = 20;
/** What a phone shows of a figure without scrolling. */
const LEGEND_WIDTH = 340;

/**
 * Draws a projection: dots are real images, outlined squares generated ones. Up to ten classes have a colour and a place
 * in the legend each; of more, real images are grey and generated ones coloured, and a class is looked up by its name.
 *
 * @param names Of the classes.
 */
export function renderFeaturesFigure({ points }: FeatureProjection, names: readonly string[]): Figure {
  const isColoured = names.length <= seriesCount;
  const x = scaleLinear()
    .domain(extent(points, (point) => point.x) as [number, number])
    .range([MARGIN, WIDTH - MARGIN]);
  const y = scaleLinear()
    .domain(extent(points, (point) => point.y) as [number, number])
    .range([HEIGHT - MARGIN, MARGIN]);
  const ofClass = new Map<number, string[]>();
  const put = (label: number, mark: string): void =>
    void (ofClass.get(label)?.push(mark) ?? ofClass.set(label, [mark]));
  for (const point of points) {
    const [centreX, centreY] = [x(point.x), y(point.y)].map((value) => Math.round(value * 10) / 10);
    const own = isColoured ? point.label : point.isGenerated ? 0 : 7;
    put(
      point.label,
      point.isGenerated
        ? `<rect class="s${own} outline" x="${(centreX - 4).toFixed(1)}" y="${(centreY - 4).toFixed(1)}" width="8" height="8" rx="1"/>`
        : `<circle class="s${own}" fill-opacity=".6" cx="${centreX}" cy="${centreY}" r="3"/>`,
    );
  }
  const marks = [...ofClass.entries()].map(
    ([label, own]) =>
      `<g data-class="${label}"><title>${escapeHtml(names[label] ?? String(label))}</title>${own.join('')}</g>`,
  );
  const legend: string[] = [];
  const entries = [
    { mark: '<circle class="s7" cx="5" cy="-4" r="3.5"/>', name: 'real image' },
    {
      mark: `<rect class="s${isColoured ? 7 : 0} outline" x="0" y="-9" width="9" height="9" rx="1"/>`,
      name: 'generated image',
    },
    ...(isColoured
      ? names.map((name, index) => ({
          mark: `<circle class="s${index}" cx="5" cy="-4" r="5"/>`,
          name: shorten(name, 20),
        }))
      : []),
  ];
  let [left, row] = [0, 0];
  entries.forEach(({ mark, name }) => {
    const needed = 16 + textWidth(name) + 16;
    if (left > 0 && left + needed > LEGEND_WIDTH) [left, row] = [0, row + 1];
    legend.push(
      `<g transform="translate(${left.toFixed(1)} ${HEIGHT + 20 + row * LEGEND_ROW})">${mark}<text x="16" y="0">${escapeHtml(name)}</text></g>`,
    );
    left += needed;
  });
  const body = [
    `<rect class="band" fill-opacity=".35" width="${WIDTH}" height="${HEIGHT}" rx="6"/>`,
    ...marks,
    ...legend,
  ].join('');
  return {
    title: `Real and generated images by the two principal components of the teacher's features, ${points.length} in all`,
    width: WIDTH,
    height: HEIGHT + 8 + (row + 1) * LEGEND_ROW,
    body,
  };
}

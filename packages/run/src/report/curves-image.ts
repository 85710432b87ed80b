import { encode } from 'fast-png';
import { drawText, textHeight, textWidth } from '../pixel-font.ts';
import { type Colour, figureColours } from './_figure-colours.ts';
import { type LineChart, measureChart, niceTicks, pick, smooth, thin } from './line-chart.ts';

const CHART = { width: 480, height: 280 };
const MARGIN = { top: 36, right: 16, bottom: 30, left: 74 };
const COLUMNS = 2;
const SCALE = 2;
const { paper: PAPER, ink: INK, blue: LINE, red: REFERENCE } = figureColours;
const GRID: Colour = [225, 225, 228];
const FAINT: Colour = [190, 205, 240];

/**
 * Draws the curves of a run as a PNG, two charts a row: what the report shows, for slides and papers.
 *
 * @returns Null if there is none.
 */
export function renderCurvesImage(charts: readonly LineChart[]): Uint8Array | null {
  const drawn = charts.filter(({ points }) => points.length > 0);
  if (drawn.length === 0) return null;
  const columns = Math.min(COLUMNS, drawn.length);
  const width = columns * CHART.width;
  const height = Math.ceil(drawn.length / columns) * CHART.height;
  const data = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) data.set(PAPER, pixel * 3);
  const paint = (x: number, y: number, colour: Colour): void => {
    if (x >= 0 && x < width && y >= 0 && y < height) data.set(colour, (y * width + x) * 3);
  };
  drawn.forEach((chart, index) => {
    const left = (index % columns) * CHART.width;
    const top = Math.floor(index / columns) * CHART.height;
    drawChart(chart, (x, y, colour) => paint(left + x, top + y, colour));
  });
  return encode({ width, height, data, channels: 3, depth: 8 });
}

function drawChart(chart: LineChart, paint: (x: number, y: number, colour: Colour) => void): void {
  const { title, points, style, reference, format } = chart;
  const { lowest, highest, xEnd } = measureChart(chart);
  const yTicks = niceTicks(lowest, highest);
  const [low, high] = [yTicks[0], yTicks.at(-1)!];
  const right = CHART.width - MARGIN.right;
  const bottom = CHART.height - MARGIN.bottom;
  const toX = (x: number): number => MARGIN.left + (x / Math.max(1, xEnd)) * (right - MARGIN.left);
  const toY = (y: number): number => bottom - ((y - low) / (high - low)) * (bottom - MARGIN.top);
  const write = (text: string, x: number, y: number, scale: number, colour: Colour = INK): void =>
    drawText(text, { x: Math.round(x), y: Math.round(y), scale }, (inkX, inkY) => paint(inkX, inkY, colour));
  const join = (line: LineChart['points'], colour: Colour, weight: number): void => {
    for (let index = 1; index < line.length; index++) {
      const [from, to] = [line[index - 1], line[index]];
      const [x0, y0, x1, y1] = [toX(from[0]), toY(from[1]), toX(to[0]), toY(to[1])];
      const places = Math.max(1, Math.ceil(Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0))));
      for (let place = 0; place <= places; place++) {
        const share = place / places;
        dot(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share, colour, weight);
      }
    }
  };
  const dot = (x: number, y: number, colour: Colour, weight: number): void => {
    const [startX, startY] = [Math.round(x - weight / 2), Math.round(y - weight / 2)];
    for (let down = 0; down < weight; down++)
      for (let across = 0; across < weight; across++) paint(startX + across, startY + down, colour);
  };

  write(title, MARGIN.left, 10, SCALE);
  for (const y of yTicks) {
    for (let x = MARGIN.left; x <= right; x++) paint(x, Math.round(toY(y)), GRID);
    const text = format(y);
    write(text, MARGIN.left - 8 - textWidth(text, 1), toY(y) - textHeight(1) / 2, 1);
  }
  for (const x of niceTicks(0, xEnd).filter((tick) => tick <= xEnd && Number.isInteger(tick))) {
    const text = String(x);
    write(text, toX(x) - textWidth(text, 1) / 2, bottom + 10, 1);
  }
  if (reference !== undefined) {
    const y = Math.round(toY(reference.value));
    for (let x = MARGIN.left; x <= right; x++) if (x % 8 < 5) paint(x, y, REFERENCE);
    write(reference.label, MARGIN.left + 6, y - MARGIN.top < 14 ? y + 6 : y - 12, 1, REFERENCE);
  }
  if (style === 'trend') {
    const thinned = thin(points);
    join(thinned, FAINT, 1);
    join(smooth(thinned), LINE, 2);
  } else {
    join(pick(points), LINE, 2);
  }
  if (style === 'dots' || points.length === 1) for (const [x, y] of pick(points)) dot(toX(x), toY(y), LINE, 6);
}

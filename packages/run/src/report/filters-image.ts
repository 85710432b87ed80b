import type { Model } from '@dafl/core';
import { encode } from 'fast-png';
import { drawText, textHeight } from '../pixel-font.ts';
import { type Colour, figureColours } from './_figure-colours.ts';

/** The first convolution of a model as a picture. */
export interface FiltersImage {
  readonly node: string;
  readonly count: number;
  /** Height and width of one filter. */
  readonly size: readonly [number, number];
  /** Columns of the picture. */
  readonly columns: number;
  /** A PNG file with one pixel for each weight. */
  readonly image: Uint8Array;
}

const MOST_COLUMNS = 8;
const MOST_FILTERS = 64;
/** Widest panel in pixels. */
const PANEL = 280;
const GAP = 12;
const { blue: NEGATIVE, red: POSITIVE } = figureColours;
const PAPER = [...figureColours.paper, 255];
const INK = [...figureColours.ink, 255];
const ZERO: Colour = [244, 244, 245];

/** The filters as pixels: RGBA, one for each weight. */
interface FilterPixels extends Omit<FiltersImage, 'image'> {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/**
 * Draws the first convolution's filters side by side, a transparent pixel between them. Filters of three channels are in
 * colour, those of others run from blue (the layer's largest weight, negative) over white to red; channels are averaged.
 *
 * @returns Null if the model has no convolution.
 */
export function renderFiltersImage(model: Model): FiltersImage | null {
  const pixels = filterPixels(model);
  if (pixels === null) return null;
  const { width, height, data, ...image } = pixels;
  return { ...image, image: encode({ width, height, data, channels: 4, depth: 8 }) };
}

/**
 * Draws the first layers of several networks side by side, each beneath its name (the paper's figure of filters).
 *
 * @param models Of at most 64 filters each, in the order of the picture.
 * @returns Null if none of them has a convolution.
 */
export function renderFilterPanels(models: readonly (readonly [name: string, model: Model])[]): Uint8Array | null {
  const panels = models.flatMap(([name, model]) => {
    const pixels = filterPixels(model);
    return pixels === null ? [] : [{ name, pixels }];
  });
  if (panels.length === 0) return null;
  // One scale for all, so that a weight has the same size in each.
  const scale = Math.max(1, Math.floor(PANEL / Math.max(...panels.map(({ pixels }) => pixels.width))));
  const head = textHeight(2) + 2 * GAP;
  const width = GAP + panels.length * (PANEL + GAP);
  const height = head + GAP + Math.max(...panels.map(({ pixels }) => pixels.height * scale));
  const data = new Uint8Array(width * height * 4);
  for (let pixel = 0; pixel < width * height; pixel++) data.set(PAPER, pixel * 4);
  panels.forEach(({ name, pixels }, index) => {
    const left = GAP + index * (PANEL + GAP);
    drawText(name, { x: left, y: GAP, scale: 2 }, (x, y) => data.set(INK, (y * width + x) * 4));
    for (let y = 0; y < pixels.height * scale; y++) {
      for (let x = 0; x < pixels.width * scale; x++) {
        const from = (Math.floor(y / scale) * pixels.width + Math.floor(x / scale)) * 4;
        if (pixels.data[from + 3] > 0)
          data.set(pixels.data.subarray(from, from + 4), ((head + y) * width + left + x) * 4);
      }
    }
  });
  return encode({ width, height, data, channels: 4, depth: 8 });
}

function filterPixels({ graph, weights }: Model): FilterPixels | null {
  const node = graph.nodes.find(({ kind }) => kind === 'conv2d');
  const kernel = node === undefined ? undefined : weights.get(`${node.name}.kernel`);
  if (node === undefined || kernel === undefined) return null;
  const [height, width, channels, filters] = kernel.shape;
  const count = Math.min(filters, MOST_FILTERS);
  const columns = Math.min(count, MOST_COLUMNS);
  const rows = Math.ceil(count / columns);
  const size = { width: columns * (width + 1) - 1, height: rows * (height + 1) - 1 };
  const data = new Uint8Array(size.width * size.height * 4);
  const largest = kernel.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const at = (y: number, x: number, channel: number, filter: number): number =>
    kernel.data[((y * width + x) * channels + channel) * filters + filter] / largest;
  for (let filter = 0; filter < count; filter++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const row = Math.floor(filter / columns) * (height + 1) + y;
        const column = (filter % columns) * (width + 1) + x;
        const values = Array.from({ length: channels }, (_, channel) => at(y, x, channel, filter));
        const colour =
          channels === 3
            ? values.map((value) => Math.round((value + 1) * 127.5))
            : diverging(values.reduce((total, value) => total + value, 0) / channels);
        data.set([...colour, 255], (row * size.width + column) * 4);
      }
    }
  }
  return { node: node.name, count, size: [height, width], columns, ...size, data };
}

function diverging(value: number): number[] {
  const end = value < 0 ? NEGATIVE : POSITIVE;
  const share = Math.min(1, Math.abs(value));
  return ZERO.map((zero, channel) => Math.round(zero + (end[channel] - zero) * share));
}

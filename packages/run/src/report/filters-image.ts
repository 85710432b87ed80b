import type { Model } from '@dafl/core';
import { encode } from 'fast-png';

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
type Colour = readonly [number, number, number];
const NEGATIVE: Colour = [37, 99, 235];
const ZERO: Colour = [244, 244, 245];
const POSITIVE: Colour = [220, 60, 40];

/**
 * Draws the first convolution's filters side by side, a transparent pixel between them. Filters of three channels are in
 * colour, those of others run from blue (the layer's largest weight, negative) over white to red; channels are averaged.
 *
 * @returns Null if the model has no convolution.
 */
export function renderFiltersImage({ graph, weights }: Model): FiltersImage | null {
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
  return {
    node: node.name,
    count,
    size: [height, width],
    columns,
    image: encode({ ...size, data, channels: 4, depth: 8 }),
  };
}

function diverging(value: number): number[] {
  const end = value < 0 ? NEGATIVE : POSITIVE;
  const share = Math.min(1, Math.abs(value));
  return ZERO.map((zero, channel) => Math.round(zero + (end[channel] - zero) * share));
}

import type { Model } from '@dafl/core';
import type { Picture } from './picture.ts';

/** The first convolution of a model. */
export interface FilterPictures {
  readonly node: string;
  /** Of all filters, of which at most 64 are shown. */
  readonly count: number;
  /** Height and width of one filter. */
  readonly size: readonly [number, number];
  readonly pictures: readonly Picture[];
  /** The weights of each picture, as they lie in the model. */
  readonly weights: readonly Float32Array[];
}

const MOST_FILTERS = 64;
const NEGATIVE = [34, 87, 214];
const POSITIVE = [208, 52, 44];

/**
 * The first convolution's filters as pictures. Filters of three channels are in colour; of others, blue pixels are negative
 * and red ones positive, the stronger the larger (of the mean over the channels), and nothing is drawn for 0.
 *
 * @returns Null if the model has no convolution.
 */
export function filterPictures({ graph, weights }: Model): FilterPictures | null {
  const node = graph.nodes.find(({ kind }) => kind === 'conv2d');
  const kernel = node === undefined ? undefined : weights.get(`${node.name}.kernel`);
  if (node === undefined || kernel === undefined) return null;
  const [height, width, channels, filters] = kernel.shape;
  const largest = kernel.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  const shown = Math.min(filters, MOST_FILTERS);
  const own = Array.from({ length: shown }, (_, filter) =>
    Float32Array.from({ length: height * width * channels }, (__, place) => kernel.data[place * filters + filter]),
  );
  const pictures = own.map((values): Picture => {
    const isColour = channels === 3;
    const data = new Uint8Array(height * width * 4);
    for (let place = 0; place < height * width; place++) {
      const ofPlace = values.subarray(place * channels, (place + 1) * channels);
      if (isColour) {
        data.set([...Array.from(ofPlace, (value) => Math.round((value / largest + 1) * 127.5)), 255], place * 4);
      } else {
        const value = ofPlace.reduce((total, each) => total + each, 0) / channels / largest;
        const strength = Math.round(255 * Math.min(1, Math.abs(value)));
        data.set([...(value < 0 ? NEGATIVE : POSITIVE), strength], place * 4);
      }
    }
    return { height, width, channels: 4, data };
  });
  return { node: node.name, count: filters, size: [height, width], pictures, weights: own };
}

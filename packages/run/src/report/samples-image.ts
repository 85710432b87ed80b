import type { SamplesEvent } from '@dafl/core';
import { decode, encode } from 'fast-png';
import { type Picture, pictureOf } from './figures/picture.ts';

/** Side of a tile that small images are magnified towards. */
const TILE_SIDE = 96;
const GAP = 6;
const MOST_ROWS = 100;
const BACKGROUND = 18;
const EMPTY = 30;
/** Keyword of the text in the file that says what is in it. */
const KEYWORD = 'dafl-samples';

/** What a picture of samples says of itself. */
interface SamplesText extends Pick<SamplesEvent, 'step' | 'height' | 'width' | 'classes' | 'perClass'> {
  /** Class of each image, row after row. */
  readonly labels: readonly number[];
  /** The teacher's, 0..1. */
  readonly confidences: readonly number[];
}

/** Generated images of one moment, as they were stored. */
export interface StoredSamples {
  readonly step: number;
  readonly classes: number;
  /** In the order of their classes. */
  readonly images: readonly StoredSample[];
}

/** One of them. */
export interface StoredSample {
  readonly label: number;
  /** The teacher's, 0..1. */
  readonly confidence: number;
  readonly picture: Picture;
}

/**
 * Draws generated images as a PNG: one row for each class, in their order. Images are magnified by whole factors without
 * smoothing. Classes that got no image have an empty row. What they are, and how sure the teacher is, stands in the
 * file's text, which `readSamplesImage` reads.
 *
 * @returns The file: in colour where the images have three channels, else grey, the mean of their channels. The first 100
 * classes are drawn.
 */
export function renderSamplesImage(samples: SamplesEvent): Uint8Array {
  const { step, height, width, classes, perClass, images, labels, confidences } = samples;
  const channels = samples.channels === 3 ? 3 : 1;
  const { rows, scale, tile } = layOut(samples);
  const size = { width: GAP + perClass * (tile.width + GAP), height: GAP + rows * (tile.height + GAP) };
  const data = new Uint8Array(size.width * size.height * channels).fill(BACKGROUND);
  const fill = (row: number, column: number, valueAt: (y: number, x: number, channel: number) => number): void => {
    const [top, left] = [GAP + row * (tile.height + GAP), GAP + column * (tile.width + GAP)];
    for (let y = 0; y < tile.height; y++)
      for (let x = 0; x < tile.width; x++)
        for (let channel = 0; channel < channels; channel++)
          data[((top + y) * size.width + left + x) * channels + channel] = valueAt(y, x, channel);
  };
  for (let row = 0; row < rows; row++) for (let column = 0; column < perClass; column++) fill(row, column, () => EMPTY);
  const counts = new Array<number>(rows).fill(0);
  const shown: number[] = [];
  labels.forEach((label, index) => {
    if (label >= rows) return;
    const { data: pixels } = pictureOf(images, index, samples);
    fill(label, counts[label]++, (y, x, channel) => {
      const place = Math.floor(y / scale) * width + Math.floor(x / scale);
      return pixels[place * channels + channel];
    });
    shown.push(index);
  });
  const text: SamplesText = {
    step,
    height,
    width,
    classes,
    perClass,
    labels: shown.map((index) => labels[index]),
    confidences: shown.map((index) => Number(confidences[index].toFixed(4))),
  };
  return encode({ ...size, data, channels, depth: 8, text: { [KEYWORD]: JSON.stringify(text) } });
}

/**
 * Reads a picture that `renderSamplesImage` drew: the first 100 classes, to the 8 bits that it holds.
 *
 * @param mostOfClass Images of each class that are taken.
 * @throws {Error} If it is no such picture.
 */
export function readSamplesImage(file: Uint8Array, mostOfClass: number = Infinity): StoredSamples {
  const decoded = decode(file);
  const channels = decoded.channels === 3 ? 3 : 1;
  const text = JSON.parse(decoded.text[KEYWORD]) as SamplesText;
  const { step, height, width, classes } = text;
  const { scale, tile } = layOut(text);
  const counts = new Map<number, number>();
  const images = text.labels.flatMap((label, index): StoredSample[] => {
    const column = counts.get(label) ?? 0;
    counts.set(label, column + 1);
    if (column >= mostOfClass) return [];
    const [top, left] = [GAP + label * (tile.height + GAP), GAP + column * (tile.width + GAP)];
    const data = Uint8Array.from({ length: height * width * channels }, (_, offset) => {
      const place = Math.floor(offset / channels);
      const [y, x] = [top + Math.floor(place / width) * scale, left + (place % width) * scale];
      return decoded.data[(y * decoded.width + x) * channels + (offset % channels)];
    });
    return [{ label, confidence: text.confidences[index], picture: { height, width, channels, data } }];
  });
  return { step, classes, images };
}

function layOut({ height, width, classes }: Pick<SamplesEvent, 'height' | 'width' | 'classes'>) {
  const rows = Math.min(classes, MOST_ROWS);
  const scale = Math.max(1, Math.floor(TILE_SIDE / Math.max(height, width)));
  return { rows, scale, tile: { width: width * scale, height: height * scale } };
}

import type { SamplesEvent } from '@dafl/core';
import { decode, encode } from 'fast-png';
import { drawText, textHeight, textWidth } from './pixel-font.ts';
import { visibleChannels, visibleSamples } from './visible-samples.ts';

/** Side of a tile that small images are magnified towards. */
const TILE_SIDE = 96;
const GAP = 10;
const LABEL_SCALE = 4;
const CONFIDENCE_SCALE = 2;
const MOST_ROWS = 100;

const BACKGROUND = 18;
const EMPTY = 30;
const LABEL_INK = 235;
const CONFIDENCE_INK = 165;

/**
 * Draws generated images as a PNG: one row for each class, its number at the left, the teacher's confidence beneath each
 * image. Images are magnified by whole factors without smoothing. Classes that got no image have an empty row.
 *
 * @returns The file: in colour where the images have three channels, else grey. The first 100 classes are drawn.
 */
export function renderSamplesImage(samples: SamplesEvent): Uint8Array {
  const { height, width, channels, images, labels, confidences, perClass } = visibleSamples(samples);
  const { rows, scale, tile, labelWidth, rowHeight } = layOut(samples);
  const size = { width: labelWidth + perClass * (tile.width + GAP), height: GAP + rows * rowHeight };
  const data = new Uint8Array(size.width * size.height * channels).fill(BACKGROUND);
  const ink = (value: number) => (x: number, y: number) => {
    if (x < 0 || y < 0 || x >= size.width || y >= size.height) return;
    data.fill(value, (y * size.width + x) * channels, (y * size.width + x + 1) * channels);
  };

  const counts = new Array<number>(rows).fill(0);
  for (let row = 0; row < rows; row++) {
    const top = GAP + row * rowHeight;
    const text = String(row);
    drawText(
      text,
      { x: GAP, y: top + Math.floor((tile.height - textHeight(LABEL_SCALE)) / 2), scale: LABEL_SCALE },
      ink(LABEL_INK),
    );
    for (let column = 0; column < perClass; column++) {
      const left = labelWidth + column * (tile.width + GAP);
      for (let y = 0; y < tile.height; y++) for (let x = 0; x < tile.width; x++) ink(EMPTY)(left + x, top + y);
    }
  }
  labels.forEach((label, index) => {
    if (label >= rows) return;
    const left = labelWidth + counts[label]++ * (tile.width + GAP);
    const top = GAP + label * rowHeight;
    for (let y = 0; y < tile.height; y++) {
      for (let x = 0; x < tile.width; x++) {
        const from = ((index * height + Math.floor(y / scale)) * width + Math.floor(x / scale)) * channels;
        const to = ((top + y) * size.width + left + x) * channels;
        for (let channel = 0; channel < channels; channel++)
          data[to + channel] = Math.round(images[from + channel] * 255);
      }
    }
    const text = `${(confidences[index] * 100).toFixed(1)}%`;
    const x = left + Math.floor((tile.width - textWidth(text, CONFIDENCE_SCALE)) / 2);
    drawText(text, { x, y: top + tile.height + 6, scale: CONFIDENCE_SCALE }, ink(CONFIDENCE_INK));
  });
  return encode({ ...size, data, channels, depth: 8 });
}

/** What tells how a picture of samples is laid out. */
export type SamplesShape = Pick<SamplesEvent, 'height' | 'width' | 'channels' | 'classes'>;

/**
 * The first image of each class in a picture that `renderSamplesImage` drew, in 0..1 and to the 8 bits that the picture
 * holds (so grey, where they have other than three channels); null where the class has none. The first 100 classes.
 */
export function readFirstImages(picture: Uint8Array, shape: SamplesShape): (Float32Array | null)[] {
  const { height, width } = shape;
  const channels = visibleChannels(shape.channels);
  const { rows, scale, labelWidth, rowHeight } = layOut(shape);
  const decoded = decode(picture);
  return Array.from({ length: rows }, (_, row) => {
    const image = Float32Array.from({ length: height * width * channels }, (_pixel, index) => {
      const [position, channel] = [Math.floor(index / channels), index % channels];
      const y = GAP + row * rowHeight + Math.floor(position / width) * scale;
      const x = labelWidth + (position % width) * scale;
      return decoded.data[(y * decoded.width + x) * channels + channel] / 255;
    });
    return image.every((value) => value === Math.fround(EMPTY / 255)) ? null : image;
  });
}

function layOut({ height, width, classes }: Pick<SamplesShape, 'height' | 'width' | 'classes'>) {
  const rows = Math.min(classes, MOST_ROWS);
  const scale = Math.max(1, Math.floor(TILE_SIDE / Math.max(height, width)));
  const tile = { width: width * scale, height: height * scale };
  const labelWidth = textWidth(String(rows - 1), LABEL_SCALE) + 2 * GAP;
  const rowHeight = tile.height + 6 + textHeight(CONFIDENCE_SCALE) + GAP;
  return { rows, scale, tile, labelWidth, rowHeight };
}

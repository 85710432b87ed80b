import type { SamplesEvent } from '@dafl/core';
import { encode } from 'fast-png';
import { drawText, textHeight, textWidth } from '../pixel-font.ts';
import type { StoredSamples } from '../read-samples.ts';
import { readFirstImages, type SamplesShape } from '../samples-image.ts';
import { visibleChannels, visibleSamples } from '../visible-samples.ts';

/** The first image of each class at one moment. */
export interface TimelineRow {
  readonly step: number;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** By class: pixels in 0..1, or null where no image was of that class. */
  readonly images: readonly (Float32Array | null)[];
}

const TILE_SIDE = 64;
const GAP = 4;
const SCALE = 2;
const MOST_CLASSES = 20;
const MOST_ROWS = 16;
const BACKGROUND = 18;
const INK = 225;

/** Takes what a timeline shows out of a picture of samples. */
export function timelineRow(samples: SamplesEvent): TimelineRow {
  const { step, height, width, channels, images, labels, classes } = visibleSamples(samples);
  const size = height * width * channels;
  const shown = Math.min(classes, MOST_CLASSES);
  return {
    step,
    height,
    width,
    channels: visibleChannels(channels),
    images: Array.from({ length: shown }, (_, label) => {
      const index = labels.indexOf(label);
      return index < 0 ? null : images.slice(index * size, (index + 1) * size);
    }),
  };
}

/** The same out of a picture that was stored, for a run that goes on. */
export function readTimelineRow({ step, image }: StoredSamples, shape: SamplesShape): TimelineRow {
  const { height, width } = shape;
  const channels = visibleChannels(shape.channels);
  return { step, height, width, channels, images: readFirstImages(image, shape).slice(0, MOST_CLASSES) };
}

/**
 * Draws generated images by class over the training as a PNG: a row for each moment, its step at the left, a column for
 * each class (the paper's figure of generated digits). The first 20 classes and at most 16 moments, the last included.
 *
 * @param rows At least one, in the order of their steps.
 */
export function renderTimelineImage(rows: readonly TimelineRow[]): Uint8Array {
  const count = Math.min(rows.length, MOST_ROWS);
  const chosen = Array.from({ length: count }, (_, index) => rows[Math.ceil(((index + 1) * rows.length) / count) - 1]);
  const [{ height, width, channels, images }] = chosen;
  const scale = Math.max(1, Math.floor(TILE_SIDE / Math.max(height, width)));
  const [tileHeight, tileWidth] = [height * scale, width * scale];
  const margin = Math.max(...chosen.map(({ step }) => textWidth(String(step), SCALE))) + 4 * GAP;
  const head = textHeight(SCALE) + 3 * GAP;
  const size = {
    width: margin + images.length * (tileWidth + GAP),
    height: head + chosen.length * (tileHeight + GAP),
  };
  const data = new Uint8Array(size.width * size.height * channels).fill(BACKGROUND);
  const ink = (x: number, y: number): void =>
    void data.fill(INK, (y * size.width + x) * channels, (y * size.width + x + 1) * channels);
  images.forEach((_, label) => {
    const text = String(label);
    const x = margin + label * (tileWidth + GAP) + Math.floor((tileWidth - textWidth(text, SCALE)) / 2);
    drawText(text, { x, y: GAP, scale: SCALE }, ink);
  });
  chosen.forEach((row, index) => {
    const top = head + index * (tileHeight + GAP);
    drawText(
      String(row.step),
      { x: GAP, y: top + Math.floor((tileHeight - textHeight(SCALE)) / 2), scale: SCALE },
      ink,
    );
    row.images.forEach((image, label) => {
      if (image === null) return;
      const left = margin + label * (tileWidth + GAP);
      for (let y = 0; y < tileHeight; y++) {
        for (let x = 0; x < tileWidth; x++) {
          const from = (Math.floor(y / scale) * width + Math.floor(x / scale)) * channels;
          const to = ((top + y) * size.width + left + x) * channels;
          for (let channel = 0; channel < channels; channel++)
            data[to + channel] = Math.round(image[from + channel] * 255);
        }
      }
    });
  });
  return encode({ ...size, data, channels, depth: 8 });
}

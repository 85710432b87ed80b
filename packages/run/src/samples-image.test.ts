import type { SamplesEvent } from '@dafl/core';
import { decode } from 'fast-png';
import { expect, test } from 'vitest';
import { drawText, textHeight, textWidth } from './pixel-font.ts';
import { readFirstImages, renderSamplesImage } from './samples-image.ts';

function samples(changes: Partial<SamplesEvent> = {}): SamplesEvent {
  return {
    event: 'samples',
    step: 1,
    height: 4,
    width: 4,
    channels: 1,
    images: Float32Array.from({ length: 2 * 16 }, (_, index) => (index < 16 ? 1 : 0.5)),
    labels: Uint32Array.of(0, 2),
    confidences: Float32Array.of(1, 0.25),
    classes: 3,
    classCounts: [1, 0, 1],
    perClass: 2,
    ...changes,
  };
}

test('tiles stand in the row of their class, magnified without smoothing', () => {
  const { width, height, data, channels } = decode(renderSamplesImage(samples()));
  expect(channels).toBe(1);
  const count = (value: number) => data.filter((pixel) => pixel === value).length;
  // 4 pixels at 24 times their size give 96.
  expect(count(255)).toBe(96 * 96);
  expect(count(128)).toBe(96 * 96);
  const rowOf = (value: number) => Math.floor(data.indexOf(value) / width);
  expect(rowOf(255)).toBe(10);
  expect(rowOf(128)).toBeGreaterThan((height / 3) * 2);
});

test('three channels are drawn in colour', () => {
  const images = Float32Array.from({ length: 16 * 3 }, (_, index) => [1, 0, 0.5][index % 3]);
  const { data, channels, width } = decode(
    renderSamplesImage(samples({ channels: 3, images, labels: Uint32Array.of(0) })),
  );
  const at = (10 * width + width - 2 * 106) * 3;
  expect(channels).toBe(3);
  expect([...data.subarray(at, at + 3)]).toEqual([255, 0, 128]);
});

test.each([2, 4, 5, 13])('images of %i channels are drawn as the mean of them', (channels) => {
  const images = Float32Array.from({ length: 16 * channels }, (_, index) => (index % channels === 0 ? 0.25 : 1));
  const shown = samples({ channels, images, labels: Uint32Array.of(1) });
  const picture = renderSamplesImage(shown);
  const { data, channels: drawn } = decode(picture);
  expect(drawn).toBe(1);
  const mean = Math.round((255 * (channels - 0.75)) / channels);
  expect(data.filter((value) => value === mean)).toHaveLength(96 * 96);
  const shape = { height: 4, width: 4, channels, classes: 3 };
  expect(readFirstImages(picture, shape)).toEqual([null, new Float32Array(16).fill(mean / 255), null]);
});

test.each([1, 3])('the first image of each class can be read back, of %i channels', (channels) => {
  const images = Float32Array.from({ length: 3 * 16 * channels }, (_, index) => ((index * 7) % 256) / 255);
  const shape = { height: 4, width: 4, channels, classes: 3 };
  const labels = Uint32Array.of(2, 0, 2);
  const picture = renderSamplesImage(samples({ ...shape, images, labels, confidences: Float32Array.of(1, 1, 1) }));
  const image = (index: number) => images.slice(index * 16 * channels, (index + 1) * 16 * channels);
  expect(readFirstImages(picture, shape)).toEqual([image(1), null, image(0)]);
});

test('large images are not magnified', () => {
  const images = new Float32Array(200 * 200).fill(1);
  const { data } = decode(
    renderSamplesImage(
      samples({ height: 200, width: 200, images, labels: Uint32Array.of(1), confidences: Float32Array.of(0.5) }),
    ),
  );
  expect(data.filter((pixel) => pixel === 255)).toHaveLength(200 * 200);
});

test('text', () => {
  const size = { width: textWidth('4.%', 1), height: textHeight(1) };
  const rows = Array.from({ length: size.height }, () => Array<string>(size.width).fill(' '));
  drawText('4.%', { x: 0, y: 0, scale: 1 }, (x, y) => {
    rows[y][x] = '#';
  });
  expect(`\n${rows.map((row) => row.join('').trimEnd()).join('\n')}\n`).toMatchInlineSnapshot(`
    "
       #        ##
      ##        ##  #
     # #           #
    #  #          #
    #####        #
       #   ##   #  ##
       #   ##      ##
    "
  `);
});

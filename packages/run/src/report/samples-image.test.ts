import type { SamplesEvent } from '@dafl/core';
import { decode } from 'fast-png';
import { expect, test } from 'vitest';
import { readSamplesImage, renderSamplesImage } from './samples-image.ts';

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
  expect(rowOf(255)).toBe(6);
  expect(rowOf(128)).toBe(6 + 2 * (96 + 6));
  expect(height).toBe(6 + 3 * (96 + 6));
});

test('three channels are drawn in colour', () => {
  const images = Float32Array.from({ length: 16 * 3 }, (_, index) => [1, 0, 0.5][index % 3]);
  const { data, channels, width } = decode(
    renderSamplesImage(samples({ channels: 3, images, labels: Uint32Array.of(0) })),
  );
  const at = (6 * width + 6) * 3;
  expect(channels).toBe(3);
  expect([...data.subarray(at, at + 3)]).toEqual([255, 0, 128]);
});

test.each([2, 4, 5, 13])('images of %i channels are drawn as the mean of them', (channels) => {
  const images = Float32Array.from({ length: 16 * channels }, (_, index) => (index % channels === 0 ? 0.25 : 1));
  const shown = samples({ channels, images, labels: Uint32Array.of(1), confidences: Float32Array.of(1) });
  const picture = renderSamplesImage(shown);
  const { data, channels: drawn } = decode(picture);
  expect(drawn).toBe(1);
  const mean = Math.round((255 * (channels - 0.75)) / channels);
  expect(data.filter((value) => value === mean)).toHaveLength(96 * 96);
  expect(readSamplesImage(picture).images).toEqual([
    { label: 1, confidence: 1, picture: { height: 4, width: 4, channels: 1, data: new Uint8Array(16).fill(mean) } },
  ]);
});

test.each([1, 3] as const)('what was drawn can be read back, of %i channels', (channels) => {
  const images = Float32Array.from({ length: 3 * 16 * channels }, (_, index) => ((index * 7) % 256) / 255);
  const labels = Uint32Array.of(0, 2, 2);
  const confidences = Float32Array.of(1, 0.5, 0.25);
  const picture = renderSamplesImage(samples({ channels, images, labels, confidences, step: 7 }));
  const data = (index: number) =>
    Uint8Array.from(images.slice(index * 16 * channels, (index + 1) * 16 * channels), (value) =>
      Math.round(value * 255),
    );
  const stored = (index: number) => ({
    label: labels[index],
    confidence: confidences[index],
    picture: { height: 4, width: 4, channels, data: data(index) },
  });
  expect(readSamplesImage(picture)).toEqual({ step: 7, classes: 3, images: [stored(0), stored(1), stored(2)] });
  expect(readSamplesImage(picture, 1).images).toEqual([stored(0), stored(1)]);
});

test('of 1000 classes the first 100 are drawn', () => {
  const labels = Uint32Array.from({ length: 1000 }, (_, index) => index);
  const images = new Float32Array(1000 * 16).fill(1);
  const picture = renderSamplesImage(
    samples({ classes: 1000, labels, images, confidences: new Float32Array(1000).fill(1), perClass: 1 }),
  );
  expect(readSamplesImage(picture).images.map(({ label }) => label)).toEqual([...labels.subarray(0, 100)]);
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

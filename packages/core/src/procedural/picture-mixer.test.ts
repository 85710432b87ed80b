import { expect, it } from 'vitest';
import { createRandomStream } from '../random.ts';
import { type Mixture, PictureMixer } from './picture-mixer.ts';

const size = { height: 4, width: 6, channels: 3 };
const length = 4 * 6 * 3;
const options = {
  size,
  mean: [0.5, 0.4, 0.3],
  standardDeviation: [0.5, 0.25, 0.2],
};
function mix(pictures: readonly Uint8Array[], changes: Partial<Mixture> = {}): Float32Array {
  const mixture = { shift: 0, horizontalFlip: false, mixing: 'none', ...changes } as const;
  return new PictureMixer(options).mix(pictures, mixture, createRandomStream(1, 'mixing'));
}

const flat = (level: number): Uint8Array => new Uint8Array(length).fill(level);

/** What a pixel of each channel is in the input space. */
const expected = (level: number): number[] =>
  options.mean.map((mean, channel) => (level / 255 - mean) / options.standardDeviation[channel]);

it('brings bytes to the input space, channel by channel', () => {
  const output = mix([flat(51), flat(204)]);
  for (let index = 0; index < output.length; index++) {
    expect(output[index]).toBeCloseTo(expected(index < length ? 51 : 204)[index % 3], 5);
  }
});

it('blends whole pictures by mixup, and puts a rectangle of one into another by cutmix', () => {
  const levels = [0, 60, 120, 180, 240];
  const batch = levels.map(flat);
  const level = (value: number): number => (value * options.standardDeviation[0] + options.mean[0]) * 255;
  const blended = mix(batch, { mixing: 'mixup' });
  const pasted = mix(batch, { mixing: 'cutmix' });
  for (let image = 0; image < batch.length; image++) {
    const values = (output: Float32Array): Set<number> =>
      new Set(Array.from({ length: length / 3 }, (_, pixel) => Math.round(level(output[image * length + pixel * 3]))));
    expect(values(blended).size).toBe(1);
    for (const value of values(pasted)) expect(levels).toContain(value);
    expect(values(pasted).size).toBeLessThanOrEqual(2);
  }
});

it('mirrors half of the pictures and shifts them all, continuing their border', () => {
  const ramp = Uint8Array.from({ length }, (_, index) => Math.floor(index / 3) % 6);
  const batch = Array.from({ length: 200 }, () => ramp);
  const output = mix(batch, { horizontalFlip: true, shift: 1 });
  const rows = batch.map((_, image) =>
    Array.from({ length: 6 }, (_, column) =>
      Math.round((output[image * length + column * 3] * options.standardDeviation[0] + options.mean[0]) * 255),
    ),
  );
  const kinds = new Map<string, number>();
  for (const row of rows) kinds.set(row.join(''), (kinds.get(row.join('')) ?? 0) + 1);
  expect([...kinds.keys()].sort()).toEqual(['001234', '012345', '123455', '432100', '543210', '554321'].sort());
  for (const count of kinds.values()) expect(count).toBeGreaterThan(15);
});

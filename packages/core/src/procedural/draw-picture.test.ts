import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createRandomStream } from '../random.ts';
import { drawPicture } from './draw-picture.ts';
import { pictureRules } from './picture-rules.ts';
import { pictureFamilies, type PictureFamilyName } from './picture-families.ts';

const families = Object.keys(pictureFamilies) as PictureFamilyName[];

function draw(
  family: PictureFamilyName,
  { height = 16, width = 16, channels = 1, isInverted = false, name = 'a' } = {},
): Uint8Array {
  const picture = new Uint8Array(height * width * channels);
  drawPicture({ family, isInverted }, { height, width, channels }, createRandomStream(3, name), picture);
  return picture;
}

describe.each(families)('%s', (family) => {
  it('is the same picture from the same stream, and another from another', () => {
    expect(draw(family)).toEqual(draw(family));
    const pictures = ['a', 'b', 'c', 'd'].map((name) => draw(family, { name }).join());
    expect(new Set(pictures).size).toBe(4);
  });

  it('exchanges light and dark where it is inverted', () => {
    const plain = draw(family);
    const inverted = draw(family, { isInverted: true });
    for (let index = 0; index < plain.length; index++) {
      expect(Math.abs(plain[index] + inverted[index] - 255)).toBeLessThanOrEqual(1);
    }
  });

  it.each([
    [9, 5, 2],
    [24, 40, 3],
    [12, 12, 13],
  ])('draws any size: %i x %i of %i channels', (height, width, channels) => {
    // Of several pictures at least one is not flat.
    const ranges = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => {
      const picture = draw(family, { height, width, channels, name });
      return Math.max(...picture) - Math.min(...picture);
    });
    expect(Math.max(...ranges)).toBeGreaterThan(40);
  });
});

it('keeps the channels of a pixel alike, as those of photographs are', () => {
  const pictures = families.flatMap((family) =>
    Array.from({ length: 24 }, (_, index) => draw(family, { height: 32, width: 32, channels: 3, name: `${index}` })),
  );
  let [ofLightness, ofColour] = [0, 0];
  for (const picture of pictures) {
    const average = picture.reduce((sum, value) => sum + value, 0) / picture.length;
    for (let index = 0; index < picture.length; index += 3) {
      const mean = (picture[index] + picture[index + 1] + picture[index + 2]) / 3;
      ofLightness += (mean - average) ** 2;
      for (let channel = 0; channel < 3; channel++) ofColour += (picture[index + channel] - mean) ** 2 / 3;
    }
  }
  // CIFAR-10's training images (data_batch_1.bin): 0.142. Colours that are as strong, but of finer detail, serve worse.
  expect(ofColour / ofLightness).toBeGreaterThan(0.03);
  expect(ofColour / ofLightness).toBeLessThan(0.142);
});

it('draws the pictures that its rules are known for', () => {
  const hash = createHash('sha256');
  for (const family of families) {
    for (const channels of [1, 3]) {
      for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) hash.update(draw(family, { channels, name }));
    }
  }
  // Other pictures are other rules: raise `pictureRules` with this, so that no run goes on with others than it began with.
  expect([pictureRules, hash.digest('hex').slice(0, 16)]).toEqual([3, '0d27a31c91ae74e4']);
});

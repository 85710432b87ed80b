import { DaflError, fail, type ImageSet } from '@dafl/core';
import type { DecodedImage } from './decode-image.ts';
import { greyShares } from './_grey-shares.ts';

/** Shape that all images get, and their classes. */
export interface CollectImagesOptions {
  /** Default: the first image's. */
  readonly height?: number;
  /** Default: the first image's. */
  readonly width?: number;
  /** 1 (grey) or 3. Default: 3 if any image has colours. */
  readonly channels?: 1 | 3;
  /** Class of each image. */
  readonly labels?: Uint32Array;
}

/**
 * Makes pictures of any size one set: resized bilinearly (half-pixel centres, no antialiasing, as a model's
 * preprocessing), grey repeated to three channels, colours mixed to grey.
 *
 * @throws {DaflError} `DATA` if there is no image, or not one label for each.
 */
export function collectImages(images: readonly DecodedImage[], options: CollectImagesOptions = {}): ImageSet {
  const [first] = images;
  if (first === undefined) throw new DaflError('DATA', 'Cannot collect images as there must be one: found none');
  const { height = first.height, width = first.width, labels } = options;
  const channels = options.channels ?? (images.some((image) => image.channels === 3) ? 3 : 1);
  if (labels !== undefined && labels.length !== images.length) {
    fail({ code: 'DATA', cannot: 'collect images', as: `there must be ${images.length} labels`, value: labels.length });
  }
  const size = height * width * channels;
  const pixels = new Uint8Array(images.length * size);
  images.forEach((image, index) => {
    const at = (row: number, column: number, channel: number): number => {
      const start = (row * image.width + column) * image.channels;
      if (image.channels === channels) return image.pixels[start + channel];
      if (image.channels === 1) return image.pixels[start];
      return greyShares.reduce((sum, share, colour) => sum + share * image.pixels[start + colour], 0);
    };
    for (let row = 0; row < height; row++) {
      const [top, bottom, down] = neighbours(row, image.height / height, image.height);
      for (let column = 0; column < width; column++) {
        const [left, right, across] = neighbours(column, image.width / width, image.width);
        for (let channel = 0; channel < channels; channel++) {
          const upper = at(top, left, channel) * (1 - across) + at(top, right, channel) * across;
          const lower = at(bottom, left, channel) * (1 - across) + at(bottom, right, channel) * across;
          pixels[index * size + (row * width + column) * channels + channel] = Math.round(
            upper * (1 - down) + lower * down,
          );
        }
      }
    }
  });
  return { count: images.length, height, width, channels, pixels, labels };
}

/** The two places that an output place lies between, and the share of the second. */
function neighbours(place: number, scale: number, size: number): [low: number, high: number, share: number] {
  const source = Math.min(Math.max((place + 0.5) * scale - 0.5, 0), size - 1);
  const low = Math.floor(source);
  return [low, Math.min(low + 1, size - 1), source - low];
}

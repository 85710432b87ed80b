import { DaflError } from '@dafl/core';
import { convertIndexedToRgb, decode as decodePng } from 'fast-png';
import { decode as decodeJpeg } from 'jpeg-js';
import { jpegOrientation } from './_jpeg-orientation.ts';
import { stripPng } from './_strip-png.ts';
import { turnImage } from './_turn-image.ts';

/** One picture: grey or RGB, without alpha. */
export interface DecodedImage {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  /** Shape `[height, width, channels]`, 0..255. */
  readonly pixels: Uint8Array;
}

/** Pictures of more pixels, or of none, are rejected by their header, before anything is unpacked. */
const MOST_PIXELS = 64 * 1024 * 1024;

/**
 * Decodes a PNG or JPEG file, told apart by their first bytes. Transparency is dropped, 16 bits become 8, and what a
 * camera says of how it was held is followed.
 *
 * @param name How errors call it.
 * @throws {DaflError} `DATA` if it is neither, damaged, of no or more than 64 million pixels, or unpacks
 *   to more than its size tells.
 */
export function decodeImage(bytes: Uint8Array, name = 'file'): DecodedImage {
  const fail = (rule: string, value: string, cause?: unknown): never => {
    throw new DaflError('DATA', `Cannot read '${name}' as ${rule}: current value is ${value}`, { cause });
  };
  const isPng = bytes[0] === 0x89 && bytes[1] === 0x50 && bytes[2] === 0x4e && bytes[3] === 0x47;
  const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
  if (!isPng && !isJpeg) fail('it must be a PNG or JPEG file', bytes.length === 0 ? 'empty' : 'another format');
  try {
    if (isJpeg) {
      const { width, height, data } = decodeJpeg(bytes, {
        useTArray: true,
        formatAsRGBA: false,
        tolerantDecoding: false,
        maxResolutionInMP: MOST_PIXELS / 1e6,
        maxMemoryUsageInMB: 2048,
      });
      return turnImage({ width, height, channels: 3, pixels: data }, jpegOrientation(bytes));
    }
    if (bytes.length >= 29) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const [width, height] = [view.getUint32(16), view.getUint32(20)];
      if (width * height > MOST_PIXELS || width * height === 0)
        fail(`it must have 1..${MOST_PIXELS} pixels`, `${width}x${height}`);
      if (bytes[24] < 8 && bytes[28] !== 0)
        fail('a PNG file of less than 8 bits a value must not be interlaced', `${bytes[24]} bits`);
    }
    const png = decodePng(
      stripPng(bytes, (current) => fail('it must be a whole PNG or JPEG file', current)),
      { checkCrc: true },
    );
    const { width, height, depth } = png;
    const isIndexed = png.palette !== undefined;
    const data = isIndexed ? convertIndexedToRgb(png) : depth < 8 ? unpackBits(png) : png.data;
    const from = isIndexed ? data.length / (width * height) : png.channels;
    const channels = from >= 3 ? 3 : 1;
    const pixels = new Uint8Array(width * height * channels);
    const largest = isIndexed ? 255 : 2 ** depth - 1;
    for (let pixel = 0; pixel < width * height; pixel++) {
      for (let channel = 0; channel < channels; channel++)
        pixels[pixel * channels + channel] = Math.round((data[pixel * from + channel] * 255) / largest);
    }
    return { width, height, channels, pixels };
  } catch (error) {
    if (error instanceof DaflError) throw error;
    return fail('it must be a whole PNG or JPEG file', (error as Error).message, error);
  }
}

/** One value a byte, of grey pixels that share bytes; each row begins with a byte of its own. */
function unpackBits({ width, height, depth, data }: ReturnType<typeof decodePng>): Uint8Array {
  const values = new Uint8Array(width * height);
  const rowBytes = Math.ceil((width * depth) / 8);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const bit = column * depth;
      const shift = 8 - depth - (bit % 8);
      values[row * width + column] = (data[row * rowBytes + (bit >> 3)] >> shift) & (2 ** depth - 1);
    }
  }
  return values;
}

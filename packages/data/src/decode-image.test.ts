import { encode as encodePng } from 'fast-png';
import { encode as encodeJpeg } from 'jpeg-js';
import { describe, expect, it } from 'vitest';
import { collectImages } from './collect-images.ts';
import { decodeImage } from './decode-image.ts';

const rgba = Uint8Array.of(255, 0, 0, 255, 0, 255, 0, 0, 0, 0, 255, 128, 10, 20, 30, 255);

describe('decodeImage', () => {
  it('reads PNG files of every kind as grey or RGB', () => {
    const colour = decodeImage(encodePng({ width: 2, height: 2, data: rgba, channels: 4 }));
    expect(colour).toMatchObject({ width: 2, height: 2, channels: 3 });
    expect([...colour.pixels]).toEqual([255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30]);
    const deep = encodePng({ width: 2, height: 1, data: Uint16Array.of(0, 65535), channels: 1, depth: 16 });
    expect([...decodeImage(deep).pixels]).toEqual([0, 255]);
    const alpha = encodePng({ width: 1, height: 1, data: Uint8Array.of(7, 9), channels: 2 });
    expect(decodeImage(alpha)).toMatchObject({ channels: 1, pixels: Uint8Array.of(7) });
  });

  it('reads JPEG files', () => {
    const data = new Uint8Array(16 * 16 * 4).fill(200);
    const { data: bytes } = encodeJpeg({ width: 16, height: 16, data: Buffer.from(data) }, 95);
    const image = decodeImage(bytes);
    expect(image).toMatchObject({ width: 16, height: 16, channels: 3 });
    expect(image.pixels.every((value) => Math.abs(value - 200) <= 2)).toBe(true);
  });

  it('rejects what is no picture, damaged, or too large to be unpacked', () => {
    expect(() => decodeImage(Uint8Array.of(1, 2, 3), 'a.png')).toThrow(
      "Cannot read 'a.png' as it must be a PNG or JPEG file: current value is another format",
    );
    expect(() => decodeImage(new Uint8Array(), 'a.png')).toThrow(/current value is empty/);
    const png = encodePng({ width: 2, height: 2, data: rgba, channels: 4 });
    expect(() => decodeImage(png.subarray(0, 40), 'a.png')).toThrow(/must be a whole PNG or JPEG file/);
    const { data: jpeg } = encodeJpeg({ width: 16, height: 16, data: Buffer.alloc(1024) }, 50);
    expect(() => decodeImage(new Uint8Array(jpeg).subarray(0, 100), 'a.jpg')).toThrow(/Cannot read 'a.jpg'/);
    const huge = Uint8Array.from(png);
    new DataView(huge.buffer).setUint32(16, 100_000);
    new DataView(huge.buffer).setUint32(20, 100_000);
    expect(() => decodeImage(huge, 'a.png')).toThrow(/at most 67108864 pixels: current value is 100000x100000/);
  });
});

describe('collectImages', () => {
  const grey = { width: 2, height: 1, channels: 1 as const, pixels: Uint8Array.of(0, 100) };
  const colour = { width: 1, height: 1, channels: 3 as const, pixels: Uint8Array.of(100, 0, 0) };

  it('brings all to the size and the channels of the first, or what is asked for', () => {
    expect(collectImages([grey, colour])).toEqual({
      count: 2,
      height: 1,
      width: 2,
      channels: 3,
      pixels: Uint8Array.of(0, 0, 0, 100, 100, 100, 100, 0, 0, 100, 0, 0),
      labels: undefined,
    });
    expect([...collectImages([colour], { channels: 1 }).pixels]).toEqual([30]);
    // Half-pixel centres: 4 places lie at -0.25, 0.25, 0.75 and 1.25 of the two.
    expect([...collectImages([grey], { width: 4 }).pixels]).toEqual([0, 25, 75, 100]);
  });

  it('rejects no image, and labels of another count', () => {
    expect(() => collectImages([])).toThrow('Cannot collect images as there must be one: found none');
    expect(() => collectImages([grey], { labels: Uint8Array.of(1, 2) })).toThrow(
      'Cannot collect images as there must be 1 labels: current value is 2',
    );
  });
});

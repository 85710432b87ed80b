import { crc32, deflateSync } from 'node:zlib';
import { encode as encodePng } from 'fast-png';
import { encode as encodeJpeg } from 'jpeg-js';
import { describe, expect, it } from 'vitest';
import { collectImages } from './collect-images.ts';
import { decodeImage } from './decode-image.ts';
import { matchChannels } from './match-channels.ts';

const rgba = Uint8Array.of(255, 0, 0, 255, 0, 255, 0, 0, 0, 0, 255, 128, 10, 20, 30, 255);

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** A grey PNG file of rows that each begin with their filter. */
function pngFile(
  header: { width: number; height: number; depth: number; interlaced?: boolean },
  rows: Uint8Array,
  more: readonly Uint8Array[] = [],
): Uint8Array {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(header.width, 0);
  data.writeUInt32BE(header.height, 4);
  data[8] = header.depth;
  data[12] = header.interlaced === true ? 1 : 0;
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  const chunks = [chunk('IHDR', data), ...more, chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([signature, ...chunks]);
}

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

  // A picture of 16 x 8 in four parts of one grey each, as rows of the parts.
  it.each([
    [
      1,
      [
        [0, 80],
        [160, 240],
      ],
    ],
    [
      2,
      [
        [80, 0],
        [240, 160],
      ],
    ],
    [
      3,
      [
        [240, 160],
        [80, 0],
      ],
    ],
    [
      4,
      [
        [160, 240],
        [0, 80],
      ],
    ],
    [
      5,
      [
        [0, 160],
        [80, 240],
      ],
    ],
    [
      6,
      [
        [160, 0],
        [240, 80],
      ],
    ],
    [
      7,
      [
        [240, 80],
        [160, 0],
      ],
    ],
    [
      8,
      [
        [80, 240],
        [0, 160],
      ],
    ],
    [
      9,
      [
        [0, 80],
        [160, 240],
      ],
    ],
  ])('turns a JPEG file of orientation %i as Exif says', (orientation, parts) => {
    const [width, height] = [32, 16];
    const data = Uint8Array.from({ length: width * height * 4 }, (_, index) => {
      const pixel = index >> 2;
      return index % 4 === 3 ? 255 : (pixel % width >= 16 ? 80 : 0) + (pixel >= 8 * width ? 160 : 0);
    });
    const jpeg = encodeJpeg({ width, height, data }, 100).data;
    for (const isLittleEndian of [true, false]) {
      const exif = Buffer.alloc(36);
      const view = new DataView(exif.buffer, exif.byteOffset);
      view.setUint32(0, 0xffe10022);
      exif.write('Exif', 4);
      exif.write(isLittleEndian ? 'II' : 'MM', 10);
      view.setUint16(12, 42, isLittleEndian);
      view.setUint32(14, 8, isLittleEndian);
      [1, 0x0112, 3].forEach((value, index) => view.setUint16(18 + 2 * index, value, isLittleEndian));
      view.setUint32(24, 1, isLittleEndian);
      view.setUint16(28, orientation, isLittleEndian);
      const file = Buffer.concat([jpeg.subarray(0, 2), exif, jpeg.subarray(2)]);
      const turned = decodeImage(file);
      const isTall = orientation >= 5 && orientation <= 8;
      expect(turned).toMatchObject(isTall ? { width: 16, height: 32 } : { width: 32, height: 16 });
      const at = (row: number, column: number) =>
        turned.pixels[(Math.floor(turned.height * row) * turned.width + Math.floor(turned.width * column)) * 3];
      [0.25, 0.75].forEach((row, index) =>
        [0.25, 0.75].forEach((column, place) =>
          expect(Math.abs(at(row, column) - parts[index][place])).toBeLessThan(4),
        ),
      );
      // Cut off anywhere, nothing is read beyond the end.
      for (let length = 2; length < 40; length++)
        expect(() => decodeImage(file.subarray(0, length))).toThrow(/as it must be/);
    }
  });

  it.each([
    [1, [[0b10110000]], 4, [255, 0, 255, 255]],
    [
      1,
      [
        [0b00000001, 0b10000000],
        [0b11111111, 0b00000000],
      ],
      9,
      [0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0],
    ],
    [2, [[0b00011011], [0b11100100]], 3, [0, 85, 170, 255, 170, 85]],
    [4, [[0x0f, 0x80]], 3, [0, 255, 136]],
  ])('reads grey of %i bits, whose rows begin on a byte', (depth, rows, width, expected) => {
    const bytes = pngFile({ width, height: rows.length, depth }, Uint8Array.from(rows.flatMap((row) => [0, ...row])));
    expect([...decodeImage(bytes).pixels]).toEqual(expected);
  });

  it('leaves out what says nothing of the pixels, and stops at pixels that unpack to more than the header tells', () => {
    const pixel = Uint8Array.of(0, 9);
    const withProfile = pngFile({ width: 1, height: 1, depth: 8 }, pixel, [
      chunk('iCCP', Buffer.from('x\0\0no packed profile')),
    ]);
    expect([...decodeImage(withProfile).pixels]).toEqual([9]);
    expect(() => decodeImage(pngFile({ width: 1, height: 1, depth: 8 }, new Uint8Array(1024 * 1024)), 'a.png')).toThrow(
      "Cannot read 'a.png' as it must be a whole PNG or JPEG file: current value is its pixels unpack to more bytes than its header tells",
    );
  });

  it('rejects a picture without pixels, and one whose rows it cannot tell', () => {
    expect(() => decodeImage(pngFile({ width: 0, height: 0, depth: 8 }, new Uint8Array()), 'a.png')).toThrow(
      'must have 1..67108864 pixels: current value is 0x0',
    );
    const interlaced = pngFile({ width: 2, height: 1, depth: 1, interlaced: true }, Uint8Array.of(0, 0x80, 0, 0x80));
    expect(() => decodeImage(interlaced, 'a.png')).toThrow('must not be interlaced: current value is 1 bits');
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
    expect(() => decodeImage(huge, 'a.png')).toThrow(/1\.\.67108864 pixels: current value is 100000x100000/);
  });
});

describe('matchChannels', () => {
  const set = { count: 1, height: 1, width: 2 };

  it('repeats grey, mixes colours, and leaves alone what fits', () => {
    const grey = { ...set, channels: 1, pixels: Uint8Array.of(3, 4) };
    expect(matchChannels(grey, 3)).toEqual({ ...set, channels: 3, pixels: Uint8Array.of(3, 3, 3, 4, 4, 4) });
    expect(matchChannels(grey, 1)).toBe(grey);
    const colour = { ...set, channels: 3, pixels: Uint8Array.of(100, 0, 0, 0, 0, 100) };
    expect([...matchChannels(colour, 1).pixels]).toEqual([30, 11]);
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
    expect(() => collectImages([grey], { labels: Uint32Array.of(1, 2) })).toThrow(
      'Cannot collect images as there must be 1 labels: current value is 2',
    );
  });
});

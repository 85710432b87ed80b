import { encode } from 'fast-png';
import type { Picture } from './picture.ts';

/** Pictures in one PNG file, row after row. */
export interface PictureSheet {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** How they lie: pixels between columns and between rows, which are transparent. */
export interface SheetLayout {
  readonly columns: number;
  readonly gap: number;
  readonly rowGap: number;
}

/**
 * Puts pictures into one file.
 *
 * @param pictures One at least, whose size all get; null leaves a place free.
 */
export function pictureSheet(pictures: readonly (Picture | null)[], layout: SheetLayout): PictureSheet {
  const { columns, gap, rowGap } = layout;
  const { height: tileHeight, width: tileWidth } = pictures.find((picture) => picture !== null)!;
  const rows = Math.ceil(pictures.length / columns);
  const width = columns * (tileWidth + gap) - gap;
  const height = rows * (tileHeight + rowGap) - rowGap;
  const isGrey = pictures.every((picture) => picture === null || picture.channels === 1);
  const channels = isGrey ? 2 : 4;
  const data = new Uint8Array(width * height * channels);
  pictures.forEach((given, index) => {
    if (given === null) return;
    const picture = resize(given, tileHeight, tileWidth);
    const [left, top] = [(index % columns) * (tileWidth + gap), Math.floor(index / columns) * (tileHeight + rowGap)];
    for (let y = 0; y < tileHeight; y++)
      for (let x = 0; x < tileWidth; x++) {
        const from = (y * tileWidth + x) * picture.channels;
        const to = ((top + y) * width + left + x) * channels;
        if (isGrey) data[to] = picture.data[from];
        else
          for (let channel = 0; channel < 3; channel++)
            data[to + channel] = picture.data[picture.channels === 1 ? from : from + channel];
        data[to + channels - 1] = picture.channels === 4 ? picture.data[from + 3] : 255;
      }
  });
  return { png: encode({ width, height, data, channels, depth: 8 }), width, height };
}

/** By the nearest pixels. */
function resize(picture: Picture, height: number, width: number): Picture {
  if (picture.height === height && picture.width === width) return picture;
  const { channels } = picture;
  const data = Uint8Array.from({ length: height * width * channels }, (_, offset) => {
    const place = Math.floor(offset / channels);
    const y = Math.floor(((Math.floor(place / width) + 0.5) * picture.height) / height);
    const x = Math.floor((((place % width) + 0.5) * picture.width) / width);
    return picture.data[(y * picture.width + x) * channels + (offset % channels)];
  });
  return { height, width, channels, data };
}

/** A PNG file as an address that needs no request. */
export function pngAddress(png: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
}

import { fitPicture, type Picture } from './figures/picture.ts';
import { pictureSheet, pngAddress } from './figures/picture-sheet.ts';

const COLUMNS = 8;
const GAP = 1;

/** Pictures of one size as elements of a page, all out of one image. */
export interface PictureGallery {
  /** Of an element around the tiles: holds the image. */
  readonly style: string;
  /** Of each tile, an element with the class `sprite`. */
  readonly tiles: readonly string[];
}

/** Prepares pictures for a list of tiles. */
export function pictureGallery(pictures: readonly Picture[], mostSide = 64): PictureGallery {
  const fitted = pictures.map((picture) => fitPicture(picture, mostSide));
  const sheet = pictureSheet(fitted, { columns: COLUMNS, gap: GAP, rowGap: GAP });
  const [{ width, height }] = fitted;
  const share = (offset: number, all: number, own: number): string =>
    all === own ? '0' : `${((offset / (all - own)) * 100).toFixed(4)}%`;
  const tiles = fitted.map((_, index) => {
    const [x, y] = [(index % COLUMNS) * (width + GAP), Math.floor(index / COLUMNS) * (height + GAP)];
    return `aspect-ratio:${width}/${height};background-size:${((sheet.width / width) * 100).toFixed(3)}% ${((sheet.height / height) * 100).toFixed(3)}%;background-position:${share(x, sheet.width, width)} ${share(y, sheet.height, height)}`;
  });
  return { style: `--sheet:url(${pngAddress(sheet.png)})`, tiles };
}

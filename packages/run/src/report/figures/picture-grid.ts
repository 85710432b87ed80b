import { escapeHtml } from '../escape-html.ts';
import type { Figure } from './figure.ts';
import type { Picture } from './picture.ts';
import { pictureSheet, pngAddress } from './picture-sheet.ts';
import { shorten, textWidth } from './text-width.ts';

/** Pictures in rows and columns, with names. */
export interface PictureGrid {
  readonly title: string;
  readonly rowNames?: readonly string[];
  readonly columnNames?: readonly string[];
  /** What is told beneath each picture; empty where nothing is. */
  readonly captions?: readonly string[];
  /** Row after row; null where there is none. */
  readonly pictures: readonly (Picture | null)[];
  readonly columns: number;
  /** Width of one picture in the figure. */
  readonly tileWidth: number;
  /** Told by the pointer on each picture. */
  readonly tips?: readonly string[];
  /** Further sheets of the same layout, which a player shows in its place. */
  readonly frames?: readonly (readonly (Picture | null)[])[];
}

const GAP = 4;
const CAPTION = 16;
const NAME_ROOM = 10;
const MOST_NAME = 14;

/** Draws pictures, enlarged without smoothing, in one image for each frame. @returns Null if there is no picture. */
export function renderPictureGrid(grid: PictureGrid): Figure | null {
  const { pictures, columns, tileWidth, title, rowNames = [], columnNames = [], captions = [], tips = [] } = grid;
  const frames = grid.frames ?? [pictures];
  const first = frames.flat().find((picture) => picture !== null);
  if (first === undefined || first === null) return null;
  const scale = tileWidth / first.width;
  const tileHeight = first.height * scale;
  const rows = Math.ceil(frames[0].length / columns);
  const names = rowNames.map((name) => shorten(name, MOST_NAME));
  const left = Math.ceil(names.reduce((most, name) => Math.max(most, textWidth(name) + NAME_ROOM), 0));
  const hasCaptions = captions.some((caption) => caption !== '');
  // In the sheet's pixels, of which one is `scale` units.
  const gap = Math.max(1, Math.round(GAP / scale));
  const rowGap = Math.max(1, Math.round((GAP + (hasCaptions ? CAPTION : 0)) / scale));
  const heads = columnNames.map((name) => shorten(name, MOST_NAME));
  const widest = heads.reduce((most, name) => Math.max(most, textWidth(name)), 0);
  const pitch = { x: (first.width + gap) * scale, y: (first.height + rowGap) * scale };
  const isUpright = widest > pitch.x - GAP;
  const top = heads.length === 0 ? 0 : isUpright ? Math.ceil(widest) + 8 : 18;
  const sheets = frames.map((frame) =>
    pictureSheet(
      frame.every((picture) => picture === null) ? [{ ...first, data: new Uint8Array(first.data.length) }] : frame,
      {
        columns,
        gap,
        rowGap,
      },
    ),
  );
  const images = sheets.map(
    ({ png, width, height }, index) =>
      `<image class="pixels"${index === sheets.length - 1 ? '' : ' display="none"'} x="${left}" y="${top}" width="${(width * scale).toFixed(1)}" height="${(height * scale).toFixed(1)}" preserveAspectRatio="none" href="${pngAddress(png)}"/>`,
  );
  const at = (index: number) => ({
    x: left + (index % columns) * pitch.x,
    y: top + Math.floor(index / columns) * pitch.y,
  });
  const texts = [
    ...names.map((name, row) => {
      const full = rowNames[row] === name ? '' : `<title>${escapeHtml(rowNames[row])}</title>`;
      return `<text class="end ink" x="${left - 8}" y="${(top + row * pitch.y + tileHeight / 2 + 4).toFixed(1)}">${escapeHtml(name)}${full}</text>`;
    }),
    ...heads.map((name, column) => {
      const centre = left + column * pitch.x + tileWidth / 2;
      const place = isUpright
        ? `class="ink" transform="translate(${(centre + 4).toFixed(1)} ${top - 4}) rotate(-90)"`
        : `class="middle ink" x="${centre.toFixed(1)}" y="12"`;
      return `<text ${place}>${escapeHtml(name)}<title>${escapeHtml(columnNames[column])}</title></text>`;
    }),
    ...captions.map((caption, index) => {
      const { x, y } = at(index);
      const short = shorten(caption, Math.max(3, Math.floor(pitch.x / 6.4)));
      const full = short === caption ? '' : `<title>${escapeHtml(caption)}</title>`;
      return caption === ''
        ? ''
        : `<text class="middle" x="${(x + tileWidth / 2).toFixed(1)}" y="${(y + tileHeight + 12).toFixed(1)}">${escapeHtml(short)}${full}</text>`;
    }),
    ...tips.map((tip, index) => {
      const { x, y } = at(index);
      return tip === ''
        ? ''
        : `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${tileWidth}" height="${tileHeight.toFixed(1)}" fill="transparent"><title>${escapeHtml(tip)}</title></rect>`;
    }),
  ];
  return {
    title,
    width: Math.ceil(left + columns * pitch.x),
    height: Math.ceil(top + rows * pitch.y),
    body: [...images, ...texts].join(''),
  };
}

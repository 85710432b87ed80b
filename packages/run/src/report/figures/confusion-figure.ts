import { encode } from 'fast-png';
import { escapeHtml } from '../escape-html.ts';
import type { Figure } from './figure.ts';
import { pngAddress } from './picture-sheet.ts';
import { shorten, textWidth } from './text-width.ts';

/** Of more classes, cells are pixels and are read by the pointer. */
const MOST_COUNTED = 20;
const CELL = 30;
const SIDE = 560;
const MOST_NAME = 14;
/** Mistakes that the pointer finds in a matrix of pixels, the most frequent first. */
const MOST_TOLD = 4000;
const RIGHT = [34, 87, 214];
const WRONG = [208, 52, 44];

/**
 * Draws a confusion matrix: a row for each true class, a column for each predicted one. Right answers are blue and
 * mistakes red, each by its share of the row (mistakes on a root scale, as they are few). Up to 20 classes with counts
 * and names; of more, a picture with a pixel for each cell, which tells its classes to the pointer.
 *
 * @param confusion `confusion[truth][predicted]`: counts.
 * @param names Of the classes.
 */
export function renderConfusionFigure(confusion: readonly (readonly number[])[], names: readonly string[]): Figure {
  const title = `Confusion matrix: rows are the true classes, columns the answers; ${confusion.length} classes`;
  return confusion.length <= MOST_COUNTED
    ? { title, ...drawCells(confusion, names) }
    : { title, ...drawPixels(confusion, names) };
}

/** How strongly a cell is coloured, 0..1. */
function strengthOf(count: number, total: number, isRight: boolean): number {
  const share = count / (total || 1);
  return isRight ? share ** 2 : Math.min(1, Math.sqrt(share) * 2);
}

const sum = (row: readonly number[]): number => row.reduce((total, count) => total + count, 0);

function drawCells(confusion: readonly (readonly number[])[], names: readonly string[]): Omit<Figure, 'title'> {
  const short = names.map((name) => shorten(name, MOST_NAME));
  const widest = short.reduce((most, name) => Math.max(most, textWidth(name)), 0);
  const isUpright = widest > CELL - 4;
  const left = Math.ceil(widest) + 30;
  const top = (isUpright ? Math.ceil(widest) : 14) + 28;
  const side = confusion.length * CELL;
  const parts = [
    `<text class="middle" x="${left + side / 2}" y="11">the student says</text>`,
    `<text class="middle" transform="translate(11 ${top + side / 2}) rotate(-90)">the image shows</text>`,
    ...short.flatMap((name, index) => {
      const centre = (index + 0.5) * CELL;
      const tip = name === names[index] ? '' : `<title>${escapeHtml(names[index])}</title>`;
      const head = isUpright
        ? `<text class="ink" transform="translate(${left + centre + 4} ${top - 8}) rotate(-90)">${escapeHtml(name)}${tip}</text>`
        : `<text class="ink middle" x="${left + centre}" y="${top - 8}">${escapeHtml(name)}${tip}</text>`;
      return [head, `<text class="ink end" x="${left - 8}" y="${top + centre + 4}">${escapeHtml(name)}${tip}</text>`];
    }),
  ];
  confusion.forEach((row, truth) => {
    const total = sum(row);
    row.forEach((count, predicted) => {
      const strength = strengthOf(count, total, truth === predicted);
      const [x, y] = [left + predicted * CELL, top + truth * CELL];
      const box = `x="${x + 1}" y="${y + 1}" width="${CELL - 2}" height="${CELL - 2}" rx="3"`;
      const tip = `${names[truth]} taken for ${names[predicted]}: ${count} of ${total}`;
      parts.push(
        `<rect class="band" fill-opacity=".45" ${box}/>`,
        count === 0
          ? ''
          : `<g><title>${escapeHtml(tip)}</title><rect class="${truth === predicted ? 'goodmark' : 'badmark'}" fill-opacity="${strength.toFixed(2)}" ${box}/><text class="middle ${strength > 0.55 ? 'onmark' : 'ink'}" x="${x + CELL / 2}" y="${y + CELL / 2 + 4}">${countText(count)}</text></g>`,
      );
    });
  });
  return { width: left + side + 4, height: top + side + 4, body: parts.join('') };
}

function countText(count: number): string {
  return count < 10_000 ? String(count) : `${Math.round(count / 1000)}k`;
}

function drawPixels(confusion: readonly (readonly number[])[], names: readonly string[]): Omit<Figure, 'title'> {
  const classes = confusion.length;
  const data = new Uint8Array(classes * classes * 4);
  const cells: { truth: number; predicted: number; count: number; total: number }[] = [];
  confusion.forEach((row, truth) => {
    const total = sum(row);
    row.forEach((count, predicted) => {
      if (count === 0) return;
      const isRight = truth === predicted;
      const alpha = Math.round(255 * Math.max(0.15, strengthOf(count, total, isRight)));
      data.set([...(isRight ? RIGHT : WRONG), alpha], (truth * classes + predicted) * 4);
      if (!isRight) cells.push({ truth, predicted, count, total });
    });
  });
  const image = encode({ width: classes, height: classes, data, channels: 4, depth: 8 });
  const [left, top] = [24, 24];
  const scale = SIDE / classes;
  const told = cells.sort((one, other) => other.count - one.count).slice(0, MOST_TOLD);
  const body = [
    `<text class="middle" x="${left + SIDE / 2}" y="13">the student says (classes in their order)</text>`,
    `<text class="middle" transform="translate(13 ${top + SIDE / 2}) rotate(-90)">the image shows</text>`,
    `<rect class="band" fill-opacity=".4" x="${left}" y="${top}" width="${SIDE}" height="${SIDE}"/>`,
    `<image class="pixels" x="${left}" y="${top}" width="${SIDE}" height="${SIDE}" preserveAspectRatio="none" href="${pngAddress(image)}"/>`,
  ].join('');
  const points = told.map(
    ({ truth, predicted, count, total }) =>
      [
        Math.round((left + (predicted + 0.5) * scale) * 10) / 10,
        Math.round((top + (truth + 0.5) * scale) * 10) / 10,
        `${names[truth]} taken for ${names[predicted]}: ${count} of ${total}`,
      ] as const,
  );
  return { width: left + SIDE + 4, height: top + SIDE + 4, body, hover: [{ name: '', points }] };
}

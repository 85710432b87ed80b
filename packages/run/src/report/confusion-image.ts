import { encode } from 'fast-png';
import { drawText, textHeight, textWidth } from '../pixel-font.ts';
import { type Colour, figureColours } from './_figure-colours.ts';

const CELL = 40;
const SCALE = 2;
const MOST_CLASSES = 40;
const { paper: PAPER, ink: INK, blue: RIGHT, red: WRONG } = figureColours;

/**
 * Draws a confusion matrix as a PNG: a row for each true class, a column for each predicted one, with counts. Right answers
 * are blue and mistakes red, each by its share of the row (mistakes on a root scale, as they are few).
 *
 * @param confusion `confusion[truth][predicted]`: counts.
 * @returns Null above 40 classes, which nobody could read.
 */
export function renderConfusionImage(confusion: readonly (readonly number[])[]): Uint8Array | null {
  const classes = confusion.length;
  if (classes > MOST_CLASSES) return null;
  const margin = textWidth(String(classes - 1), SCALE) + 14;
  const side = margin + classes * CELL + 6;
  const data = new Uint8Array(side * side * 3);
  const paint = (x: number, y: number, colour: Colour): void => data.set(colour, (y * side + x) * 3);
  for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) paint(x, y, PAPER);
  const write = (text: string, centreX: number, centreY: number, colour: Colour, scale: number): void => {
    const x = Math.round(centreX - textWidth(text, scale) / 2);
    const y = Math.round(centreY - textHeight(scale) / 2);
    drawText(text, { x, y, scale }, (inkX, inkY) => paint(inkX, inkY, colour));
  };
  for (let label = 0; label < classes; label++) {
    const centre = margin + (label + 0.5) * CELL;
    write(String(label), centre, margin / 2, INK, SCALE);
    write(String(label), margin / 2, centre, INK, SCALE);
  }
  confusion.forEach((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0) || 1;
    row.forEach((count, predicted) => {
      const share = count / total;
      const strength = truth === predicted ? share ** 2 : Math.min(1, Math.sqrt(share) * 2);
      const end = truth === predicted ? RIGHT : WRONG;
      const colour = PAPER.map((from, channel) =>
        Math.round(from + (end[channel] - from) * strength),
      ) as unknown as Colour;
      const [left, top] = [margin + predicted * CELL, margin + truth * CELL];
      for (let y = 1; y < CELL; y++) for (let x = 1; x < CELL; x++) paint(left + x, top + y, colour);
      if (count > 0)
        write(String(count), left + CELL / 2, top + CELL / 2, strength > 0.5 ? PAPER : INK, count > 999 ? 1 : SCALE);
    });
  });
  return encode({ width: side, height: side, data, channels: 3, depth: 8 });
}

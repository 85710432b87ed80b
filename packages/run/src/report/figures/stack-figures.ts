import { escapeHtml } from '../escape-html.ts';
import type { Figure } from './figure.ts';

const PADDING = 16;
const HEAD = 22;

/** Several figures, each beneath its heading, as one. @returns Null if there is none. */
export function stackFigures(
  title: string,
  figures: readonly (readonly [heading: string, figure: Figure])[],
  columns: number,
): Figure | null {
  if (figures.length === 0) return null;
  const used = Math.min(columns, figures.length);
  const width = figures.reduce((most, [, figure]) => Math.max(most, figure.width), 0) + PADDING;
  let top = PADDING;
  const parts: string[] = [];
  for (let begin = 0; begin < figures.length; begin += used) {
    const row = figures.slice(begin, begin + used);
    row.forEach(([heading, figure], column) => {
      const left = PADDING + column * width;
      parts.push(
        `<text class="ink title" x="${left}" y="${top + 12}">${escapeHtml(heading)}</text>`,
        `<svg x="${left}" y="${top + HEAD}" width="${figure.width}" height="${figure.height}" viewBox="0 0 ${figure.width} ${figure.height}">${figure.body}</svg>`,
      );
    });
    top += row.reduce((most, [, { height }]) => Math.max(most, height), 0) + HEAD + PADDING;
  }
  return { title, width: PADDING + used * width, height: top, body: parts.join('') };
}

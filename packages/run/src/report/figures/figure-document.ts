import { escapeHtml } from '../escape-html.ts';
import type { Figure } from './figure.ts';
import { figureStyle } from './figure-style.ts';

const MARGIN = 14;

/** A figure as an SVG file of its own, which reads in light and dark. */
export function figureDocument({ title, width, height, body }: Figure): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${-MARGIN} ${-MARGIN} ${width + 2 * MARGIN} ${height + 2 * MARGIN}" width="${width + 2 * MARGIN}" height="${height + 2 * MARGIN}" role="img"><title>${escapeHtml(title)}</title><style>${figureStyle()}</style><rect class="ground" x="${-MARGIN}" y="${-MARGIN}" width="100%" height="100%"/>${body}</svg>\n`;
}

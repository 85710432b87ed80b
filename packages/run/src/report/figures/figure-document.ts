import { escapeHtml } from '../escape-html.ts';
import type { Figure } from './figure.ts';
import { figureStyle } from './figure-style.ts';

/** A figure as an SVG file of its own, which reads in light and dark. */
export function figureDocument({ title, width, height, body }: Figure): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img"><title>${escapeHtml(title)}</title><style>${figureStyle()}</style><rect class="ground" width="${width}" height="${height}"/>${body}</svg>\n`;
}

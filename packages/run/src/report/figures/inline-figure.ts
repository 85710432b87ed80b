import { escapeHtml } from '../escape-html.ts';
import type { Figure } from './figure.ts';

/** Least scale at which its text is 11 pixels high. */
const LEAST_SCALE = 0.92;
const MOST_SCALE = 1.3;
/** What the narrowest phones show without scrolling. */
const NARROW = 350;

/** A figure within a page. One that a phone cannot show at a readable size scrolls sideways. */
export function inlineFigure({ title, width, height, body, hover }: Figure): string {
  const data = hover === undefined ? '' : ` data-hover="${escapeHtml(JSON.stringify(hover))}"`;
  const style = `min-width:${Math.ceil(Math.min(width, Math.max(NARROW * 0.9, width)) * LEAST_SCALE)}px;max-width:${Math.round(width * MOST_SCALE)}px`;
  const svg = `<svg viewBox="0 0 ${width} ${height}" style="${style}" role="img" aria-label="${escapeHtml(title)}"${data}>${body}</svg>`;
  return width <= NARROW
    ? `<div class="figure">${svg}</div>`
    : `<div class="figure scrolls" tabindex="0" role="region" aria-label="${escapeHtml(title)}">${svg}</div>`;
}

import { escapeHtml } from './escape-html.ts';

/** Headline numbers, the first of which is the main one. */
export function renderTiles(tiles: readonly (readonly [value: string, what: string])[]): string {
  const items = tiles.map(
    ([value, what], index) =>
      `<li class="tile${index === 0 ? ' main' : ''}"><div class="value">${escapeHtml(value)}</div><div class="what">${escapeHtml(what)}</div></li>`,
  );
  return `<ul class="tiles">${items.join('')}</ul>`;
}

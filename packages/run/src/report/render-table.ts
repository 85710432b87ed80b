import { escapeHtml } from './escape-html.ts';

/** Columns, the names' included, that fit the width of a phone without that of the names. */
const MOST_BENEATH = 4;

/** A table within a page: names at the left, figures at the right. It scrolls sideways where it must. */
export function renderTable(
  label: string,
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  links: readonly (string | undefined)[] = [],
): string {
  const head = heads.map((text) => (text === '' ? '<td></td>' : `<th scope="col">${escapeHtml(text)}</th>`)).join('');
  const body = rows.map(([name, ...cells], index) => {
    const link = links[index];
    const text = link === undefined ? escapeHtml(name) : `<a href="${escapeHtml(link)}">${escapeHtml(name)}</a>`;
    return `<tr><th scope="row">${text}</th>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`;
  });
  // On a phone, the figures of few columns stand beneath the name; many scroll.
  const kind = heads.length <= MOST_BENEATH ? 'scroll wrap few' : 'scroll wrap';
  return `<div class="card ${kind}" tabindex="0" role="region" aria-label="${escapeHtml(label)}"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

/** Facts: a name and a text in each line. */
export function renderFacts(facts: readonly (readonly [string, string])[]): string {
  const rows = facts.map(
    ([name, value]) => `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  return `<table class="facts"><tbody>${rows.join('')}</tbody></table>`;
}

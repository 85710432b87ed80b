/** A heading of a page. */
export interface Heading {
  readonly level: number;
  readonly text: string;
  readonly anchor: string;
}

/** A page of the site. */
export interface SitePage {
  /** Without `.html`. */
  readonly name: string;
  readonly title: string;
  /** HTML. */
  readonly body: string;
  readonly headings: readonly Heading[];
}

const STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1c2024, #e6e8ea); --quiet: light-dark(#5a6470, #9aa4af);
  --paper: light-dark(#fff, #14171a); --soft: light-dark(#f4f6f8, #1e2327); --line: light-dark(#dde2e7, #343b42); --link: light-dark(#0b5cad, #7db8f5); }
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.6 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
a { color: var(--link) }
.skip { position: absolute; left: -99em } .skip:focus { left: 1em; top: 1em; background: var(--paper); padding: .5em }
.page { display: grid; grid-template-columns: 15rem minmax(0, 46rem); gap: 3rem; max-width: 66rem; margin: 0 auto; padding: 2rem 1.25rem }
nav { font-size: .94rem } nav ul { list-style: none; margin: .5rem 0; padding: 0 } nav li { margin: .3rem 0 }
nav ul ul { padding-left: .9rem; font-size: .9em } nav a { text-decoration: none } nav a[aria-current] { font-weight: 650; color: var(--ink) }
nav input { width: 100%; font: inherit; padding: .35rem .5rem; color: inherit; background: var(--soft); border: 1px solid var(--line); border-radius: .35rem }
h1 { line-height: 1.2; margin-top: 0 } h2 { margin-top: 2.4rem; line-height: 1.25 }
code, pre { font: .9em/1.5 ui-monospace, monospace } code { background: var(--soft); padding: .1em .3em; border-radius: .25em }
pre { background: var(--soft); padding: .9rem 1rem; overflow-x: auto; border-radius: .4rem } pre code { padding: 0; background: none }
.table { overflow-x: auto } table { border-collapse: collapse; font-size: .92rem }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem .4rem 0; border-bottom: 1px solid var(--line) }
img { max-width: 100% }
@media (max-width: 50rem) { .page { grid-template-columns: minmax(0, 1fr); gap: 1rem } nav ul ul { display: none } }
`;

/** Looks for what is typed among the headings of all pages. */
const SEARCH = `
const field = document.querySelector('nav input'), menu = document.querySelector('#menu'), found = document.querySelector('#found');
field.addEventListener('input', () => {
  const words = field.value.toLowerCase().split(/\\s+/).filter(Boolean);
  menu.hidden = words.length > 0;
  found.replaceChildren(...(words.length === 0 ? [] : HEADINGS.filter(([text]) => words.every((word) => text.toLowerCase().includes(word))).slice(0, 20)
    .map(([text, link]) => { const item = document.createElement('li'), anchor = document.createElement('a'); anchor.href = link; anchor.textContent = text; item.append(anchor); return item; })));
});
`;

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

/** One page as a file that needs no other, but for its pictures. */
export function renderSitePage(page: SitePage, pages: readonly SitePage[]): string {
  const items = pages.map(({ name, title }) => {
    if (name !== page.name) return `<li><a href="${name}.html">${escape(title)}</a></li>`;
    const inside = page.headings.filter(({ level }) => level === 2);
    const list = inside.map(({ text, anchor }) => `<li><a href="#${anchor}">${escape(text)}</a></li>`).join('');
    return `<li><a href="${name}.html" aria-current="page">${escape(title)}</a>${list && `<ul>${list}</ul>`}</li>`;
  });
  const headings = pages.flatMap(({ name, title, headings: all }) =>
    all.map(({ text, anchor, level }) => [level === 1 ? text : `${text} (${title})`, `${name}.html#${anchor}`]),
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${page.name === 'index' ? 'dafl' : `${escape(page.title)} · dafl`}</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
<a class="skip" href="#main">To the text</a>
<div class="page">
<nav aria-label="Pages">
<strong><a href="index.html">dafl</a></strong>
<p><input type="search" aria-label="Find a heading" placeholder="Find a heading"></p>
<ul id="menu">${items.join('')}<li><a href="api/index.html">API</a></li></ul>
<ul id="found"></ul>
</nav>
<main id="main">
${page.body}</main>
</div>
<script>const HEADINGS = ${JSON.stringify(headings).replaceAll('<', '\\u003c')};${SEARCH}</script>
</html>
`;
}

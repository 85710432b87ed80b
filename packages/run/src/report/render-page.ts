import { escapeHtml } from './escape-html.ts';
import { pageScript } from './page-script.ts';
import { pageStyle } from './page-style.ts';

/** One part of a page. */
export interface PageSection {
  /** Of the link that leads to it. */
  readonly id: string;
  /** In the list of links; absent: not listed. */
  readonly link?: string;
  readonly heading: string;
  /** HTML. */
  readonly lead?: string;
  /** HTML. */
  readonly body: string;
}

/** What a page is made of. */
export interface Page {
  readonly title: string;
  /** HTML of the head: what was done, and what came out. */
  readonly head: string;
  readonly sections: readonly PageSection[];
  /** A sentence. */
  readonly footer: string;
  /** Content of elements that no browser shows: data of scripts. HTML. */
  readonly data?: string;
  /** A module that runs after the page's own script. */
  readonly module?: string;
}

/** A page with everything in it: it needs no network and no other file. */
export function renderPage({ title, head, sections, footer, data = '', module }: Page): string {
  const links = sections.flatMap(({ id, link }) =>
    link === undefined ? [] : [`<a href="#${id}">${escapeHtml(link)}</a>`],
  );
  const parts = sections.map(
    ({ id, heading, lead, body }) =>
      `<section id="${id}"><h2>${escapeHtml(heading)}</h2>${lead === undefined ? '' : `<p class="lead">${lead}</p>`}\n${body}</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'wasm-unsafe-eval'">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)} - dafl</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
<header>${head}${links.length > 1 ? `<nav aria-label="Parts of this page">${links.join('')}</nav>` : ''}</header>
${parts.join('\n')}
<footer>${escapeHtml(footer)}</footer>
</main>
${data}<script>{${pageScript}}</script>
${module === undefined ? '' : `<script type="module">${module.replaceAll(/<(?=\/script|!--)/gi, String.raw`\x3c`)}</script>`}
</body>
</html>
`;
}

/**
 * Builds the documentation as a folder of pages that open from disk: `npm run site [-- FOLDER]`, by default `site`.
 *
 * Pages come from docs/, the commands from their schemas, the API from the comments in the sources (`deno doc`). Nothing is
 * fetched when a page is read, and each link is tried: one that leads nowhere fails the build.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { headingAnchor } from './_check-links.ts';
import { type Heading, renderSitePage } from './_render-site-page.ts';
import { installTool } from './install-tool.ts';
import { listWorkspaces, repositoryRoot } from './workspace.ts';

/** What is used of markdown-it. */
interface Token {
  readonly type: string;
  readonly tag: string;
  readonly content: string;
  readonly children: readonly Token[] | null;
  attrGet(name: string): string | null;
  attrSet(name: string, value: string): void;
}
interface MarkdownModule {
  readonly default: (options: object) => {
    parse(text: string, environment: object): readonly Token[];
    readonly renderer: { render(tokens: readonly Token[], options: object, environment: object): string };
    readonly options: object;
  };
}

/** Pages in the order of the menu, without `.md`. */
const PAGES = [
  'index',
  'own-model',
  'journeys',
  'methods',
  'results',
  'performance',
  'formats',
  'onnx-operators',
  'command-line',
  'plug-ins',
  'backends',
  'resuming',
  'limits',
  'faq',
] as const;
/** Where what is no page of the site is looked at. */
const SOURCE = 'https://github.com/dafl/dafl/blob/main/';

const docs = join(repositoryRoot, 'docs');
const target = resolve(process.argv[2] ?? join(repositoryRoot, 'site'));
const module = join(installTool('site'), 'markdown-it', 'index.mjs');
const { default: createMarkdown } = (await import(pathToFileURL(module).href)) as MarkdownModule;
const markdown = createMarkdown({ html: false, linkify: false });

/** A link of a page as the site has it. Pictures are copied; other files of the repository are looked at on GitHub. */
function rewriteLink(link: string, page: string): string {
  if (/^[a-z]+:/.test(link) || link.startsWith('#')) return link;
  const [path, anchor] = link.split('#');
  const file = relative(repositoryRoot, resolve(docs, dirname(page), path)).replaceAll('\\', '/');
  const suffix = anchor === undefined ? '' : `#${anchor}`;
  if (file.startsWith('docs/api/')) return `${file.slice('docs/'.length)}${suffix}`;
  if (file.startsWith('docs/') && file.endsWith('.md'))
    return `${file.slice('docs/'.length, -'.md'.length)}.html${suffix}`;
  if (/\.(svg|webp)$/.test(file) && existsSync(join(repositoryRoot, file))) {
    const name = file.split('/').at(-1)!;
    copyFileSync(join(repositoryRoot, file), join(target, name));
    return name;
  }
  return `${SOURCE}${file}${suffix}`;
}

function renderPage(page: string, text: string): { title: string; body: string; headings: Heading[] } {
  const tokens = markdown.parse(text, {});
  const headings: Heading[] = [];
  const seen = new Map<string, number>();
  tokens.forEach((token, index) => {
    if (token.type === 'heading_open') {
      const heading = tokens[index + 1].content;
      const base = headingAnchor(heading);
      const count = seen.get(base) ?? 0;
      seen.set(base, count + 1);
      const anchor = count === 0 ? base : `${base}-${count}`;
      token.attrSet('id', anchor);
      headings.push({
        level: Number(token.tag.slice(1)),
        text: heading.replaceAll(/[`*]|\]\([^)]*\)|\[/g, ''),
        anchor,
      });
    }
    for (const child of token.children ?? []) {
      for (const name of ['href', 'src']) {
        const link = child.attrGet(name);
        if (link !== null) child.attrSet(name, rewriteLink(link, page));
      }
    }
  });
  const body = markdown.renderer
    .render(tokens, markdown.options, {})
    // Wide tables scroll by themselves.
    .replaceAll('<table>', '<div class="table"><table>')
    .replaceAll('</table>', '</table></div>');
  return { title: headings[0]?.text ?? page, body, headings };
}

/** Links of a built page that lead nowhere, and whatever it would fetch from elsewhere. */
function brokenPage(file: string): string[] {
  const html = readFileSync(file, 'utf8');
  const problems = [...html.matchAll(/<(?:link|script|img|iframe)\b[^>]*\b(?:href|src)="(https?:)?\/\/[^"]*"/g)].map(
    ([tag]) => `fetches ${tag}`,
  );
  for (const [, link] of html.matchAll(/\b(?:href|src)="([^"]*)"/g)) {
    if (/^[a-z]+:/.test(link)) continue;
    const [path, anchor] = link.split('#');
    const full = path === '' ? file : resolve(dirname(file), decodeURIComponent(path.split('?')[0]));
    if (!existsSync(full)) problems.push(`'${link}' must lead somewhere`);
    else if (anchor && full.endsWith('.html') && !readFileSync(full, 'utf8').includes(`id="${anchor}"`))
      problems.push(`'${link}' must lead to a heading`);
  }
  return problems;
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });

const sources = new Map<string, string>();
for (const page of PAGES) sources.set(page, readFileSync(join(docs, `${page}.md`), 'utf8'));
const pages = [...sources].map(([page, text]) => ({ name: page, ...renderPage(page, text) }));
for (const page of pages) writeFileSync(join(target, `${page.name}.html`), renderSitePage(page, pages));

const entries = listWorkspaces()
  .filter(({ manifest }) => manifest.private !== true)
  .flatMap(({ folder, manifest }) =>
    ['.', './autodiff', './backend-base'].flatMap((entry) => {
      const source = manifest.exports?.[entry];
      return typeof source === 'string' ? [join(folder, source)] : [];
    }),
  );
const { status, stderr } = spawnSync(
  join(installTool('deno'), '.bin', 'deno'),
  ['doc', '--quiet', '--html', '--name=dafl', `--output=${join(target, 'api')}`, ...entries],
  { cwd: repositoryRoot, encoding: 'utf8', env: { ...process.env, DENO_NO_UPDATE_CHECK: '1' } },
);
if (status !== 0) throw new Error(`Cannot build the site as 'deno doc' must succeed: ${stderr}`);

let problems = 0;
const api = globSync('api/**/*.html', { cwd: target });
for (const page of pages.map(({ name }) => `${name}.html`)) {
  for (const problem of brokenPage(join(target, page))) {
    console.error(`${page}: ${problem}`);
    problems++;
  }
}
console.log(`${pages.length} pages, and ${api.length} of the API, in ${relative(process.cwd(), target)}`);
if (problems > 0) process.exitCode = 1;

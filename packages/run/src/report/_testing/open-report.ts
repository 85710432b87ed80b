import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Chromium's command: the environment variable CHROMIUM names another. */
const command = process.env['CHROMIUM'] ?? 'chromium';

/** Where Chromium is; undefined, with the reason told, where it is not. */
export function findChromium(): string | undefined {
  try {
    return execFileSync('which', [command], { encoding: 'utf8' }).trim();
  } catch {
    process.stderr.write(`Reports are not looked at in a browser, as '${command}' is not here\n`);
    return undefined;
  }
}

/** How a reader has it. */
export interface View {
  readonly colorScheme: 'light' | 'dark';
  readonly width: 1280 | 390;
}

/** The four that every report must read well in. */
export const views: readonly View[] = [
  { colorScheme: 'light', width: 1280 },
  { colorScheme: 'light', width: 390 },
  { colorScheme: 'dark', width: 1280 },
  { colorScheme: 'dark', width: 390 },
];

/** What is wrong with a page; empty lists for a sound one. */
export interface Faults {
  /** Addresses that it asked for beside its own file. */
  readonly requests: readonly string[];
  readonly errors: readonly string[];
  /** Rules of axe that it breaks, and where. */
  readonly violations: readonly string[];
  /** Texts of less than 11 pixels. */
  readonly smallTexts: readonly string[];
  /** Pixels by which it is wider than the window. */
  readonly overflow: number;
}

/** Starts the system's Chromium. */
export async function launchChromium(path: string): Promise<Browser> {
  return await chromium.launch({ executablePath: path, args: ['--no-sandbox', '--disable-gpu'] });
}

/** Opens a page from disk. @returns It, with what went wrong so far. */
export async function openFromDisk(
  browser: Browser,
  file: string,
  { colorScheme, width }: View,
): Promise<{ readonly page: Page; readonly requests: string[]; readonly errors: string[] }> {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  const page = await context.newPage();
  const address = pathToFileURL(file).href;
  const [requests, errors]: string[][] = [[], []];
  page.on('request', (request) => {
    const url = request.url();
    if (url !== address && !/^(data|blob):/.test(url)) requests.push(url);
  });
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  await page.goto(address);
  return { page, requests, errors };
}

/** Looks through a page as a reader of such a view has it. */
export async function findFaults(browser: Browser, file: string, view: View): Promise<Faults> {
  const { page, requests, errors } = await openFromDisk(browser, file, view);
  // Its policy lets no other script in, but this is the browser's own console.
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(axe);
  const violations = (await page.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ target }) => target.join(' ')).join(', ')))`)) as string[];
  const smallTexts = (await page.evaluate(`(() => {
    const found = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const parent = walker.currentNode.parentElement;
      if (walker.currentNode.textContent.trim() === '' || parent.closest('script,style,title,[hidden]')) continue;
      if (parent.getBoundingClientRect().width === 0) continue;
      const matrix = parent instanceof SVGElement ? parent.getScreenCTM() : null;
      const size = parseFloat(getComputedStyle(parent).fontSize) * (matrix === null ? 1 : Math.hypot(matrix.a, matrix.b));
      if (size < 11) found.add(walker.currentNode.textContent.trim().slice(0, 40) + ': ' + size.toFixed(1));
    }
    return [...found];
  })()`)) as string[];
  const overflow = (await page.evaluate('document.documentElement.scrollWidth - innerWidth')) as number;
  await page.context().close();
  return { requests, errors, violations, smallTexts, overflow };
}

/** What `findFaults` finds in a sound page. */
export const noFaults: Faults = { requests: [], errors: [], violations: [], smallTexts: [], overflow: 0 };

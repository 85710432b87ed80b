import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { repositoryRoot } from './workspace.ts';

/** The name by which GitHub and the site link to a heading. */
export function headingAnchor(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');
}

/** Headings of a page, as anchors. */
export function listAnchors(markdown: string): string[] {
  const seen = new Map<string, number>();
  return [...markdown.replaceAll(/^(`{3,}).*?^\1/gms, '').matchAll(/^#{1,6} (.*)$/gm)].map(([, heading]) => {
    const anchor = headingAnchor(heading);
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

/**
 * Lists the links of a page that lead nowhere in the repository. Those to other sites are not followed.
 *
 * @param file Absolute path of the page.
 * @param read Reads a page, to look for its headings.
 * @param generated Pages, from the root, that the site makes.
 */
export function brokenLinks(
  file: string,
  markdown: string,
  read: (path: string) => string,
  generated: readonly string[] = [],
): string[] {
  const text = markdown.replaceAll(/^(`{3,}).*?^\1/gms, '').replaceAll(/`[^`\n]*`/g, '');
  const targets = [...text.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)].map(([, target]) => target);
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [path, anchor] = target.split('#');
    const full = path === '' ? file : resolve(dirname(file), path);
    if (generated.includes(relative(repositoryRoot, full).replaceAll('\\', '/'))) return false;
    if (!full.startsWith(repositoryRoot) || !existsSync(full)) return true;
    return anchor !== undefined && full.endsWith('.md') && !listAnchors(read(full)).includes(anchor);
  });
}

/** Pages of the documentation that only the site has. */
export const generatedPages: readonly string[] = ['docs/api/index.html'];

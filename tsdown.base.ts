import { globSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { UserConfig } from 'tsdown';
import { publishedFiles } from './scripts/publish-manifest.ts';
import { readManifest } from './scripts/workspace.ts';

/**
 * The build of one package: ES modules and their declarations in `dist`, laid out as the files in `src` are.
 *
 * One file in gives one file out, so that what a module finds beside itself (`new URL('./worker.js', import.meta.url)`, a
 * weight file) lies at the same place in both. The entries are the sources that `exports` and `bin` name. Files that
 * are not TypeScript are copied. A private package of the repository that stands among the devDependencies is bundled, file by
 * file as well, into a folder of its name.
 *
 * @param folder The package's folder (`import.meta.dirname`).
 * @param options `platform` is `neutral` (default) for what runs anywhere, `node` for what needs Node's modules.
 *   `entries` are further sources that nothing imports, such as a worker's, relative to the package. `isMinified` gives
 *   one minified file an entry, for packages that pages load.
 */
export function packageBuild(
  folder: string,
  options: {
    readonly platform?: 'neutral' | 'node';
    readonly entries?: readonly string[];
    readonly isMinified?: boolean;
  } = {},
): UserConfig {
  const named = publishedFiles(readManifest(folder) as unknown as Record<string, unknown>);
  const sources = [...named, ...(options.entries ?? [])].filter((path) => /^(\.\/)?src\/.*\.ts$/.test(path));
  const assets = globSync('src/**/*.*', { cwd: folder })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => !path.endsWith('.ts') && !/\/(fixtures|__snapshots__)\//.test(path));
  return {
    cwd: folder,
    entry: Object.fromEntries(sources.map((path) => [relative('src', path).replace(/\.ts$/, ''), path])),
    format: 'esm',
    target: 'es2023',
    platform: options.platform ?? 'neutral',
    tsconfig: join(folder, 'tsconfig.build.json'),
    dts: { generator: 'oxc' },
    unbundle: options.isMinified !== true,
    minify: options.isMinified === true,
    ...(options.isMinified === true && { plugins: [withoutUnreachableComments] }),
    fixedExtension: false,
    sourcemap: false,
    copy: assets.map((path) => ({ from: path, to: join('dist', relative('src', join(path, '..'))) })),
    report: false,
    logLevel: 'warn',
  };
}

/** Leaves out the comments of constants that a bundle of types holds but does not export: no editor shows them. */
const withoutUnreachableComments = {
  name: 'without-unreachable-comments',
  renderChunk: (code: string, { fileName }: { readonly fileName: string }): string | null =>
    fileName.endsWith('.d.ts') ? code.replaceAll(/\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n(?=declare const )/g, '') : null,
};

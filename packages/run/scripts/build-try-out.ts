/**
 * Makes one minified module of `page/try-out.ts` and what it imports, and writes it as a TypeScript file that holds it as a
 * text: reports carry it. `--check` compares with the file that stands instead of writing it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const folder = join(import.meta.dirname, '..');
const path = join(folder, 'src', 'report', 'generated', 'try-out-script.ts');

const bundle = await rolldown({
  input: join(folder, 'page', 'try-out.ts'),
  platform: 'browser',
  cwd: folder,
  treeshake: { moduleSideEffects: [{ test: /page\/try-out\.ts$/, sideEffects: true }] },
  logLevel: 'warn',
});
const { output } = await bundle.generate({ format: 'esm', minify: true, codeSplitting: false });
const [chunk] = output;
const text = [
  `// Generated from page/ by scripts/build-try-out.ts (npm run build:try-out). Do not edit.`,
  ``,
  `/** The script of a report's "Try it", minified. */`,
  `export const tryOutScript: string =`,
  `  ${JSON.stringify(chunk.code.trim())};`,
  ``,
].join('\n');
if (!process.argv.includes('--check')) {
  writeFileSync(path, text);
  process.stdout.write(`try-out-script.ts: ${chunk.code.length} characters\n`);
} else if (readFileSync(path, 'utf8') !== text) {
  process.stderr.write(
    `Cannot accept 'try-out-script.ts' as it must be what page/ and the packages come to: current file differs. Run npm run build:try-out\n`,
  );
  process.exitCode = 1;
}

/** Speed of the wasm kernels with one and two threads, with and without relaxed SIMD: `npm run bench:kernels`. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { storeResult } from './_store-result.ts';

interface Row {
  readonly kernel: string;
  readonly oneThread: number;
  readonly twoThreads: number;
  readonly unit: string;
}

const script = fileURLToPath(new URL('../packages/backends/wasm/bench/kernels.bench.ts', import.meta.url));

/** Reads the table that the kernels' own benchmark prints. */
function measure(...parameters: string[]): Row[] {
  const table = execFileSync(process.execPath, [script, ...parameters], { encoding: 'utf8' });
  const rows = table.split('\n').map((line) => /^(.+?)\s+([\d.]+)\s+([\d.]+) (G\S+)$/.exec(line));
  return rows.flatMap((row) =>
    row === null ? [] : [{ kernel: row[1], oneThread: Number(row[2]), twoThreads: Number(row[3]), unit: row[4] }],
  );
}

await storeResult('wasm-kernels', 'npm run bench:kernels', {
  statistic: 'best of rounds, wall clock',
  relaxedSimd: measure(),
  plainSimd: measure('--plain', '--filter', 'fast'),
});

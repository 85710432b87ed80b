/**
 * Runs every backend in every runtime: `npm run test:runtimes -- [--only PATTERN] [--json FILE]`.
 *
 * First the packed packages, as users install them; then, from source, the conformance suite and a short training run
 * for each pair of backend and runtime. `--only` takes the rows whose name (`packed deno`, `wasm chromium`, ...) matches
 * the pattern.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { installTool } from '../scripts/install-tool.ts';
import { type PackedRow, packedRows, preparePackages } from './test-packed.ts';
import { type Pair, pairs } from './pairs.ts';
import { type PairRow, recordReference, testPair } from './test-pair.ts';
import { LOSS_TOLERANCE, type LossHistory, TRAINING_STEPS } from './training-run.ts';

const { values: options } = parseArgs({ options: { only: { type: 'string', default: '' }, json: { type: 'string' } } });
const only = new RegExp(options.only);
const startedMs = performance.now();
let failures = 0;

/** Prints one row: cells of fixed widths, the last one as long as it likes. */
function print(cells: readonly unknown[], widths: readonly number[]): void {
  console.log(
    cells
      .map((cell, column) => String(cell).padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function printDetails(lines: readonly string[]): void {
  for (const line of lines) console.log(line.replaceAll(/^/gm, '    '));
}

/**
 * Runs the rows, three at a time: software GPUs wait more than they compute. The slow ones begin first; the result has
 * the order of the table.
 */
function startPairs(selected: readonly Pair[], reference: LossHistory): Promise<PairRow>[] {
  const resolvers: ((row: PairRow) => void)[] = [];
  const results = selected.map((_, index) => new Promise<PairRow>((resolve) => (resolvers[index] = resolve)));
  const isSlow = (index: number): number => (selected[index].backend === 'webgpu' ? 1 : 0);
  const queue = [...selected.keys()].sort((left, right) => isSlow(right) - isSlow(left));
  const work = async (): Promise<void> => {
    for (let index = queue.shift(); index !== undefined; index = queue.shift()) {
      resolvers[index](await testPair(selected[index], reference));
    }
  };
  for (let worker = 0; worker < 3; worker++) void work();
  return results;
}

const packed: PackedRow[] = [];
const selectedPacked = packedRows.filter((name) => only.test(`packed ${name}`));
if (selectedPacked.length > 0) {
  console.log('The packed packages\n');
  const packages = await preparePackages();
  try {
    for (const name of selectedPacked) {
      const row = await packages.test(name);
      packed.push(row);
      print([row.problems.length === 0 ? 'ok  ' : 'FAIL', row.name, `${row.seconds} s`, row.summary], [4, 22, 7]);
      printDetails(row.problems);
      failures += row.problems.length;
    }
    for (const problem of packages.compare(packed)) {
      failures++;
      console.log(`FAIL  ${problem}`);
    }
  } finally {
    packages.remove();
  }
  console.log();
}

const rows: PairRow[] = [];
const selectedPairs = pairs.filter(({ backend, runtime }) => only.test(`${backend} ${runtime}`));
// Dawn, which Node and Bun take WebGPU from: the other runtimes have it.
if (selectedPairs.some(({ backend, runtime }) => backend === 'webgpu' && /^(node|bun)/.test(runtime)))
  installTool('webgpu');
if (selectedPairs.length > 0) {
  console.log(
    `Conformance, and the losses of ${TRAINING_STEPS} steps within ${LOSS_TOLERANCE} of the float64 reference's\n`,
  );
  const widths = [8, 10, 7, 7, 8, 12, 7];
  print(['backend', 'runtime', 'passed', 'failed', 'skipped', 'losses', 'seconds', 'version, description'], widths);
  const reference = await recordReference();
  for (const pending of startPairs(selectedPairs, reference)) {
    const row = await pending;
    rows.push(row);
    if (row.outcome === 'unavailable') {
      print([row.backend, row.runtime, '-', '-', '-', '-', '-', `skipped: ${row.reason}`], widths);
    } else if (row.outcome === 'broken') {
      failures++;
      print([row.backend, row.runtime, '-', 'FAILED', '-', '-', row.seconds, 'the run broke off'], widths);
      printDetails([row.message]);
    } else {
      const { failed, skipped, losses } = row;
      failures += failed.length + (losses.agrees ? 0 : 1);
      const difference = losses.largestDifference.toExponential(1);
      print(
        [
          row.backend,
          row.runtime,
          row.passed,
          failed.length,
          skipped.reduce((total, { tests }) => total + tests.length, 0),
          losses.agrees ? `ok ${difference}` : `FAIL ${difference}`,
          row.seconds,
          `${row.version}, ${row.description}`,
        ],
        widths,
      );
      printDetails(skipped.map(({ reason, tests }) => `${tests.length} skipped: ${reason}`));
      printDetails(failed.map(({ name, message }) => `FAIL ${name}: ${message}`));
      if (!losses.agrees) {
        printDetails([`FAIL losses: ${losses.term} is off by ${losses.largestDifference} at step ${losses.step}`]);
      }
    }
  }
  console.log();
}

if (packed.length + rows.length === 0) {
  failures++;
  console.log(`No row matches ${options.only}`);
}
const seconds = Math.round((performance.now() - startedMs) / 1000);
const unavailable = rows.filter(({ outcome }) => outcome === 'unavailable').length;
console.log(
  `${packed.length + rows.length - unavailable} rows ran, ${unavailable} skipped, ${failures} failures, ${seconds} s`,
);
if (options.json !== undefined) {
  const result = { lossTolerance: LOSS_TOLERANCE, trainingSteps: TRAINING_STEPS, seconds, packed, conformance: rows };
  writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
}
process.exitCode = failures === 0 ? 0 : 1;

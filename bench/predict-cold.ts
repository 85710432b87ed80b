/**
 * `dafl predict` of one picture, each time in a new process: `npm run bench:predict`. As npx runs it, from the packed and
 * installed packages, and from source; for a native file and an ONNX file. A run before the measured ones fills the
 * runtime's cache of compiled code, as anybody's first use does.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shrink, createRandomStream, initializeWeights } from '@dafl/core';
import { builtInTeacher, writeModel, writeOnnx } from '@dafl/models';
import { encode } from 'fast-png';
import { packWorkspaces } from '../scripts/pack-workspaces.ts';
import { storeResult } from './_store-result.ts';

const ROUNDS = 10;

const folder = mkdtempSync(join(tmpdir(), 'dafl-predict-'));
try {
  const { graph } = await builtInTeacher('lenet5-mnist');
  const student = initializeWeights(shrink(graph, 0.5), createRandomStream(1, 'weights'));
  writeFileSync(join(folder, 'student.safetensors'), writeModel(student));
  writeFileSync(join(folder, 'student.onnx'), writeOnnx(student));
  const pixels = Uint8Array.from({ length: 28 * 28 }, (_, index) => (index * 37) % 256);
  writeFileSync(join(folder, 'digit.png'), encode({ width: 28, height: 28, channels: 1, data: pixels }));
  const installed = installPackages();
  const programs = {
    installed: join(installed, 'node_modules', '@dafl', 'cli', 'dist', 'main.js'),
    source: fileURLToPath(new URL('../packages/cli/src/main.ts', import.meta.url)),
  };
  const load = loadavg()[0];
  const rows = [];
  const node = measure(['-e', '0']);
  for (const [program, main] of Object.entries(programs)) {
    for (const model of ['student.safetensors', 'student.onnx'])
      rows.push({ program, model, ...measure([main, 'predict', join(folder, model), join(folder, 'digit.png')]) });
  }
  await storeResult('predict-cold', 'npm run bench:predict', { rounds: ROUNDS, loadAverageBefore: load, node, rows });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** @returns The folder in which npm installed the packed packages, as it does for users. */
function installPackages(): string {
  const packed = packWorkspaces(join(folder, 'tarballs'));
  const project = join(folder, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n');
  const parameters = ['install', '--no-audit', '--no-fund', '--no-update-notifier'];
  const { status, stderr } = spawnSync('npm', [...parameters, ...packed.map(({ tarball }) => tarball)], {
    cwd: project,
    encoding: 'utf8',
  });
  if (status !== 0) throw new RangeError(stderr);
  return project;
}

interface Measured {
  readonly medianSeconds: number;
  readonly leastSeconds: number;
  /** Of the processor, in all threads: what others take of a shared machine is not in it. */
  readonly medianProcessorSeconds: number;
}

function measure(parameters: readonly string[]): Measured {
  const rounds = Array.from({ length: ROUNDS + 1 }, () => {
    const start = performance.now();
    const { status, stderr } = spawnSync('bash', ['-c', 'time -p "$0" "$@"', process.execPath, ...parameters], {
      encoding: 'utf8',
    });
    const seconds = (performance.now() - start) / 1000;
    if (status !== 0) throw new RangeError(stderr);
    const spent = (name: string): number => Number(new RegExp(`^${name} ([\\d.]+)$`, 'm').exec(stderr)?.[1]);
    return { seconds, processorSeconds: spent('user') + spent('sys') };
  }).slice(1);
  return {
    medianSeconds: medianOf(rounds.map(({ seconds }) => seconds)),
    leastSeconds: Math.min(...rounds.map(({ seconds }) => seconds)),
    medianProcessorSeconds: medianOf(rounds.map(({ processorSeconds }) => processorSeconds)),
  };
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

/**
 * Imports an ONNX file of some 100 MB, in a process of its own each time: `npm run bench:large-onnx`. Time from the bytes in
 * memory to the model, and the most memory of the process beyond what the runtime itself takes, over the file's bytes.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandomStream, type Graph, initializeWeights } from '@dafl/core';
import { createArchitecture, importModel, writeOnnx } from '@dafl/models';
import { storeResult } from './_store-result.ts';

const ROUNDS = 3;

/** What one process measures. */
interface Measured {
  readonly seconds: number;
  /** Of the processor, which others may share. */
  readonly cpuSeconds: number;
  /** Bytes of the process at its largest, and before the file was read. */
  readonly peakBytes: number;
  readonly startBytes: number;
}

const [file] = process.argv.slice(2);
if (file === undefined) await compare();
else await measure(file);

async function measure(path: string): Promise<void> {
  const startBytes = process.memoryUsage.rss();
  const bytes = readFileSync(path);
  const start = performance.now();
  const used = process.cpuUsage();
  const { model } = await importModel(bytes, path);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(used);
  const cpuSeconds = (user + system) / 1e6;
  if (model.weights.size === 0) throw new RangeError('it has no weights');
  // What the system tells of a process' use begins with that of the process that started it.
  const peakBytes = Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
  process.stdout.write(JSON.stringify({ seconds, cpuSeconds, peakBytes, startBytes } satisfies Measured));
}

async function compare(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'dafl-large-'));
  try {
    const files = [];
    for (const [name, graph] of networks()) {
      const path = join(folder, `${name}.onnx`);
      const bytes = writeOnnx(initializeWeights(graph, createRandomStream(1, 'weights')));
      writeFileSync(path, bytes);
      const rounds = Array.from({ length: ROUNDS }, () => {
        const { stdout, stderr, status } = spawnSync(process.execPath, [import.meta.filename, path], {
          encoding: 'utf8',
        });
        if (status !== 0) throw new RangeError(stderr);
        return JSON.parse(stdout) as Measured;
      });
      const best = rounds.reduce((least, round) => (round.seconds < least.seconds ? round : least));
      const timesFile = Math.max(...rounds.map(({ peakBytes, startBytes }) => (peakBytes - startBytes) / bytes.length));
      files.push({
        name,
        bytes: bytes.length,
        seconds: best.seconds,
        cpuSeconds: best.cpuSeconds,
        allSeconds: rounds.map((round) => round.seconds),
        timesFile,
      });
    }
    await storeResult('large-onnx', 'npm run bench:large-onnx', { files });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Convolutions alone, and dense layers for the most part. */
function networks(): [string, Graph][] {
  return [
    ['resnet50-imagenet', createArchitecture('resnet50-imagenet')],
    ['alexnet-7-classes', createArchitecture('alexnet', { classes: 7, inputShape: [112, 112, 3] })],
  ];
}

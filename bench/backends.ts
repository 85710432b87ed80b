/**
 * Time of a student's update on wasm and on TensorFlow, for networks of many shapes: `npm run bench:backends`. What
 * `--backend auto` goes by (`packages/run/src/machine/select-backend.ts`).
 *
 * The backends take turns, update by update; each figure is the median.
 */
import { createNodeBackend } from '@dafl/backend-node';
import { createWasmBackend } from '@dafl/backend-wasm';
import {
  createRandomStream,
  distill,
  type Graph,
  describeModel,
  initializeWeights,
  presets,
  shrink,
  type TensorBackend,
} from '@dafl/core';
import { noise } from '@dafl/methods';
import { createArchitecture } from '@dafl/models';
import { storeResult } from './_store-result.ts';

const UPDATES = 5;
const WARM_UP_UPDATES = 1;

/** Of each network the half student learns from the whole; batches are such that an update takes a second at most. */
const networks: readonly { readonly name: string; readonly batchSize: number; readonly graph: Graph }[] = [
  { name: 'lenet5', batchSize: 256, graph: createArchitecture('lenet5') },
  { name: 'hintonnet', batchSize: 256, graph: createArchitecture('hintonnet') },
  { name: 'resnet20', batchSize: 64, graph: createArchitecture('resnet20') },
  { name: 'wrn-16-2', batchSize: 32, graph: createArchitecture('wrn-16-2') },
  { name: 'mobilenetv2', batchSize: 16, graph: createArchitecture('mobilenetv2') },
  { name: 'vgg8', batchSize: 16, graph: createArchitecture('vgg8') },
  { name: 'airbench-0.75', batchSize: 16, graph: createArchitecture('airbench-0.75') },
  { name: 'resnet18', batchSize: 8, graph: createArchitecture('resnet18') },
];

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

async function startRun(backend: TensorBackend, graph: Graph, batchSize: number) {
  const teacher = initializeWeights(graph, createRandomStream(0, 'weights'));
  const run = distill({
    backend,
    teacher,
    student: shrink(graph, 0.5),
    method: noise({ batchSize }),
    training: { ...presets.fast.training, hintWeight: 2 },
    // One more than measured: the last one also makes pictures.
    steps: WARM_UP_UPDATES + UPDATES + 1,
    seed: 0,
  });
  await run.next();
  return run;
}

/** Milliseconds to the next step's event. */
async function timeStep(run: Awaited<ReturnType<typeof startRun>>): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    const { value, done } = await run.next();
    if (done === true) throw new Error('the run has no more steps');
    if (value.event === 'step') return performance.now() - startedMs;
  }
}

const backends = { wasm: await createWasmBackend(), node: createNodeBackend({ device: 'cpu' }) };
const rows = [];
for (const { name, batchSize, graph } of networks) {
  const runs = {
    wasm: await startRun(backends.wasm, graph, batchSize),
    node: await startRun(backends.node, graph, batchSize),
  };
  const times: { wasm: number[]; node: number[] } = { wasm: [], node: [] };
  for (let update = 0; update < WARM_UP_UPDATES + UPDATES; update++) {
    for (const which of ['wasm', 'node'] as const) {
      const time = await timeStep(runs[which]);
      if (update >= WARM_UP_UPDATES) times[which].push(time);
    }
  }
  for (const run of Object.values(runs)) await run.return(undefined);
  const wasmMs = median(times.wasm);
  const nodeMs = median(times.node);
  const { multiplyAccumulates } = describeModel(graph);
  const row = {
    name,
    batchSize,
    multiplyAccumulates,
    layers: graph.nodes.length,
    wasmMs: Math.round(wasmMs),
    nodeMs: Math.round(nodeMs),
    nodeOverWasm: Number((nodeMs / wasmMs).toFixed(2)),
  };
  process.stdout.write(`${JSON.stringify(row)}\n`);
  rows.push(row);
}
await Promise.all(Object.values(backends).map((backend) => backend.close()));
await storeResult('backends', 'npm run bench:backends', { networks: rows });

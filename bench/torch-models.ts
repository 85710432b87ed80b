/**
 * Imports the networks of torchvision and timm, compares them with onnxruntime, and distils each for a step:
 * `npm run bench:torch-models -- FOLDER [NAME...]` (made by bench/make-torch-models.py). With names, what is stored of other
 * networks stays.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createCpuBackend } from '@dafl/backend-cpu';
import { createWasmBackend } from '@dafl/backend-wasm';
import {
  createNetwork,
  createRandomStream,
  dafl,
  distill,
  type Graph,
  inferShapes,
  type Model,
  predictLogits,
  presets,
  shrink,
  type TensorBackend,
} from '@dafl/core';
import { multiply, sum, withTape } from '@dafl/core/autodiff';
import { importModel } from '@dafl/models';
import { storeResult } from './_store-result.ts';

interface Recorded {
  readonly network: string;
  readonly exporter: string;
  readonly torch: string;
  readonly input: readonly number[];
  /** `[batch, channels, height, width]`. */
  readonly inputShape: readonly number[];
  readonly logits: readonly number[];
  /** Torch's, in float64. */
  readonly exact?: readonly number[];
}

/** What was asked of a network, each with a figure or what stood in the way. */
interface Row {
  readonly network: string;
  readonly exporter: string;
  readonly side: number;
  parameters?: number;
  importSeconds?: number;
  /** The greatest of onnxruntime's logits. */
  readonly largestLogit: number;
  /** Greatest difference from onnxruntime's logits, on wasm in float32. */
  logitDifference?: number;
  /** The greatest differences of both from what torch computes in float64, so that who rounds more is seen. */
  fromFloat64?: { readonly wasm: number; readonly onnxruntime: number };
  /** Relative difference of a directional derivative from central differences, on the cpu backend in float64. Absent for large pictures. */
  gradientDifference?: number;
  /** Parameters of the half, over those of the whole. */
  halfShare?: number;
  stepLoss?: number;
  error?: string;
}

/** The cpu backend computes in plain loops: minutes for a picture of 224 x 224. */
const LARGEST_GRADIENT_SIDE = 128;

const [folder, ...names] = process.argv.slice(2);
if (folder === undefined)
  throw new Error('Cannot import networks as their folder must be named: npm run bench:torch-models -- FOLDER');

/** Channels last, and as the model's preprocessing leaves them. */
function prepare({ graph }: Model, { input, inputShape }: Recorded): Float64Array {
  const [batch, channels, height, width] = inputShape;
  const area = height * width;
  const { mean, standardDeviation } = graph.preprocessing ?? { mean: [], standardDeviation: [] };
  return Float64Array.from({ length: batch * area * channels }, (_, index) => {
    const channel = index % channels;
    const pixel = Math.floor(index / channels);
    const value = input[(Math.floor(pixel / area) * channels + channel) * area + (pixel % area)];
    return (value - (mean[channel] ?? 0)) / (standardDeviation[channel] ?? 1);
  });
}

function greatest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function product(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let total = 0;
  for (let index = 0; index < left.length; index++) total += left[index] * right[index];
  return total;
}

/** Of all weights. */
function countParameters(graph: Graph): number {
  let total = 0;
  for (const { weights } of inferShapes(graph).values()) {
    for (const { shape } of Object.values(weights)) total += shape.reduce((size, length) => size * length, 1);
  }
  return total;
}

/** Logits, and how far the slope of a random sum of them along a random direction is from central differences. */
async function compareGradient(backend: TensorBackend, model: Model, image: Float64Array): Promise<number> {
  const network = createNetwork(backend, model);
  const random = createRandomStream(1, 'direction');
  const shape = [1, ...model.graph.inputShape];
  const direction = random.normal(image.length);
  const logits = await predictLogits(network, backend.tensor(image, shape));
  const weights = random.normal(logits.length);
  const gradient = await withTape(backend, (tape) => {
    const leaf = tape.leaf(backend.tensor(image, shape));
    const output = network.forward(tape, leaf, { mode: 'inference' }).logits;
    const chosen = sum(tape, multiply(tape, output, tape.constant(backend.tensor(weights, output.shape))));
    const [slopes] = tape.gradients(chosen, [leaf]);
    return backend.read(slopes);
  });
  const slope = product(gradient, direction);
  const at = async (distance: number): Promise<number> => {
    const moved = image.map((value, index) => value + distance * direction[index]);
    return product(await predictLogits(network, backend.tensor(moved, shape)), weights);
  };
  // Small, so that hardly a unit changes sides on the way.
  const distance = 1e-8;
  const expected = ((await at(distance)) - (await at(-distance))) / (2 * distance);
  network.dispose();
  return Math.abs(slope - expected) / Math.max(Math.abs(expected), 1e-12);
}

/** One step of DAFL, images for two: the teacher's input gradient and an update of its half. */
async function takeStep(backend: TensorBackend, teacher: Model): Promise<number> {
  const { fast } = presets;
  const method = dafl({ ...fast.dafl, batchSize: 2, replay: null });
  const student = shrink(teacher.graph, 0.5);
  for await (const event of distill({
    backend,
    teacher,
    student,
    method,
    training: fast.training,
    steps: 1,
    seed: 0,
  })) {
    if (event.event === 'step') return event.losses.distillation;
  }
  throw new Error('it took no step');
}

async function examine(file: string, recorded: Recorded): Promise<Row> {
  const row: Row = {
    network: recorded.network,
    exporter: recorded.exporter,
    side: recorded.inputShape[2],
    largestLogit: greatest(recorded.logits),
  };
  let stage = 'import';
  try {
    const start = performance.now();
    const bytes = await readFile(file);
    const { model } = await importModel(bytes, basename(file), { readSibling: (name) => readFile(join(folder, name)) });
    row.importSeconds = (performance.now() - start) / 1000;
    const parameters = countParameters(model.graph);
    row.parameters = parameters;
    const image = prepare(model, recorded);
    stage = 'logits';
    const wasm = await createWasmBackend();
    try {
      const network = createNetwork(wasm, model);
      const images = wasm.tensor(image, [recorded.inputShape[0], ...model.graph.inputShape]);
      const logits = await predictLogits(network, images);
      network.dispose();
      row.logitDifference = greatest(recorded.logits.map((value, index) => value - logits[index]));
      const { exact, logits: answered } = recorded;
      if (exact !== undefined) {
        const from = (given: ArrayLike<number>) => greatest(exact.map((value, index) => value - given[index]));
        row.fromFloat64 = { wasm: from(logits), onnxruntime: from(answered) };
      }
      stage = 'shrink';
      row.halfShare = countParameters(shrink(model.graph, 0.5)) / parameters;
      stage = 'step';
      row.stepLoss = await takeStep(wasm, model);
    } finally {
      await wasm.close();
    }
    if (row.side > LARGEST_GRADIENT_SIDE) return row;
    stage = 'gradient';
    const cpu = createCpuBackend({ precision: 'float64' });
    row.gradientDifference = await compareGradient(
      cpu,
      model,
      image.subarray(0, image.length / recorded.inputShape[0]),
    );
  } catch (error) {
    row.error = `${stage}: ${error instanceof Error ? error.message : String(error)}`;
  }
  return row;
}

const results = new URL('results/torch-models.json', import.meta.url);
const stored = existsSync(results) ? (JSON.parse(await readFile(results, 'utf8')) as { rows: Row[] }).rows : [];
const rows = new Map(stored.map((row) => [`${row.network}.${row.exporter}`, row]));
let torch = '';
for (const name of (await readdir(folder)).sort()) {
  const [network] = name.split('.');
  if (!name.endsWith('.onnx') || (names.length > 0 && !names.includes(network))) continue;
  const file = join(folder, name);
  const recorded = JSON.parse(await readFile(file.replace(/\.onnx$/, '.json'), 'utf8')) as Recorded;
  ({ torch } = recorded);
  rows.set(`${network}.${recorded.exporter}`, await examine(file, recorded));
}
const sorted = [...rows].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, row]) => row);
await storeResult('torch-models', 'npm run bench:torch-models -- FOLDER', { torch, rows: sorted });

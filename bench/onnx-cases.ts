/**
 * Runs ONNX's backend tests through the importer on the cpu backend, with input gradients: `npm run bench:onnx-cases -- FOLDER`
 * (made by bench/make-onnx-cases.py).
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCpuBackend } from '@dafl/backend-cpu';
import { createNetwork, DaflError, type Graph, validateModel } from '@dafl/core';
import { sum, Tape } from '@dafl/core/autodiff';
import { createReject } from '../packages/models/src/formats/_reject.ts';
import { GraphBuilder, sizesOf, usualOrder } from '../packages/models/src/formats/onnx/graph-builder.ts';
import { lowerGraph } from '../packages/models/src/formats/onnx/lower-graph.ts';
import { parseOnnx } from '../packages/models/src/formats/onnx/parse-onnx.ts';
import { storeResult } from './_store-result.ts';

interface Listed {
  readonly name: string;
  readonly kind: string;
  readonly operators: readonly string[];
  readonly file?: string;
  readonly skipped?: string;
}
interface Side {
  readonly name: string;
  readonly shape: readonly number[];
  /** null: not finite. */
  readonly values: readonly (number | null)[];
}
interface Case {
  readonly input: Side;
  readonly output: Side;
  readonly rtol: number;
  readonly atol: number;
}
interface Verdict {
  readonly result: 'passed' | 'refused' | 'failed';
  readonly reason?: string;
}

const [folder] = process.argv.slice(2);
if (folder === undefined)
  throw new Error('Cannot run cases as their folder must be named: npm run bench:onnx-cases -- FOLDER');

async function runCase(bytes: Uint8Array, { input, output, rtol, atol }: Case, isBatch: boolean): Promise<Verdict> {
  const file = parseOnnx(bytes, createReject('case', 'an ONNX model'));
  const batch = isBatch ? input.shape[0] : 1;
  const shape = isBatch ? [1, ...input.shape.slice(1)] : input.shape;
  const builder = new GraphBuilder(undefined, isBatch);
  const order = isBatch ? shape.map((_, axis) => axis).slice(1) : usualOrder(shape).toSorted((a, b) => a - b);
  const inputShape = sizesOf(order, shape);
  const lowered = lowerGraph(
    file,
    {
      builder,
      input: { node: 'input', shape, order },
      inputName: input.name,
      outputName: file.outputs[0].name,
      siblings: new Map(),
    },
    createReject('case', 'an ONNX model'),
  );
  const axes = lowered.output.shape.map((_, axis) => axis).filter((axis) => lowered.output.shape[axis] !== 1);
  const { node } = builder.arrange('result', lowered.output, axes);
  const graph: Graph = {
    name: 'case',
    inputShape,
    nodes:
      builder.nodes.length > 0
        ? builder.nodes
        : [{ name: 'same', kind: 'reshape', shape: inputShape, inputs: ['input'] }],
    // No classifier: behind logits a softmax would be taken for its head.
    outputs: { result: builder.nodes.length > 0 ? node : 'same' },
  };
  const model = { graph, weights: builder.weights };
  validateModel(model);
  const backend = createCpuBackend({ precision: 'float64' });
  const network = createNetwork(backend, model);
  const tape = new Tape(backend);
  const values = Float64Array.from(input.values, (value) => value ?? Number.NaN);
  const leaf = tape.leaf(backend.tensor(values, [batch, ...inputShape]));
  const result = network.forward(tape, leaf, { mode: 'inference' }).result;
  const actual = await backend.read(result.tensor);
  if (actual.length !== output.values.length)
    return { result: 'failed', reason: `${actual.length} values in place of ${output.values.length}` };
  for (const [index, expected] of output.values.entries()) {
    if (expected === null) continue;
    if (!(Math.abs(actual[index] - expected) <= atol + rtol * Math.abs(expected)))
      return { result: 'failed', reason: `value ${index} is ${actual[index]} in place of ${expected}` };
  }
  if (output.values.includes(null) || input.values.includes(null)) return { result: 'passed' };
  const [gradient] = tape.gradients(sum(tape, result), [leaf]);
  const slopes = await backend.read(gradient);
  return slopes.every(Number.isFinite)
    ? { result: 'passed' }
    : { result: 'failed', reason: 'its gradient is not finite' };
}

/** Operators that treat each example of a batch alone: a refusal as one example is tried again as a batch. */
async function judge(bytes: Uint8Array, read: Case): Promise<Verdict> {
  let refusal = '';
  for (const isBatch of [false, true]) {
    if (isBatch && (read.input.shape.length < 2 || read.output.shape[0] !== read.input.shape[0])) continue;
    try {
      const verdict = await runCase(bytes, read, isBatch);
      if (verdict.result === 'passed' || !isBatch) return verdict;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (!(error instanceof DaflError)) return { result: 'failed', reason: message };
      const value = message.replace(/^.*current value is /s, '');
      if (!isBatch) refusal = value.includes("'") ? value : message;
    }
  }
  return { result: 'refused', reason: refusal };
}

const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as { onnx: string; cases: Listed[] };
const rows = new Map<string, { kind: string; operators: readonly string[]; verdicts: Verdict[] }>();
for (const { name, kind, operators, file, skipped } of index.cases) {
  const row = rows.get(`${kind}/${name}`) ?? { kind, operators, verdicts: [] };
  rows.set(`${kind}/${name}`, row);
  if (file === undefined) {
    row.verdicts.push({ result: 'refused', reason: `no case for it: ${skipped}` });
    continue;
  }
  const bytes = await readFile(join(folder, `${file}.onnx`));
  row.verdicts.push(await judge(bytes, JSON.parse(await readFile(join(folder, `${file}.json`), 'utf8')) as Case));
}

/** A case fails where one of its inputs does, and passes where one of them can be computed. */
function total(verdicts: readonly Verdict[]): Verdict {
  const of = (result: Verdict['result']) => verdicts.find((verdict) => verdict.result === result);
  return of('failed') ?? of('passed') ?? verdicts[0];
}

const cases = [...rows].map(([name, { operators, verdicts }]) => ({
  name,
  operators: operators.join(' '),
  ...total(verdicts),
}));
const count = (result: Verdict['result']) => cases.filter((entry) => entry.result === result).length;
const outside = cases.filter((entry) => entry.reason?.startsWith('no case for it')).length;
await storeResult('onnx-cases', 'npm run bench:onnx-cases -- FOLDER', {
  onnx: index.onnx,
  cases: cases.length,
  notOfFloat32: outside,
  passed: count('passed'),
  refused: count('refused') - outside,
  failed: count('failed'),
  rows: cases.filter((entry) => !entry.reason?.startsWith('no case for it')),
});

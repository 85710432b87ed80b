import { createCpuBackend } from '@dafl/backend-cpu';
import { createNodeBackend, findTensorflow } from '@dafl/backend-node';
import { createWasmBackend } from '@dafl/backend-wasm';
import { createWebgpuBackend } from '@dafl/backend-webgpu';
import { expectClose } from '@dafl/conformance';
import { afterAll, describe, expect, it } from 'vitest';
import { useSoftwareVulkan } from '../../../../backends/webgpu/src/_software-vulkan.ts';
import golden from '../../../../../test-fixtures/golden/nodes.json' with { type: 'json' };
import { graphOf, runNodes } from '../../_testing/node-runner.ts';
import { multiply } from '../../autodiff/operations/element-wise.ts';
import { sum } from '../../autodiff/operations/reduction.ts';
import { Tape } from '../../autodiff/tape.ts';
import type { Tensor, TensorBackend } from '../../backend.ts';
import type { ModelNode } from '../model.ts';

interface GoldenArray {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

interface GoldenCase {
  readonly node: object;
  readonly input: GoldenArray;
  readonly weights: Readonly<Record<string, GoldenArray>>;
  readonly output: GoldenArray;
  readonly outputGradient: GoldenArray;
  readonly gradients: Readonly<Record<string, GoldenArray>>;
}

const cases = golden.cases as unknown as readonly GoldenCase[];
const narrow = { absolute: 5e-5, relative: 1e-4 };
const { adapter } = await useSoftwareVulkan();
const backends: readonly (readonly [string, () => TensorBackend | Promise<TensorBackend>, typeof narrow])[] = [
  // Matrices of shares are kept in float32, as all weights are: resizing errs by 1e-8 in float64 too.
  ['cpu, float64', () => createCpuBackend({ precision: 'float64' }), { absolute: 1e-7, relative: 1e-7 }],
  ['wasm', () => createWasmBackend({ threads: 1 }), narrow],
  ...(adapter === null
    ? []
    : ([['webgpu', () => createWebgpuBackend({ allowSoftwareAdapter: true }), narrow]] as const)),
  ...(findTensorflow().length === 0 ? [] : ([['node', () => createNodeBackend(), narrow]] as const)),
];

describe.each(backends)('nodes on %s, against PyTorch', async (_, create, tolerance) => {
  const backend = await create();
  afterAll(async () => {
    expect(backend.memory().tensors).toBe(0);
    await backend.close();
  });

  it.each(cases)('$node', async ({ node, input, weights, output, outputGradient, gradients }) => {
    const made: Tensor[] = [];
    const put = ({ values, shape }: GoldenArray): Tensor => {
      const tensor = backend.tensor(Float64Array.from(values), shape);
      made.push(tensor);
      return tensor;
    };
    const tape = new Tape(backend);
    const graph = graphOf([{ name: 'out', inputs: ['input'], ...node } as unknown as ModelNode], input.shape.slice(1));
    const leaf = tape.leaf(put(input));
    const named = Object.entries(weights).map(([name, array]) => [`out.${name}`, tape.leaf(put(array))] as const);
    const result = runNodes(tape, graph, leaf, new Map(named));
    // A number for each example has a row of one.
    expect(result.shape.reduce((total, size) => total * size, 1)).toBe(output.values.length);
    expectClose(await backend.read(result.tensor), output.values, tolerance);
    const weighted = multiply(tape, result, tape.constant(put({ ...outputGradient, shape: result.shape })));
    const found = tape.gradients(sum(tape, weighted), [leaf, ...named.map(([, value]) => value)]);
    tape.dispose();
    for (const [index, name] of ['input', ...Object.keys(weights)].entries()) {
      expectClose(await backend.read(found[index]), gradients[name].values, tolerance);
    }
    for (const tensor of [...made, ...found]) backend.dispose(tensor);
  });
});

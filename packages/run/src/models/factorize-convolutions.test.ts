import { createCpuBackend } from '@dafl/backend-cpu';
import {
  createNetwork,
  createRandomStream,
  describeModel,
  initializeWeights,
  type Model,
  type ModelNode,
  predictLogits,
} from '@dafl/core';
import { createArchitecture } from '@dafl/models';
import { describe, expect, test } from 'vitest';
import { factorizeConvolutions } from './factorize-convolutions.ts';

const lenet5 = (): Model => initializeWeights(createArchitecture('lenet5'), createRandomStream(1, 'weights'));

async function logitsOf(model: Model): Promise<number[]> {
  const backend = createCpuBackend();
  const network = createNetwork(backend, model);
  const images = backend.tensor(createRandomStream(2, 'images').normal(3 * 32 * 32), [3, 32, 32, 1]);
  const logits = await predictLogits(network, images);
  network.dispose();
  return Array.from(logits);
}

/** A kernel that is `pairs` products of a column and a row. */
function ofRank(model: Model, node: string, pairs: number): Model {
  const { shape } = model.weights.get(`${node}.kernel`)!;
  const [height, width, inputs, outputs] = shape;
  const random = createRandomStream(3, node);
  const columns = random.normal(pairs * height * inputs);
  const rows = random.normal(pairs * width * outputs);
  const data = new Float32Array(height * width * inputs * outputs);
  let position = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let input = 0; input < inputs; input++) {
        for (let output = 0; output < outputs; output++, position++) {
          for (let pair = 0; pair < pairs; pair++) {
            const column = columns[(pair * height + y) * inputs + input];
            data[position] += (0.1 * column * rows[(pair * width + x) * outputs + output]) / pairs;
          }
        }
      }
    }
  }
  return { ...model, weights: new Map(model.weights).set(`${node}.kernel`, { shape, data }) };
}

describe('factorizeConvolutions', () => {
  test('computes what the model computes where its kernels are of the rank that is kept', async () => {
    let model = lenet5();
    for (const node of ['conv1', 'conv2', 'conv3']) model = ofRank(model, node, 2);
    const student = await factorizeConvolutions(model, 0.5);
    const names = student.graph.nodes.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['conv2/column', 'conv2', 'conv3/column', 'conv3']));
    const [expected, actual] = [await logitsOf(model), await logitsOf(student)];
    actual.forEach((value, index) => expect(value).toBeCloseTo(expected[index], 4));
  });

  test('keeps strides, dilations and padding on the axis that they belong to', async () => {
    const { graph, weights } = lenet5();
    const nodes = graph.nodes.map((node): ModelNode => {
      // The same sizes as before, by other ways.
      if (node.name !== 'conv2' || node.kind !== 'conv2d') return node;
      return { ...node, strides: [1, 2], dilations: [2, 1], padding: { top: 1, bottom: 3, left: 7, right: 4 } };
    });
    let model: Model = { graph: { ...graph, nodes }, weights };
    for (const node of ['conv1', 'conv2', 'conv3']) model = ofRank(model, node, 1);
    const student = await factorizeConvolutions(model, 0.5);
    expect(student.graph.nodes.map(({ name }) => name)).toContain('conv2/column');
    const [expected, actual] = [await logitsOf(model), await logitsOf(student)];
    actual.forEach((value, index) => expect(value).toBeCloseTo(expected[index], 4));
  });

  test.each([0.3, 0.5, 0.8])('takes at most %s of the multiply-accumulates, and most of them', async (share) => {
    const model = lenet5();
    const { multiplyAccumulates } = describeModel((await factorizeConvolutions(model, share)).graph);
    const whole = describeModel(model.graph).multiplyAccumulates;
    expect(multiplyAccumulates).toBeLessThanOrEqual(share * whole);
    expect(multiplyAccumulates).toBeGreaterThan(0.85 * share * whole);
  });

  test('leaves grouped and 1x1 convolutions whole', async () => {
    const model = initializeWeights(createArchitecture('mobilenetv2'), createRandomStream(1, 'weights'));
    const { graph } = await factorizeConvolutions(model, 0.995);
    expect(graph.nodes.map(({ name }) => name)).toEqual(
      model.graph.nodes.flatMap(({ name }) => (name === 'stem' ? ['stem/column', 'stem'] : [name])),
    );
  });

  test('refuses a network without convolutions', async () => {
    const model = initializeWeights(createArchitecture('hintonnet'), createRandomStream(1, 'weights'));
    await expect(factorizeConvolutions(model, 0.5)).rejects.toThrow(
      "Cannot factorize 'hintonnet' as it must have ordinary convolutions larger than 1x1: current value is none",
    );
  });

  test.each([0, 1, Number.NaN])('refuses the share %s', async (share) => {
    await expect(factorizeConvolutions(lenet5(), share)).rejects.toThrow(
      `Cannot factorize 'lenet5' as 'share' must be in (0, 1): current value is ${share}`,
    );
  });

  test('refuses a share that leaves a convolution nothing, and says how much it needs', async () => {
    let message = '';
    try {
      await factorizeConvolutions(lenet5(), 0.01);
    } catch (error) {
      message = (error as Error).message;
    }
    const rule =
      /'student' must be low-rank-(0\.\d+) or more, which leaves each convolution a channel: current value is 0\.01/;
    expect(message).toMatch(rule);
    const least = Number(rule.exec(message)![1]);
    await factorizeConvolutions(lenet5(), least);
    await expect(factorizeConvolutions(lenet5(), least - 0.001)).rejects.toThrow(/leaves each convolution a channel/);
  });

  test('splits kernels of zeros, and of one large number', async () => {
    const { graph, weights } = lenet5();
    const changed = new Map(weights);
    for (const [name, value] of [
      ['conv2', 0],
      ['conv3', 1e18],
    ] as const) {
      const { shape, data } = weights.get(`${name}.kernel`)!;
      changed.set(`${name}.kernel`, { shape, data: new Float32Array(data.length).fill(0) });
      changed.get(`${name}.kernel`)!.data[7] = value;
    }
    const student = await factorizeConvolutions({ graph, weights: changed }, 0.5);
    for (const { data } of student.weights.values()) expect(data.every(Number.isFinite)).toBe(true);
    const product = (name: string): number =>
      [`${name}/column`, name].reduce(
        (whole, part) => whole * Math.max(...student.weights.get(`${part}.kernel`)!.data.map(Math.abs)),
        1,
      );
    expect(product('conv2')).toBe(0);
    expect(product('conv3') / 1e18).toBeCloseTo(1, 6);
  });

  test('ends at an abort while it computes, and tells how far it is', async () => {
    const model = initializeWeights(createArchitecture('resnet18'), createRandomStream(1, 'weights'));
    const controller = new AbortController();
    const shares: number[] = [];
    const startedMs = performance.now();
    const work = factorizeConvolutions(model, 0.5, {
      signal: controller.signal,
      onFactorization(share) {
        shares.push(share);
        controller.abort();
      },
    });
    await expect(work).rejects.toMatchObject({ name: 'AbortError' });
    // Tens of seconds where nobody aborts it.
    expect(performance.now() - startedMs).toBeLessThan(10_000);
    expect(shares).toHaveLength(1);
    expect(shares[0]).toBeLessThan(1);
  });
});

import { createCpuBackend } from '@dafl/backend-cpu';
import { describe, expect, it } from 'vitest';
import { activationNode, denseNode } from '../_testing/nodes.ts';
import { classify } from '../classify.ts';
import { evaluate } from '../evaluate.ts';
import { predictLogits } from '../predict.ts';
import { createRandomStream } from '../random.ts';
import { describeClassifier } from './classifier.ts';
import { initializeWeights } from './initialize-weights.ts';
import type { Graph, Model, ModelNode } from './model.ts';
import { createNetwork } from './network.ts';
import { takeLogits } from './take-logits.ts';

const backend = createCpuBackend();

function graph(units: number, ...tail: ModelNode[]): Graph {
  const nodes: ModelNode[] = [
    { kind: 'flatten', name: 'flat', inputs: ['input'], order: 'hwc' },
    denseNode('head', 'flat', units),
    ...tail,
  ];
  return { name: 'sure', inputShape: [2, 2, 1], nodes, outputs: { logits: nodes.at(-1)!.name, features: 'flat' } };
}
const reshaped = (name: string, input: string, ...shape: number[]): ModelNode => ({
  kind: 'reshape',
  name,
  inputs: [input],
  shape,
});
const linear = (name: string, input: string, factor: number, summand = 0): ModelNode => ({
  kind: 'affine',
  name,
  inputs: [input],
  factor: [factor],
  summand: [summand],
});
const along = (name: string, input: string, axis: number, logarithm: boolean): ModelNode => ({
  kind: 'softmax',
  name,
  inputs: [input],
  axis,
  logarithm,
});
const softmax = activationNode('p', 'head', 'softmax');
const behind = (operator: string): string => `The logits are what ${operator} 'p' at its end reads`;

/** Logits of four images by the network that dafl makes of a graph. */
async function logitsOf(model: Model): Promise<Float32Array> {
  const network = createNetwork(backend, model);
  const images = backend.tensor(
    Float32Array.from({ length: 16 }, (_, index) => Math.sin(index)),
    [4, 2, 2, 1],
  );
  const logits = await predictLogits(network, images);
  backend.dispose(images);
  network.dispose();
  return Float32Array.from(logits);
}

describe('takeLogits', () => {
  it('leaves what reads a spelt softmax elsewhere', () => {
    const nodes: ModelNode[] = [
      activationNode('e', 'head', 'exp'),
      { kind: 'reduce', name: 's', inputs: ['e'], operation: 'sum', axes: [0], keepDimensions: false },
      reshaped('row', 's', 1),
      { kind: 'divide', name: 'p', inputs: ['e', 'row'] },
    ];
    const made = { ...graph(3, ...nodes), outputs: { logits: 'p', features: 'e' } };
    const { graph: taken, note } = takeLogits(made);
    expect(note).toBe("The logits are what Softmax 'p' at its end reads");
    expect(taken.outputs).toEqual({ logits: 'head', features: 'e' });
    expect(taken.nodes.map(({ name }) => name)).toEqual(['flat', 'head', 'e']);
  });

  it.each<[string, string, ModelNode[]]>([
    ['a softmax', behind('Softmax'), [softmax]],
    ['a softmax and a reshape', behind('Softmax'), [softmax, reshaped('row', 'p', 3)]],
    [
      'a softmax and a flatten',
      behind('Softmax'),
      [softmax, { kind: 'flatten', name: 'row', inputs: ['p'], order: 'hwc' }],
    ],
    ['a softmax and an identity', behind('Softmax'), [softmax, { kind: 'concat', name: 'same', inputs: ['p'] }]],
    ['a softmax x 1', behind('Softmax'), [softmax, linear('once', 'p', 1)]],
    ['a softmax in percent', behind('Softmax'), [softmax, linear('percent', 'p', 100)]],
    ['a softmax and dropout', behind('Softmax'), [softmax, { kind: 'dropout', name: 'out', inputs: ['p'], rate: 0.5 }]],
    [
      'the logarithm of a clipped softmax',
      behind('Softmax'),
      [softmax, { kind: 'clip', name: 'c', inputs: ['p'], minimum: 1e-7 }, activationNode('log', 'c', 'log')],
    ],
    [
      'a softmax of a map of one pixel',
      behind('Softmax'),
      [reshaped('map', 'head', 1, 1, 3), along('p', 'map', 2, false), reshaped('row', 'p', 3)],
    ],
    ['a log-softmax', behind('LogSoftmax'), [along('p', 'head', 0, true)]],
    [
      'several sigmoid units',
      `${behind('Sigmoid')}. Each image is taken to be of one class, the likeliest: that it may have several labels or none is lost`,
      [activationNode('p', 'head', 'sigmoid')],
    ],
  ])('finds the logits behind %s', async (_, note, tail) => {
    const model = initializeWeights(graph(3, ...tail), createRandomStream(1, 'weights'));
    const taken = takeLogits(model.graph);
    expect(taken.note).toBe(note);
    expect(takeLogits(taken.graph)).toEqual({ graph: taken.graph });
    expect(describeClassifier(model.graph).classes).toBe(3);
    const plain = { ...model, graph: graph(3) };
    expect(await logitsOf(model)).toEqual(await logitsOf(plain));
  });

  it('takes one sigmoid unit as two classes, in all that judges a network', async () => {
    const sigmoid = activationNode('p', 'head', 'sigmoid');
    const model = initializeWeights(graph(1, sigmoid, reshaped('row', 'p', 1)), createRandomStream(1, 'weights'));
    expect(takeLogits(model.graph).note).toBe(
      "The one unit of Sigmoid 'p' at its end is taken as two classes: 1 where it is above 1/2, else 0",
    );
    expect(describeClassifier(model.graph).classes).toBe(2);
    const [kernel, bias] = ['head.kernel', 'head.bias'].map((name) => model.weights.get(name)!.data);
    const pixels = Uint8Array.from({ length: 16 }, (_, index) => (index * 89) % 256);
    const units = Array.from({ length: 4 }, (_, row) => {
      const sum = kernel.reduce((total, weight, index) => total + (weight * pixels[row * 4 + index]) / 255, bias[0]);
      return 1 / (1 + Math.exp(-sum));
    });
    const labels = Uint32Array.from(units, (unit) => (unit > 0.5 ? 1 : 0));
    const images = { count: 4, height: 2, width: 2, channels: 1, pixels, labels };
    const network = createNetwork(backend, model);
    const found = await classify(network, images);
    found.forEach(({ label, probabilities }, row) => {
      expect(label).toBe(labels[row]);
      expect(probabilities[1]).toBeCloseTo(units[row], 6);
    });
    expect((await evaluate(network, images)).accuracy).toBe(1);
    network.dispose();
  });

  const exponential = activationNode('e', 'head', 'exp');
  const sum = (name: string, input: string): ModelNode => ({
    kind: 'reduce',
    name,
    inputs: [input],
    operation: 'sum',
    axes: [0],
    keepDimensions: true,
  });
  const quotient = (name: string, ...inputs: string[]): ModelNode => ({ kind: 'divide', name, inputs });
  const reciprocal = (name: string, input: string): ModelNode => ({
    kind: 'power',
    name,
    inputs: [input],
    exponent: -1,
  });

  it.each<[string, ModelNode[]]>([
    ['exp of a log-softmax', [along('l', 'head', 0, true), activationNode('p', 'l', 'exp')]],
    [
      'exp x the reciprocal of its sum',
      [exponential, sum('s', 'e'), reciprocal('r', 's'), { kind: 'multiply', name: 'p', inputs: ['e', 'r'] }],
    ],
    [
      'exp over its sum, kept from being 0',
      [exponential, sum('s', 'e'), linear('t', 's', 1, 1e-7), quotient('p', 'e', 't')],
    ],
    [
      'exp over the sum of its magnitudes',
      [exponential, activationNode('a', 'e', 'abs'), sum('s', 'a'), quotient('p', 'e', 's')],
    ],
    [
      '1 / (1 + exp(-z))',
      [linear('n', 'head', -1), activationNode('e', 'n', 'exp'), linear('o', 'e', 1, 1), reciprocal('p', 'o')],
    ],
    [
      '(1 + tanh(z / 2)) / 2',
      [linear('n', 'head', 0.5), activationNode('t', 'n', 'tanh'), linear('o', 't', 0.5), linear('p', 'o', 1, 0.5)],
    ],
  ])('finds the logits behind %s', async (_, tail) => {
    const model = initializeWeights(graph(3, ...tail), createRandomStream(1, 'weights'));
    const taken = takeLogits(model.graph);
    expect(taken.note).toMatch(/^The logits are what (LogSoftmax 'l'|Softmax 'p'|Sigmoid 'p') at its end reads/);
    // Nothing of the head is left but factors.
    expect(taken.graph.nodes.map(({ kind }) => kind).filter((kind) => kind !== 'affine')).toEqual(['flatten', 'dense']);
    const plain = await logitsOf({ ...model, graph: graph(3) });
    (await logitsOf(model)).forEach((value, index) => expect(value).toBeCloseTo(plain[index], 6));
  });

  it.each<[string, ModelNode[]]>([
    [
      'the mean of two softmaxes',
      [
        softmax,
        linear('other', 'head', -2),
        activationNode('q', 'other', 'softmax'),
        { kind: 'add', name: 'both', inputs: ['p', 'q'] },
        linear('mean', 'both', 0.5),
      ],
    ],
    ['sigmoids over their sum', [activationNode('e', 'head', 'sigmoid'), sum('s', 'e'), quotient('share', 'e', 's')]],
    [
      'softplus over their sum',
      [activationNode('e', 'head', 'softplus'), sum('s', 'e'), linear('t', 's', 1, 1e-8), quotient('share', 'e', 't')],
    ],
  ])('takes the logarithms of %s', async (_, tail) => {
    const made = graph(3, ...tail);
    const model = initializeWeights(made, createRandomStream(3, 'weights'));
    const { graph: taken, note } = takeLogits(made);
    expect(note).toBe(`The logits are the logarithms of the probabilities that '${made.outputs.logits}' gives`);
    expect(takeLogits(taken)).toEqual({ graph: taken });
    const logits = await logitsOf(model);
    for (let row = 0; row < 4; row++) {
      const total = logits.subarray(3 * row, 3 * row + 3).reduce((before, value) => before + Math.exp(value), 0);
      expect(total).toBeCloseTo(1, 5);
    }
  });

  it('leaves quotients alone that are no probabilities', () => {
    for (const tail of [
      [activationNode('e', 'head', 'tanh'), sum('s', 'e'), quotient('p', 'e', 's')],
      [exponential, sum('s', 'head'), quotient('p', 'e', 's')],
      [exponential, sum('s', 'e'), linear('t', 's', 1, 2), quotient('p', 'e', 't')],
      [softmax, { kind: 'add', name: 'both', inputs: ['p', 'head'] } satisfies ModelNode],
    ]) {
      const plain = graph(3, ...tail);
      expect(takeLogits(plain)).toEqual({ graph: plain });
    }
  });

  it('keeps what else is read', () => {
    const shared = { ...graph(3, softmax, reshaped('row', 'p', 3)), outputs: { logits: 'row', features: 'p' } };
    const taken = takeLogits(shared).graph;
    expect(taken.outputs).toEqual({ logits: 'head', features: 'p' });
    expect(taken.nodes.map(({ name }) => name)).toEqual(['flat', 'head', 'p']);
  });

  it.each<[string, ModelNode[]]>([
    ['no head', []],
    ['a factor for each class', [softmax, { ...linear('each', 'p', 1), factor: [1, 2, 3] } as ModelNode]],
    ['a factor that turns the order', [softmax, linear('minus', 'p', -1)]],
    ['what is no probability', [activationNode('p', 'head', 'tanh')]],
  ])('leaves %s alone', (_, tail) => {
    const plain = graph(3, ...tail);
    expect(takeLogits(plain)).toEqual({ graph: plain });
  });

  it('refuses a softmax over something else than the classes', () => {
    const groups = graph(6, reshaped('groups', 'head', 2, 3), along('p', 'groups', 1, false), reshaped('row', 'p', 6));
    expect(() => describeClassifier(groups)).toThrow(
      "Cannot use model 'sure' as a classifier as Softmax 'p' must be over its classes: current value is [2, 3] along axis 1",
    );
  });
});

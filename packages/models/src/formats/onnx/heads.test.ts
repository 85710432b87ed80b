/** Ends of classifiers that exporters spell out, and constants that no operator can make. */
import { softmaxRows } from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { buildOnnx, floats, integers, node, type OnnxSketch } from './_testing/build-onnx.ts';
import { runModel } from './_testing/run-model.ts';
import { readOnnx } from './read-onnx.ts';

const row = [0.3, -1.2, 0.7, 2];
const weights = [
  floats('w', [4, 3], [1, 0, -1, 0.5, 2, 0, -0.5, 1, 1, 0, 0.25, 1]),
  floats('v', [4, 1], [1, 0.5, -1, 0.75]),
  floats('one', [], [1]),
  floats('minus', [], [-1]),
  integers('axis', [1]),
];
const read = (sketch: Pick<OnnxSketch, 'nodes'> & Partial<OnnxSketch>) =>
  readOnnx(buildOnnx({ shape: ['N', 4], weights, ...sketch }), 'x.onnx');

const three = [0.3 - 0.6 - 0.35, -2.4 + 0.7 + 0.5, -0.3 + 0.7 + 2];
const unit = 0.3 - 0.6 - 0.7 + 1.5;
const logistic = (value: number): number => 1 / (1 + Math.exp(-value));
const dense = node('MatMul x,w -> z');
const single = node('MatMul x,v -> z');
const power = [node('Exp z -> e'), node('ReduceSum e,axis -> s'), node('Div e,s -> y')];
const centred = [
  node('ReduceMax z -> m', { axes: [1] }),
  node('Sub z,m -> c'),
  node('Exp c -> e'),
  node('ReduceSum e,axis -> s'),
  node('Div e,s -> y'),
];
const ofLogarithm = (logits: string) => [node('Log s -> l'), node(`Sub ${logits},l -> d`), node('Exp d -> y')];

describe('the logits', () => {
  it.each([
    ['exp over its sum', [dense, ...power]],
    ['exp over its sum, with the largest taken off', [dense, ...centred]],
    ['the same behind a logarithm', [dense, ...power.slice(0, 2), node('Div e,s -> p'), node('Log p -> y')]],
    ['exp of its logarithm', [dense, ...power.slice(0, 2), ...ofLogarithm('z')]],
    ['exp of its logarithm, with the largest taken off', [dense, ...centred.slice(0, 4), ...ofLogarithm('c')]],
  ])('are found before a softmax that is spelt out: %s', async (_, nodes) => {
    const { model, notes } = read({ nodes });
    const actual = await runModel(model, Float32Array.from(row), [1, 4]);
    expect(actual.map((value) => value.toFixed(5))).toEqual(three.map((value) => value.toFixed(5)));
    expect(notes[0]).toMatch(/^The logits are what Softmax '\w+' at its end reads$/);
    expect(model.graph.nodes.map(({ kind }) => kind)).toEqual(['dense']);
  });

  it.each([
    ['1 - p, p', [node('Sigmoid z -> p'), node('Sub one,p -> q'), node('Concat q,p -> y', { axis: 1 })], false],
    ['p, 1 - p', [node('Sigmoid z -> p'), node('Sub one,p -> q'), node('Concat p,q -> y', { axis: 1 })], true],
    [
      '-p + 1, p',
      [node('Sigmoid z -> p'), node('Mul p,minus -> n'), node('Add n,one -> q'), node('Concat q,p -> y', { axis: 1 })],
      false,
    ],
  ])('of a pair of probabilities give these: %s', async (_, nodes, isSecondFirst) => {
    const { model, notes } = read({ nodes: [single, ...nodes] });
    const logits = await runModel(model, Float32Array.from(row), [1, 4]);
    const pair = [1 - logistic(unit), logistic(unit)];
    const expected = isSecondFirst ? pair.toReversed() : pair;
    softmaxRows(logits, 2).forEach((value, index) => expect(value).toBeCloseTo(expected[index], 6));
    expect(notes[0]).toBe("The logits are those of the pair that is made of Sigmoid 'p' at its end");
  });

  it('of a hard sigmoid are what it reads; its one unit is two classes with the same bound', async () => {
    const several = read({ nodes: [dense, node('HardSigmoid z -> y')] });
    expect(await runModel(several.model, Float32Array.from(row), [1, 4])).toEqual(
      three.map((value) => expect.closeTo(value, 5) as number),
    );
    expect(several.notes[0]).toMatch(/^The logits are what HardSigmoid 'y' at its end reads\. Each image/);
    const one = read({
      nodes: [single, node('HardSigmoid z -> y', { alpha: { float: 0.5 }, beta: { float: 0.25 } })],
    });
    // 0.5 z + 0.25 = 1/2 at z = 0.5; a sigmoid of that slope is that of 2 z - 1.
    const logits = await runModel(one.model, Float32Array.from(row), [1, 4]);
    expect(logits[1] - logits[0]).toBeCloseTo(2 * unit - 1, 5);
  });

  it('are not looked for behind a sum of some classes, or of other values', () => {
    const { notes } = read({
      nodes: [dense, node('Exp z -> e'), node('Abs z -> a'), node('ReduceSum a,axis -> s'), node('Div e,s -> y')],
    });
    expect(notes.join()).not.toContain('Softmax');
  });
});

it('dropout in training mode is left out, and told', () => {
  const rate = floats('rate', [], [0.5]);
  const training = { name: 'training', dataType: 9, shape: [], bytes: Uint8Array.of(1) };
  const { model, notes } = read({
    nodes: [dense, node('Dropout z,rate,training -> y')],
    weights: [...weights, rate, training],
  });
  expect(notes[0]).toBe('It was exported in training mode: its dropout is left out, as in evaluation mode');
  expect(model.graph.nodes.map(({ kind }) => kind)).toEqual(['dense']);
});

describe('inputs', () => {
  it('that nothing reads are left out', async () => {
    const { model } = read({ nodes: [node('MatMul x,w -> y')], others: ['training'] });
    expect(await runModel(model, Float32Array.from(row), [1, 4])).toEqual(
      three.map((value) => expect.closeTo(value, 5) as number),
    );
  });

  it('whose channels are open have those of the convolution that reads them', () => {
    const kernel = floats('k', [2, 3, 1, 1], [1, 2, 3, 4, 5, 6]);
    const nodes = [node('Conv x,k -> c'), node('GlobalAveragePool c -> p'), node('Flatten p -> y')];
    const bytes = buildOnnx({ shape: ['N', 'C', 'H', 'W'], weights: [kernel], nodes });
    expect(readOnnx(bytes, 'x.onnx', { inputSize: [4, 6] }).model.graph.inputShape).toEqual([4, 6, 3]);
    expect(() => readOnnx(bytes, 'x.onnx')).toThrow(
      "as its input must be pictures of a known size where 'inputSize' is not given: current value is [?, 3, ?, ?]",
    );
  });

  it('that are read must be one', () => {
    const nodes = [node('MatMul x,w -> z'), node('Mul z,keep -> y')];
    expect(() => read({ nodes, others: ['keep'] })).toThrow(
      "as it must have one input: current value is ['x', 'keep']",
    );
  });
});

describe('what no operator can do is refused by name', () => {
  const constant = [
    ...weights,
    floats('c', [4, 3], Array<number>(12).fill(1)),
    integers('zero', [0]),
    integers('four', [4]),
    integers('twice', [0, 0]),
    integers('ones', [1, 1]),
    integers('three', [3]),
    integers('fours', [4, 4]),
  ];
  const behind = [node('MatMul x,t -> y')];
  it.each([
    [
      'a constant by steps of 0',
      [node('Slice c,zero,four,zero,zero -> t'), ...behind],
      "Slice 't' (it takes steps of 0)",
    ],
    [
      'an activation by steps of 0',
      [dense, node('Slice z,zero,three,axis,zero -> y')],
      "Slice 'y' (it takes steps of 0)",
    ],
    [
      'an axis sliced twice',
      [node('Slice c,twice,fours,twice -> t'), ...behind],
      "Slice 't' (it names an axis twice: [0, 0])",
    ],
    [
      'fewer ends than starts',
      [node('Slice c,twice,four,twice -> t'), ...behind],
      "Slice 't' (its starts, ends, axes and steps differ in number)",
    ],
    [
      'an order of axes that are not there',
      [node('Transpose c -> t', { perm: [1, 7] }), ...behind],
      "Transpose 't' (it orders 2 axes by [1, 7])",
    ],
    [
      'an order of one axis',
      [node('Transpose c -> t', { perm: [0, 0] }), ...behind],
      "Transpose 't' (it orders 2 axes by [0, 0])",
    ],
    [
      'an order with an axis < 0',
      [dense, node('Transpose z -> y', { perm: [0, -1] })],
      "Transpose 'y' (it orders 2 axes by [0, -1])",
    ],
    [
      'axes that are added twice',
      [node('Unsqueeze c,twice -> t'), ...behind],
      "Unsqueeze 't' (it names an axis twice: [0, 0])",
    ],
    [
      'the same, of an activation',
      [dense, node('Unsqueeze z,ones -> t'), node('Flatten t -> y')],
      "Unsqueeze 't' (it names an axis twice: [1, 1])",
    ],
    [
      'an axis reduced twice',
      [node('ReduceMean c,twice -> t'), node('Add z,t -> y')],
      "ReduceMean 't' (it names an axis twice: [0, 0])",
    ],
    [
      'the same, of an activation',
      [dense, node('ReduceSum z,ones -> y')],
      "ReduceSum 'y' (it names an axis twice: [1, 1])",
    ],
  ])('%s', (_, nodes, message) => {
    const given =
      nodes.some(({ inputs }) => inputs.includes('z')) && !nodes.includes(dense) ? [dense, ...nodes] : nodes;
    expect(() => read({ nodes: given, weights: constant })).toThrow(message);
  });
});

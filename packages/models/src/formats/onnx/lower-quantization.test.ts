/** Files in eight bits, as onnxruntime's quantisers write them. */
import { describe, expect, it } from 'vitest';
import type { OnnxTensor } from './_onnx-messages.ts';
import { buildOnnx, floats, node } from './_testing/build-onnx.ts';
import { runModel } from './_testing/run-model.ts';
import { readOnnx } from './read-onnx.ts';

const eights = (name: string, dataType: 2 | 3, shape: readonly number[], values: readonly number[]): OnnxTensor => ({
  name,
  dataType,
  shape,
  bytes: Uint8Array.from(values),
});
const shape = ['N', 1, 2, 2];
const pixels = [1, 2, 3, 4];
const near = (values: readonly number[]): number[] => values.map((value) => expect.closeTo(value, 4) as number);
const read = (weights: readonly OnnxTensor[], ...nodes: string[]) =>
  readOnnx(buildOnnx({ shape, weights, opset: 21, nodes: nodes.map((formula) => node(formula)) }), 'x.onnx').model;
const kindsOf = (model: ReturnType<typeof read>): string[] => model.graph.nodes.map(({ kind }) => kind);

describe('a range that begins at 0', () => {
  const kernel = floats('k', [2, 1, 1, 1], [2, -2]);
  const end = ['DequantizeLinear q,s,z -> d', 'Flatten d -> y'];
  it.each<[string, number, OnnxTensor, number[], string]>([
    ['a ReLU', 0.1, eights('z', 2, [], [0]), [2, 4, 6, 8, 0, 0, 0, 0], 'activation'],
    ['a ReLU, of signed integers', 0.1, eights('z', 3, [], [0x80]), [2, 4, 6, 8, 0, 0, 0, 0], 'activation'],
    ['a ReLU6', 6 / 255, eights('z', 2, [], [0]), [2, 4, 6, 6, 0, 0, 0, 0], 'activation'],
    ['nothing where it begins below', 0.1, eights('z', 3, [], [0]), [2, 4, 6, 8, -2, -4, -6, -8], 'flatten'],
  ])('is %s that the quantiser left out', async (_, scale, point, expected, kind) => {
    const model = read([kernel, floats('s', [], [scale]), point], 'Conv x,k -> c', 'QuantizeLinear c,s,z -> q', ...end);
    expect(kindsOf(model)[1]).toBe(kind);
    expect(await runModel(model, Float32Array.from(pixels), [1, 1, 2, 2])).toEqual(near(expected));
  });

  it('adds nothing where no value is negative: pictures, and what a ReLU gives', () => {
    const weights = [kernel, floats('s', [], [0.1]), eights('z', 2, [], [0])];
    const model = read(
      weights,
      'QuantizeLinear x,s,z -> p',
      'DequantizeLinear p,s,z -> v',
      'Conv v,k -> c',
      'Relu c -> r',
      'GlobalAveragePool r -> g',
      'QuantizeLinear g,s,z -> q',
      ...end,
    );
    expect(kindsOf(model).filter((kind) => kind === 'activation')).toHaveLength(1);
  });
});

describe('integers of a scale that is found meanwhile', () => {
  const scale = floats('w.scale', [], [0.5]);
  const convolution = [
    'DynamicQuantizeLinear x -> q,s,z',
    'Mul s,w.scale -> t',
    'ConvInteger q,w,z,w.zero -> i',
    'Cast i -> f',
    'Mul f,t -> c',
    'Flatten c -> y',
  ];
  const cast = (formulas: readonly string[], weights: readonly OnnxTensor[]) =>
    readOnnx(
      buildOnnx({
        shape,
        weights,
        nodes: formulas.map((formula) => node(formula, formula.startsWith('Cast') ? { to: 1 } : {})),
      }),
      'x.onnx',
    );

  it.each<[string, OnnxTensor, number[]]>([
    ['one zero point', eights('w.zero', 2, [], [10]), [2, -3]],
    ['one for each filter', eights('w.zero', 2, [2], [10, 6]), [2, -1]],
  ])('are convolved as what they stand for, with %s', async (_, zero, factors) => {
    const { model, notes } = cast(convolution, [eights('w', 2, [2, 1, 1, 1], [14, 4]), zero, scale]);
    expect(notes[0]).toMatch(/^Its activations are quantised/);
    const expected = factors.flatMap((factor) => pixels.map((pixel) => pixel * factor));
    expect(await runModel(model, Float32Array.from(pixels), [1, 1, 2, 2])).toEqual(near(expected));
  });

  it('are multiplied as what they stand for', async () => {
    const formulas = [
      'Flatten x -> r',
      'DynamicQuantizeLinear r -> q,s,z',
      'MatMulInteger q,w,z,w.zero -> i',
      'Cast i -> f',
      'Mul f,s -> y',
    ];
    const weights = [eights('w', 3, [4, 2], [1, 255, 1, 255, 1, 255, 1, 255]), eights('w.zero', 3, [2], [0, 1])];
    const { model } = cast(formulas, weights);
    expect(await runModel(model, Float32Array.from(pixels), [1, 1, 2, 2])).toEqual(near([10, -20]));
  });
});

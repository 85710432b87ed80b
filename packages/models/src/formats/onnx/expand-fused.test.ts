/** Operators of onnxruntime's own. */
import { describe, expect, it } from 'vitest';
import { nodeMessage } from './_onnx-messages.ts';
import type { ProtobufWriter } from './_protobuf-writer.ts';
import { buildOnnx, floats, node } from './_testing/build-onnx.ts';
import { runModel } from './_testing/run-model.ts';
import { readOnnx } from './read-onnx.ts';

type Attributes = Parameters<typeof node>[1];

const own = (formula: string, attributes: Attributes = {}): ProtobufWriter =>
  nodeMessage(node(formula, attributes)).text(7, 'com.microsoft');
const near = (values: readonly number[]): number[] => values.map((value) => expect.closeTo(value, 5) as number);

/** What is made of the numbers -1, 0.5, 2 and 3. */
async function answer(shape: readonly number[], ...constants: readonly ProtobufWriter[]): Promise<number[]> {
  const weights = [
    floats('b', [4], [1, 0.5, -1, 0]),
    floats('k', [2, 1, 1, 1], [2, -1]),
    floats('c', [2], [0.5, 0.25]),
    floats('u', [1, 2, 1, 1], [1, -1]),
  ];
  const { model } = readOnnx(buildOnnx({ shape: ['N', ...shape], weights, nodes: [] }, { constants }), 'x.onnx');
  return runModel(model, Float32Array.of(-1, 0.5, 2, 3), [1, ...shape]);
}

describe('Gelu', () => {
  // x / 2 (1 + erf(x / sqrt 2)), and by tanh(sqrt(2 / pi) (x + 0.044715 x^3)).
  it.each<[string, ProtobufWriter[], number[]]>([
    ['as it is', [own('Gelu x -> y')], [-0.1586553, 0.3457312, 1.9544997, 2.9959503]],
    ['by tanh', [own('FastGelu x -> y')], [-0.158808, 0.345714, 1.954598, 2.996363]],
    // Of 2, 1, 1 and 3.
    [
      'with a bias',
      [nodeMessage(node('Abs x -> a')), own('FastGelu a,b -> y')],
      [1.954598, 0.841192, 0.841192, 2.996363],
    ],
  ])('is read %s', async (_, gelu, expected) => {
    expect(await answer([4], ...gelu)).toEqual(near(expected));
  });
});

describe('FusedConv', () => {
  const end = nodeMessage(node('Flatten a -> y'));
  // 2 x + 0.5 and -x + 0.25.
  it.each<[string, string, Attributes, number[]]>([
    ['Relu', 'x,k,c', {}, [0, 1.5, 4.5, 6.5, 1.25, 0, 0, 0]],
    ['LeakyRelu', 'x,k,c', { activation_params: [1] }, [-1.5, 1.5, 4.5, 6.5, 1.25, -0.25, -1.75, -2.75]],
    ['Relu', 'x,k,,u', {}, [0, 2, 5, 7, 0, 0, 0, 0]],
  ])('is a convolution and %s of %s', async (activation, inputs, attributes, expected) => {
    const fused = own(`FusedConv ${inputs} -> a`, { activation, ...attributes });
    // The sketch writes whole numbers, which are the same as parameters.
    expect(await answer([1, 2, 2], fused, end)).toEqual(near(expected));
  });

  it('is named where its activation is not known', async () => {
    const fused = own('FusedConv x,k -> a', { activation: 'Unheard' });
    await expect(answer([1, 2, 2], fused, end)).rejects.toThrow("one is not: com.microsoft.FusedConv 'a'");
  });
});

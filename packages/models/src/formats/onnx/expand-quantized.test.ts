/** Files whose operators compute with integers. Those that onnxruntime's quantiser made: see `generate_quantized.py`. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodeMessage } from './_onnx-messages.ts';
import { buildOnnx, floats, node } from './_testing/build-onnx.ts';
import { drawInputs, runModel } from './_testing/run-model.ts';
import { readOnnx } from './read-onnx.ts';

const folder = new URL('../../../../../test-fixtures/onnx/', import.meta.url);

interface Answer {
  readonly inputShape: readonly number[];
  readonly output: readonly (readonly number[])[];
}

async function answer(name: string): Promise<{ actual: number[]; expected: readonly number[]; kinds: string[] }> {
  const { model } = readOnnx(readFileSync(new URL(`${name}.onnx`, folder)), `${name}.onnx`);
  const { inputShape, output } = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Answer;
  const size = inputShape.reduce((total, length) => total * length, 1);
  const actual = await runModel(model, drawInputs(size), inputShape);
  return { actual, expected: output.flat(), kinds: model.graph.nodes.map(({ kind }) => kind) };
}

describe('operators of integers', () => {
  it('are what the same network is whose integers stand in pairs of operators', async () => {
    const [operators, pairs] = [await answer('quantized-operators'), await answer('quantized-pairs')];
    expect(operators.kinds).toEqual(pairs.kinds);
    expect(operators.actual).toEqual(pairs.actual.map((value) => expect.closeTo(value, 6) as number));
    // ONNX Runtime rounds what is between them: by a few steps of 0.0015.
    const turned = await answer('quantized-channels-last');
    expect(turned.actual).toEqual(operators.actual.map((value) => expect.closeTo(value, 6) as number));
    for (const { actual, expected } of [operators, pairs, turned])
      expect(actual).toEqual(expected.map((value) => expect.closeTo(value, 2) as number));
  });

  const eights = (name: string, values: readonly number[], shape: readonly number[] = [values.length]) => ({
    name,
    dataType: 3,
    shape,
    bytes: Uint8Array.from(values),
  });
  const scale = floats('s', [], [0.5]);
  const point = eights('p', [1], []);
  const own = (formula: string, attributes = {}) => nodeMessage(node(formula, attributes)).text(7, 'com.microsoft');

  it('have a scale for each filter, unit or the whole, and a bias of the product', async () => {
    const bias = { ...eights('b', [4, 0, 0, 0, 8, 0, 0, 0], [2]), dataType: 6 };
    const scales = floats('t', [2], [1, 2]);
    const weights = [scale, point, scales, eights('w', [1, 2, 3, 4], [2, 2]), eights('z', [0, 0]), bias];
    const quantize = nodeMessage(node('QuantizeLinear x,s,p -> q'));
    const read = (transB: number, alpha = 1) =>
      readOnnx(
        buildOnnx(
          { shape: ['N', 2], weights, nodes: [] },
          { constants: [quantize, own('QGemm q,s,p,w,t,z,b -> y', { transB, alpha: { float: alpha } })] },
        ),
        'x.onnx',
      ).model;
    // Bias: 4 x 0.5 x 1 and 8 x 0.5 x 2. Columns (1, 3) and 2 (2, 4), or rows (1, 2) and 2 (3, 4).
    expect(await runModel(read(0), Float32Array.of(1, 10), [1, 2])).toEqual([33, 92]);
    expect(await runModel(read(1), Float32Array.of(1, 10), [1, 2])).toEqual([23, 94]);
    // As in ONNX Runtime, the bias has a scale of the whole product, too.
    expect(await runModel(read(0, 2), Float32Array.of(1, 10), [1, 2])).toEqual([66, 184]);
  });

  it('are named where they are not known', () => {
    const constant = own('QLinearOther q,s,p,s,p -> y');
    const weights = [scale, point, eights('w', [1, 2, 3, 4], [2, 2])];
    const constants = [nodeMessage(node('QuantizeLinear x,s,p -> q')), constant];
    expect(() => readOnnx(buildOnnx({ shape: ['N', 2], weights, nodes: [] }, { constants }), 'x.onnx')).toThrow(
      'one is not: com.microsoft.QLinearOther',
    );
  });
});

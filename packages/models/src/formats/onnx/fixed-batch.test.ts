/** Files that fix a batch of several pictures. What each gives for one of them is worked out by hand. */
import { describe, expect, it } from 'vitest';
import { buildOnnx, floats, integers, node } from './_testing/build-onnx.ts';
import { runModel } from './_testing/run-model.ts';
import { readOnnx } from './read-onnx.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const rows = (name: string, inputs: number): ReturnType<typeof floats> => floats(name, [inputs, 2], upTo(2 * inputs));

function attributesOf(formula: string): Readonly<Record<string, number | readonly number[]>> {
  if (formula.startsWith('Transpose')) return { perm: [1, 0, 2] };
  return formula.startsWith('Concat') ? { axis: 0 } : {};
}

type Weights = readonly ReturnType<typeof floats>[];

/** What a file that takes `[3, 4, 2, 2]` gives for the numbers from 1 to 16. */
const answer = (weights: Weights, ...formulas: string[]): Promise<number[]> => answerOf(3, weights, formulas);

async function answerOf(batch: number, weights: Weights, formulas: readonly string[]): Promise<number[]> {
  const nodes = formulas.map((formula) => node(formula, attributesOf(formula)));
  const { model } = readOnnx(buildOnnx({ shape: [batch, 4, 2, 2], weights, nodes }), 'x.onnx');
  return runModel(model, Float32Array.from(upTo(16)), [1, 4, 2, 2]);
}

describe('a batch that is written down', () => {
  const flat = [1, 2].map((unit) => upTo(16).reduce((sum, value, index) => sum + value * (2 * index + unit), 0));

  it.each([
    ['a shape', [3, 16]],
    ['a shape whose rest is open', [3, -1]],
    ['a shape whose batch is open', [-1, 16]],
    ['the size that there is', [0, -1]],
  ])('is set free in %s', async (_, shape) => {
    expect(await answer([integers('s', shape), rows('w', 16)], 'Reshape x,s -> f', 'MatMul f,w -> y')).toEqual(flat);
  });

  it('is set free where it is joined with other axes, and apart again', async () => {
    const weights = [integers('joined', [12, 4]), integers('apart', [3, 16]), rows('w', 16)];
    const formulas = ['Reshape x,joined -> j', 'Relu j -> r', 'Reshape r,apart -> f', 'MatMul f,w -> y'];
    expect(await answer(weights, ...formulas)).toEqual(flat);
  });

  it('is set free behind other axes', async () => {
    // [batch, channels, area] -> [channels, batch, area] -> [channels, batch x 2, area / 2], and back.
    const weights = [
      integers('three', [3, 4, 4]),
      integers('split', [4, 6, 2]),
      integers('whole', [4, 3, 4]),
      integers('flat', [3, -1]),
      rows('w', 16),
    ];
    const formulas = ['Reshape x,three -> a', 'Transpose a -> b', 'Reshape b,split -> c', 'Relu c -> d'];
    const back = ['Reshape d,whole -> e', 'Transpose e -> f', 'Reshape f,flat -> g', 'MatMul g,w -> y'];
    expect(await answer(weights, ...formulas, ...back)).toEqual(flat);
  });

  it('is not taken for the sizes that follow from the input', async () => {
    // Of an example as many rows as channels, which are as many as the batch.
    const weights = [integers('one', [1]), integers('two', [2]), integers('rest', [-1]), rows('w', 4)];
    const formulas = [
      'Shape x -> s',
      'Slice s,one,two -> channels',
      'Concat channels,rest -> goal',
      'Reshape x,goal -> r',
      'MatMul r,w -> y',
    ];
    await expect(answerOf(4, weights, formulas)).rejects.toThrow(
      'its output must have one row for each example: current value is 4 rows',
    );
  });

  it('is set free in the sizes of Resize', async () => {
    const weights = [integers('sizes', [3, 4, 4, 2]), integers('f', [3, -1]), rows('w', 32)];
    const formulas = ['Resize x,,,sizes -> a', 'Reshape a,f -> b', 'MatMul b,w -> y'];
    const wide = upTo(16).flatMap((_, index) => (index % 2 === 0 ? [index + 1, index + 2, index + 1, index + 2] : []));
    const sums = [1, 2].map((unit) => wide.reduce((sum, value, index) => sum + value * (2 * index + unit), 0));
    expect(await answer(weights, ...formulas)).toEqual(sums);
  });

  it('that is mixed with the pictures is refused', async () => {
    const weights = [integers('s', [2, 24]), rows('w', 24)];
    await expect(answer(weights, 'Reshape x,s -> f', 'MatMul f,w -> y')).rejects.toThrow(
      /Reshape 'f' \(it makes \[2, 24\]/,
    );
  });
});

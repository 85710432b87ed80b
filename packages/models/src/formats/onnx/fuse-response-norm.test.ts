/** Normalisation by neighbouring channels as torch writes it. That what is read computes what ONNX Runtime does is in `read-onnx.test.ts`. */
import { readFileSync } from 'node:fs';
import { inferShapes, inheritWeights, shrink } from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { drawInputs, runModel } from './_testing/run-model.ts';
import { readOnnx } from './read-onnx.ts';

const folder = new URL('../../../../../test-fixtures/onnx/', import.meta.url);
const read = (name: string) => readOnnx(readFileSync(new URL(`${name}.onnx`, folder)), `${name}.onnx`).model;

// Made with both exporters of torch 2.13: test-fixtures/onnx/generate_torch.py.
describe.each(['neighbours-script', 'neighbours-dynamo'])('%s', (name) => {
  const model = read(name);

  it('has a node for each normalisation by an odd number of channels, and its parameters', () => {
    const norms = model.graph.nodes.filter(({ kind }) => kind === 'localResponseNorm');
    const near = (value: number) => expect.closeTo(value, 6) as number;
    expect(norms).toEqual([
      expect.objectContaining({ size: 5, alpha: near(0.5), beta: 0.75, bias: 2 }),
      expect.objectContaining({ size: 3, alpha: near(0.2), beta: 1, bias: 1 }),
      expect.objectContaining({ size: 3, alpha: near(0.4), beta: 0.75, bias: 1 }),
    ]);
    // By an even number, torch looks at one more channel before than behind: a window over rows.
    expect(model.graph.nodes.filter(({ kind }) => kind === 'averagePool2d')).toHaveLength(1);
  });

  it('becomes narrower, with weights of its own', async () => {
    const half = shrink(model.graph, 0.5);
    const shapes = inferShapes(half);
    const layers = half.nodes.filter(({ kind }) => kind === 'conv2d');
    expect(layers.map((layer) => shapes.get(layer.name)!.output.at(-1))).toEqual([4, 4, 4]);
    const images = drawInputs(300);
    const whole = await runModel(model, images, [1, 3, 10, 10]);
    const same = await runModel(inheritWeights(model, shrink(model.graph, 1)), images, [1, 3, 10, 10]);
    expect(same).toEqual(whole);
    const heir = await runModel(inheritWeights(model, half), images, [1, 3, 10, 10]);
    expect(heir.every(Number.isFinite)).toBe(true);
  });
});

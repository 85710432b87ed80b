import { describe, expect, it } from 'vitest';
import { buildOnnx, floats, integers, node, type OnnxSketch } from './_testing/build-onnx.ts';
import { readOnnx } from './read-onnx.ts';

/** A file whose `made` is put beside its maps, and that classifies what comes out. */
function sketch(nodes: OnnxSketch['nodes'], weights: NonNullable<OnnxSketch['weights']>): Uint8Array {
  return buildOnnx({
    shape: ['N', 3, 4, 4],
    nodes: [...nodes, node('GlobalAveragePool made -> pooled'), node('Flatten pooled -> y')],
    weights,
  });
}

describe('what few numbers ask for', () => {
  // Each would take terabytes, or more than an array can have.
  const huge = 2 ** 40;
  it.each<[string, Uint8Array]>([
    ['Pad of channels', sketch([node('Pad x,pads -> made')], [integers('pads', [0, huge, 0, 0, 0, 0, 0, 0])])],
    ['Pad behind channels', sketch([node('Pad x,pads -> made')], [integers('pads', [0, 0, 0, 0, 0, huge, 0, 0])])],
    [
      'Tile',
      sketch([node('Tile c,by -> t'), node('Add x,t -> made')], [floats('c', [1], [2]), integers('by', [huge])]),
    ],
    [
      'ConstantOfShape',
      sketch([node('ConstantOfShape by -> t'), node('Add x,t -> made')], [integers('by', [huge, 2])]),
    ],
    [
      'Expand',
      sketch([node('Expand c,by -> t'), node('Add x,t -> made')], [floats('c', [1], [2]), integers('by', [huge])]),
    ],
  ])('is refused: %s', (_, bytes) => {
    expect(() => readOnnx(bytes, 'case.onnx')).toThrow(/makes a constant of \d+ values/);
  });

  it('is made where it is small', () => {
    const pads = integers('pads', [0, 1, 0, 0, 0, 2, 0, 0]);
    expect(
      readOnnx(sketch([node('Pad x,pads -> made')], [pads]), 'case.onnx').model.graph.nodes.length,
    ).toBeGreaterThan(0);
  });
});

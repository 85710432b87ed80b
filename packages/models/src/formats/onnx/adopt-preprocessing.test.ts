/** Arithmetic on pictures, in the places where exporters leave it. */
import { describe, expect, it } from 'vitest';
import { buildOnnx, floats, integers, node, type OnnxSketch } from './_testing/build-onnx.ts';
import { runModel } from './_testing/run-model.ts';
import { readOnnx } from './read-onnx.ts';

/** Two pictures of 2 x 2 in three channels, as bytes, channels first. */
const bytes = Array.from({ length: 24 }, (_, index) => (index * 53) % 256);
const weights = [
  floats('bytes', [], [255]),
  floats('one', [], [1]),
  floats('two', [], [2]),
  floats('quarter', [], [0.25]),
  floats('half', [], [0.5]),
  floats('mean', [3, 1, 1], [100, 110, 120]),
  floats('std', [3, 1, 1], [50, 60, 70]),
  integers('reverse', [2, 1, 0]),
  integers('border', [0, 0, 1, 1, 0, 0, 1, 1]),
  floats('scales', [4], [1, 1, 2, 2]),
];
const read = (nodes: OnnxSketch['nodes'], opset = 17) =>
  readOnnx(buildOnnx({ shape: ['N', 3, 2, 2], weights, opset, nodes: [...nodes, node('Flatten q -> y')] }), 'x.onnx');
/** What the file says of two pictures of bytes, which the model gets as pixels in 0..1. */
const answer = async (nodes: OnnxSketch['nodes'], opset?: number): Promise<number[]> => {
  const { model } = read(nodes, opset);
  return runModel(
    model,
    Float32Array.from(bytes, (value) => value / 255),
    [2, 3, 2, 2],
  );
};
const planes = [0, 12].map((start) => [0, 4, 8].map((begin) => bytes.slice(start + begin, start + begin + 4)));
const near = (values: readonly number[]): number[] => values.map((value) => expect.closeTo(value, 4) as number);
const note = 'Arithmetic on its input is taken as preprocessing, of pixels in 0..255';
const [means, deviations] = [
  [100, 110, 120],
  [50, 60, 70],
];
const scaled = (picture: readonly (readonly number[])[]): number[] =>
  picture.flatMap((plane, channel) => plane.map((value) => (value - means[channel]) / deviations[channel]));

describe('arithmetic on pictures', () => {
  it.each<[string, OnnxSketch['nodes'], number]>([
    ['as one list of channels', [node('Gather x,reverse -> b', { axis: 1 })], 17],
    ['each by itself', [node('Split x -> r,g,u', { axis: 1 }), node('Concat u,g,r -> b', { axis: 1 })], 11],
  ])('is found behind channels in reverse order, %s', async (_, turned, opset) => {
    const nodes = [...turned, node('Sub b,mean -> c'), node('Div c,std -> q')];
    const { model, notes } = read(nodes, opset);
    expect(notes).toContain(note);
    expect(model.graph.preprocessing).toMatchObject({ mean: near([120, 110, 100].map((value) => value / 255)) });
    expect(model.graph.nodes.map(({ kind }) => kind)).not.toContain('affine');
    expect(await answer(nodes, opset)).toEqual(near(planes.flatMap((picture) => scaled(picture.toReversed()))));
  });

  it('is found on channels that are taken apart', async () => {
    const nodes = [
      node('Split x -> r,g,u', { axis: 1 }),
      node('Div r,bytes -> s'),
      node('Sub u,bytes -> v'),
      node('Concat s,g,v -> q', { axis: 1 }),
    ];
    expect(read(nodes, 11).notes).toContain(note);
    expect(await answer(nodes, 11)).toEqual(
      near(planes.flatMap(([r, g, u]) => [...r.map((value) => value / 255), ...g, ...u.map((value) => value - 255)])),
    );
  });

  it('is found behind a border, which it scales too', async () => {
    const nodes = [node('Pad x,border,bytes -> p'), node('Div p,bytes -> d'), node('Sub d,quarter -> q')];
    const { notes, model } = read(nodes);
    expect(notes).toContain(note);
    expect(model.graph.preprocessing).toMatchObject({
      mean: near([0.25, 0.25, 0.25]),
      standardDeviation: near([1, 1, 1]),
    });
    const given = await answer(nodes);
    expect([given[0], given[5]]).toEqual(near([0.75, bytes[0] / 255 - 0.25]));
  });

  it('is found behind a resize', async () => {
    const nodes = [
      { ...node('Resize x -> p', { mode: 'linear' }), inputs: ['x', '', 'scales'] },
      node('Sub p,mean -> c'),
      node('Div c,std -> q'),
    ];
    expect(read(nodes).notes).toContain(note);
    const given = await answer(nodes);
    expect([given[0], given[3]]).toEqual(near([scaled(planes[0])[0], scaled(planes[0])[1]]));
  });

  it.each<[string, OnnxSketch['nodes'], number]>([
    ['255 - x, over 255', [node('Sub bytes,x -> d'), node('Div d,bytes -> q')], 1],
    ['1 - x / 255', [node('Div x,bytes -> d'), node('Sub one,d -> q')], 1],
    ['2 (1 - x / 255)', [node('Div x,bytes -> d'), node('Sub one,d -> e'), node('Mul e,two -> q')], 2],
  ])('is found where it makes negatives: %s', async (_, nodes, factor) => {
    const { model, notes } = read(nodes);
    expect(notes).toContain(note);
    expect(model.graph.preprocessing?.mean).toEqual([0, 0, 0]);
    expect(await answer(nodes)).toEqual(near(bytes.map((value) => factor * (1 - value / 255))));
  });

  it('is left where a border has a value for each channel, or channels are taken twice', () => {
    const around = read([node('Pad x,border -> p'), node('Sub p,mean -> q')]);
    expect(around.model.graph.preprocessing).toBeUndefined();
    const twice = [
      node('Split x -> r,g,u', { axis: 1 }),
      node('Concat r,r,g,u -> c', { axis: 1 }),
      node('Div c,bytes -> q'),
    ];
    expect(read(twice, 11).model.graph.preprocessing).toBeUndefined();
  });
});

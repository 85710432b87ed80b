/** Weights whose shape is not that of what they are combined with. */
import { DaflError } from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { broadcastConstant } from './constant.ts';
import { buildOnnx, floats, node } from './_testing/build-onnx.ts';
import { readOnnx } from './read-onnx.ts';

const values = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('an ONNX file is refused by the name of the node where weights do not fit', () => {
  it.each([
    ['scale too long', [12], undefined, 'LayerNormalization'],
    ['scale too short', [2], undefined, 'LayerNormalization'],
    ['scale of more axes', [1, 2, 4], undefined, 'LayerNormalization'],
    ['offset', [4], [3], 'LayerNormalization'],
  ])('%s', (_, scale, offset, name) => {
    const size = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);
    const weights = [floats('s', scale, values(size(scale)))];
    if (offset !== undefined) weights.push(floats('o', offset, values(size(offset))));
    const nodes = [node(`LayerNormalization x,s${offset === undefined ? '' : ',o'} -> y`, { axis: -1 })];
    expect(() => readOnnx(buildOnnx({ shape: ['N', 4], weights, nodes }), 'x.onnx')).toThrow(
      `${name} 'y' (its scale or bias does not fit what it normalises)`,
    );
  });

  it.each([[2], [5]])('slopes of a PRelu: %i for 3 channels', (count) => {
    const weights = [floats('s', [count, 1, 1], values(count))];
    const nodes = [node('PRelu x,s -> a'), node('GlobalAveragePool a -> b'), node('Flatten b -> y')];
    expect(() => readOnnx(buildOnnx({ shape: ['N', 3, 4, 4], weights, nodes }), 'x.onnx')).toThrow(
      "PRelu 'a' (its slopes do not fit its channels)",
    );
  });
});

it('no constant is read past its end', () => {
  const constant = { shape: [2, 3], values: Float32Array.from(values(6)), dataType: 1 };
  expect([...broadcastConstant(constant, [2, 2, 3]).values]).toEqual([...values(6), ...values(6)]);
  for (const shape of [[3], [2, 4], [3, 3], [1, 3]])
    expect(() => broadcastConstant(constant, shape)).toThrow(DaflError);
});

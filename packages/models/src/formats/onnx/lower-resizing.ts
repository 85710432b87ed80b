import type { NodeOfKind } from '@dafl/core';
import { type Activation, type NodeFields } from './graph-builder.ts';
import { join } from './lower-concatenation.ts';
import { cut } from './lower-slices.ts';
import type { Lowerings, OperatorNode } from './operator-node.ts';

type Resize = NodeOfKind<'resize2d'>;

/** Pads an axis by a number. */
export function fillAxis(
  node: OperatorNode,
  value: Activation,
  axis: number,
  before: number,
  after: number,
  fill: number,
): Activation {
  const block = (size: number): Activation[] => {
    if (size === 0) return [];
    const shape = value.shape.with(axis, size);
    const values = new Float32Array(node.sizeToMake(shape)).fill(fill);
    return [node.builder.constant(`${node.name}.padding`, { shape, dataType: 1, values }, value.order)];
  };
  return join(node, [...block(before), value, ...block(after)], axis);
}

export const lowerResizing: Lowerings = {
  Pad(node) {
    let value = node.activation(0);
    const rank = value.shape.length;
    const mode = node.text('mode', 'constant');
    const pads = node.numbersAt('pads', 1) ?? node.numbers('paddings') ?? node.refuse('it has no pads');
    const axes = node.numbersAt('axes', 3) ?? value.shape.map((_, axis) => axis);
    const fill = node.optionalConstant(2)?.values[0] ?? node.number('value', 0);
    if (pads.length !== 2 * axes.length) node.refuse(`it has ${pads.length} pads for ${axes.length} axes`);
    if (!['constant', 'reflect', 'edge'].includes(mode)) node.refuse(`it pads by ${mode}`);
    const sizes = new Map(
      axes.map((axis, index) => [node.axis(axis, rank), [pads[index], pads[axes.length + index]] as const]),
    );
    // What is cut off goes first.
    for (const [axis, [before, after]] of sizes) {
      const begin = Math.max(0, -before);
      value = cut(node, value, axis, { begin, size: value.shape[axis] - begin - Math.max(0, -after) });
    }
    const grow = (axis: number, side: 0 | 1): number => Math.max(0, sizes.get(axis)?.[side] ?? 0);
    for (const axis of sizes.keys()) {
      const [before, after] = [grow(axis, 0), grow(axis, 1)];
      if (before + after === 0 || (rank === 4 && value.shape[0] === 1 && axis >= 2)) continue;
      if (mode !== 'constant') node.refuse(`it pads axis ${axis} by ${mode}`);
      value = fillAxis(node, value, axis, before, after, fill);
    }
    const padding = { top: grow(2, 0), bottom: grow(2, 1), left: grow(3, 0), right: grow(3, 1) };
    if (rank !== 4 || value.shape[0] !== 1 || Object.values(padding).every((size) => size === 0)) return value;
    const maps = node.builder.arrange(node.name, value, [2, 3, 1]);
    const [batch, channels, height, width] = maps.shape;
    const { top, bottom, left, right } = padding;
    if (mode === 'reflect' && (Math.max(top, bottom) >= height || Math.max(left, right) >= width))
      node.refuse('it mirrors more than there is');
    const fields = {
      kind: 'pad2d',
      padding,
      ...(mode !== 'constant' && { mode: mode as 'reflect' | 'edge' }),
      ...(mode === 'constant' && fill !== 0 && { value: fill }),
    } as const;
    const shape = [batch, channels, height + top + bottom, width + left + right];
    return { ...maps, shape, node: node.builder.add(node.name, fields, [maps.node]) };
  },

  Resize: (node) => resize(node, node.opset < 11 ? 1 : 2, 3),
  Upsample: (node) => resize(node, 1, -1),
};

const roundings: Readonly<Record<string, Resize['rounding']>> = {
  round_prefer_floor: 'preferFloor',
  round_prefer_ceil: 'preferCeil',
  floor: 'floor',
  ceil: 'ceil',
};

/** Which place of the input an output position stands for, and how it is rounded. */
function placesOf(node: OperatorNode, to: readonly number[]): Pick<Resize, 'coordinates' | 'rounding'> {
  // Before opset 11 there was one way.
  if (node.opset < 11) return { coordinates: 'asymmetric', rounding: 'floor' };
  const given = node.text('coordinate_transformation_mode', 'half_pixel');
  const mode = node.text('nearest_mode', 'round_prefer_floor');
  const rounding = roundings[mode] ?? node.refuse(`it rounds by ${mode}`);
  if (given === 'tf_half_pixel_for_nn' && mode === 'floor') return { coordinates: 'halfPixel', rounding: 'preferCeil' };
  if (given === 'half_pixel' || (given === 'pytorch_half_pixel' && to.every((size) => size > 1)))
    return { coordinates: 'halfPixel', rounding };
  if (given === 'align_corners') return { coordinates: 'alignCorners', rounding };
  return given === 'asymmetric' ? { coordinates: 'asymmetric', rounding } : node.refuse(`its coordinates are ${given}`);
}

function resize(node: OperatorNode, scalesInput: number, sizesInput: number): Activation {
  const input = node.maps(0);
  const kind = node.text('mode', 'nearest');
  if (kind !== 'nearest' && kind !== 'linear' && kind !== 'bilinear') node.refuse(`it resizes by ${kind}`);
  if (node.number('antialias', 0) !== 0) node.refuse('it smooths before it resizes');
  if (node.text('keep_aspect_ratio_policy', 'stretch') !== 'stretch') node.refuse('it keeps the aspect ratio');
  const axes = (node.numbers('axes') ?? [0, 1, 2, 3]).map((axis) => node.axis(axis, 4));
  const goal = sizesInput < 0 ? undefined : node.optionalConstant(sizesInput)?.values;
  const scales = node.numbers('scales') ?? [...(node.optionalConstant(scalesInput)?.values ?? [])];
  const [batch, channels, height, width] = input.shape;
  const shape = [...input.shape];
  for (const [index, axis] of axes.entries()) {
    const scale = scales[index];
    shape[axis] = goal?.length ? goal[index] : Math.floor(shape[axis] * scale);
    if (!goal?.length && !(Math.abs(shape[axis] - input.shape[axis] * scale) < 1e-4))
      node.refuse(`its scales [${scales.join(', ')}] make no whole sizes`);
  }
  // Sizes that are written down have the batch that the file fixes.
  if (shape[0] === node.builder.batch) shape[0] = batch;
  const size: [number, number] = [shape[2], shape[3]];
  if (shape[0] !== batch || shape[1] !== channels || size.some((length) => !(length >= 1)))
    node.refuse(`it makes [${shape.join(', ')}] of [${input.shape.join(', ')}]`);
  if (size[0] === height && size[1] === width) return input;
  const places = placesOf(node, size);
  const factors: [number, number] = [size[0] / height, size[1] / width];
  const isRepeat = kind === 'nearest' && factors.every(Number.isInteger) && repeatsPixels(places, Math.max(...factors));
  const fields: NodeFields = isRepeat
    ? { kind: 'upsampleNearest2d', factors }
    : {
        kind: 'resize2d',
        size,
        mode: kind === 'nearest' ? 'nearest' : 'bilinear',
        coordinates: places.coordinates,
        ...(kind === 'nearest' && { rounding: places.rounding }),
      };
  return { ...input, shape, node: node.builder.add(node.name, fields, [input.node]) };
}

/** Whether the nearest pixel is the one that lies there before everything becomes `factor` times as large. */
function repeatsPixels(
  { coordinates, rounding = 'preferFloor' }: Pick<Resize, 'coordinates' | 'rounding'>,
  factor: number,
) {
  if (coordinates === 'asymmetric') return rounding === 'floor' || (rounding === 'preferFloor' && factor <= 2);
  return coordinates === 'halfPixel' && rounding.startsWith('prefer');
}

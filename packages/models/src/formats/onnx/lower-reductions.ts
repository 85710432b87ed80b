import type { ActivationFunction, NodeOfKind } from '@dafl/core';
import { combine } from './broadcast.ts';
import { type Activation, type NodeFields, sizesOf } from './graph-builder.ts';
import { cut } from './lower-slices.ts';
import type { Lowering, Lowerings, LoweringSite, OperatorNode } from './operator-node.ts';
import { MOST_PARTS } from './read-parts.ts';
import { reshapeActivation } from './reshape-activation.ts';

/** The axes that a node reduces; undefined where it leaves its input alone. */
function axesOf(node: OperatorNode, rank: number): number[] | undefined {
  const given = node.numbersAt('axes', 1);
  if (given !== undefined && given.length > 0) return node.distinctAxes(given, rank);
  return node.number('noop_with_empty_axes', 0) === 0 ? Array.from({ length: rank }, (_, axis) => axis) : undefined;
}

/** An activation reduced over axes. */
export function reduceTo(
  node: LoweringSite,
  value: Activation,
  axes: readonly number[],
  operation: NodeOfKind<'reduce'>['operation'],
  keepsAxes: boolean,
): Activation {
  const { builder, name } = node;
  const { order, shape } = value;
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const places = order.flatMap((axis, place) => (axes.includes(axis) ? [place] : []));
  let result: Activation;
  const left = order.filter((axis) => !axes.includes(axis));
  const isMapMean = operation === 'mean' && order.length === 3 && left.length === 1 && order[2] === left[0];
  if (places.length === 0) result = value;
  else if (isMapMean) {
    result = { node: builder.add(name, { kind: 'globalAveragePool2d' }, [value.node]), shape: kept, order: left };
  } else {
    const fields: NodeFields = { kind: 'reduce', operation, axes: places, keepDimensions: false };
    result = { node: builder.add(name, fields, [value.node]), shape: kept, order: left };
  }
  if (keepsAxes && order.join() === '2,3,1') {
    // Maps stay maps.
    const sizes = sizesOf(order, kept);
    return { node: builder.add(name, { kind: 'reshape', shape: sizes }, [result.node]), shape: kept, order };
  }
  if (keepsAxes) return result;
  const rest = kept.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));
  return {
    node: result.node,
    shape: rest.map((axis) => kept[axis]),
    order: result.order.map((axis) => rest.indexOf(axis)),
  };
}

/** @param before What each element becomes first, and `after` what their sum becomes. */
function reduction(
  operation: NodeOfKind<'reduce'>['operation'],
  before?: 'square' | ActivationFunction,
  after?: ActivationFunction,
): Lowering {
  return (node) => {
    const value = node.activation(0);
    const axes = axesOf(node, value.shape.length);
    if (axes === undefined && before === undefined) return value;
    if (axes?.includes(0) && node.builder.hasBatch && value.shape[0] === 1 && value.shape.length > 1 && axes.length > 1)
      node.refuse('it reduces the batch');
    const bend = (input: Activation, bending: ActivationFunction) =>
      node.builder.map(node.name, input, { kind: 'activation', function: bending });
    let input = value;
    if (before === 'square') input = node.builder.map(node.name, value, { kind: 'power', exponent: 2 });
    else if (before !== undefined) input = bend(value, before);
    const reduced = reduceTo(node, input, axes ?? [], operation, node.number('keepdims', 1) !== 0);
    return after === undefined ? reduced : bend(reduced, after);
  };
}

export const lowerReductions: Lowerings = {
  ReduceMean: reduction('mean'),
  ReduceSum: reduction('sum'),
  ReduceMax: reduction('max'),
  ReduceMin: reduction('min'),
  ReduceL1: reduction('sum', 'abs'),
  ReduceL2: reduction('sum', 'square', 'sqrt'),
  ReduceSumSquare: reduction('sum', 'square'),
  ReduceLogSum: reduction('sum', undefined, 'log'),

  /** Entry by entry. */
  ReduceProd(node) {
    const value = node.activation(0);
    const axes = axesOf(node, value.shape.length);
    if (axes === undefined) return value;
    if (axes.includes(0) && node.builder.hasBatch && axes.length > 1) node.refuse('it reduces the batch');
    const product = axes.reduce((made, axis) => {
      const size = made.shape[axis];
      if (size < 1 || size > MOST_PARTS) node.refuse(`it multiplies ${size} parts`);
      const parts = Array.from({ length: size }, (_, begin) => cut(node, made, axis, { begin, size: 1 }));
      return parts.reduce((total, part) => combine(node, 'multiply', total, part));
    }, value);
    if (node.number('keepdims', 1) !== 0) return product;
    return reshapeActivation(
      node,
      product,
      product.shape.filter((_, axis) => !axes.includes(axis)),
    );
  },

  ReduceLogSumExp(node) {
    // The largest is taken out, so that nothing overflows.
    const value = node.activation(0);
    const axes = axesOf(node, value.shape.length) ?? [];
    const largest = reduceTo(node, value, axes, 'max', true);
    const centred = combine(node, 'subtract', value, largest);
    const powers = node.builder.map(node.name, centred, { kind: 'activation', function: 'exp' });
    const sum = reduceTo(node, powers, axes, 'sum', true);
    const logarithm = node.builder.map(node.name, sum, { kind: 'activation', function: 'log' });
    const result = combine(node, 'add', logarithm, largest);
    if (node.number('keepdims', 1) !== 0) return result;
    return reshapeActivation(
      node,
      result,
      result.shape.filter((_, axis) => !axes.includes(axis)),
    );
  },

  GlobalAveragePool: (node) => overMaps(node, 'mean'),
  GlobalMaxPool: (node) => overMaps(node, 'max'),
};

/** Over all axes but the batch and the channels. */
function overMaps(node: OperatorNode, operation: 'mean' | 'max'): Activation {
  const value = node.activation(0);
  const axes = value.shape.map((_, axis) => axis).slice(2);
  return reduceTo(node, value, axes, operation, true);
}

import { BOOL, FLOAT, isFloatType, sizeOf } from './constant.ts';
import { followsFromInput } from './follows-from-input.ts';
import { isActivation, markAsStackable } from './graph-builder.ts';
import { isThere } from './lower-comparisons.ts';
import type { Lowering, Lowerings } from './operator-node.ts';
import { reshapeActivation, shapeToReach } from './reshape-activation.ts';

/** Passes its first input on. */
const pass: Lowering = (node) => node.input(0);

export const lowerLayout: Lowerings = {
  Identity: pass,

  Dropout(node) {
    const isTraining = node.optionalConstant(2)?.values[0] ?? 0;
    if (isTraining !== 0)
      node.builder.notes.add('It was exported in training mode: its dropout is left out, as in evaluation mode');
    return node.input(0);
  },

  Cast(node) {
    const type = node.number('to', FLOAT);
    if (isFloatType(type)) return node.input(0);
    return type === BOOL ? isThere(node) : node.refuse(`it makes activations of data type ${type}`);
  },

  /** To the type of another input: to floats, as activations are. */
  CastLike(node) {
    const value = node.input(0);
    return isActivation(value) ? value : { ...value, dataType: FLOAT, values: Float32Array.from(value.values) };
  },

  DepthToSpace(node) {
    const input = node.maps(0);
    const blockSize = node.number('blocksize', 1);
    const order = node.text('mode', 'DCR') === 'CRD' ? 'channelsFirst' : 'rowsFirst';
    const [, channels, height, width] = input.shape;
    const shape = [1, channels / blockSize ** 2, height * blockSize, width * blockSize];
    if (!Number.isInteger(shape[1])) node.refuse(`${channels} channels are no blocks of ${blockSize}`);
    const made = node.builder.add(node.name, { kind: 'depthToSpace', blockSize, order }, [input.node]);
    return { ...input, shape, node: made };
  },

  SpaceToDepth(node) {
    const input = node.maps(0);
    if (node.text('mode', 'DCR') !== 'DCR') node.refuse('it counts channels first');
    const blockSize = node.number('blocksize', 1);
    const [, channels, height, width] = input.shape;
    const shape = [1, channels * blockSize ** 2, height / blockSize, width / blockSize];
    if (!shape.every(Number.isInteger)) node.refuse(`${height} x ${width} are no blocks of ${blockSize}`);
    const made = node.builder.add(node.name, { kind: 'spaceToDepth', blockSize }, [input.node]);
    return { ...input, shape, node: made };
  },

  Flatten(node) {
    const value = node.activation(0);
    const given = node.number('axis', 1);
    const axis = given < 0 ? given + value.shape.length : given;
    return reshapeActivation(node, value, [sizeOf(value.shape.slice(0, axis)), sizeOf(value.shape.slice(axis))]);
  },

  Reshape(node) {
    const value = node.activation(0);
    const sizes = node.numbersAt('shape', 1) ?? node.refuse('it has no shape');
    const goal = shapeToReach(value, sizes, {
      batch: node.builder.batch,
      keepsZero: node.number('allowzero', 0) !== 0,
      isWhole: !followsFromInput(node.inputs[1]),
    });
    return reshapeActivation(node, value, goal);
  },

  Squeeze(node) {
    const value = node.activation(0);
    const given = node.numbersAt('axes', 1);
    const axes = given === undefined ? undefined : node.distinctAxes(given, value.shape.length);
    const shape = value.shape.filter((size, axis) =>
      axes === undefined
        ? (axis === 0 && node.builder.hasBatch && node.builder.isBatchFree) || size !== 1
        : !axes.includes(axis),
    );
    return reshapeActivation(node, value, shape);
  },

  Unsqueeze(node) {
    const value = node.activation(0);
    const given = node.numbersAt('axes', 1) ?? node.refuse('it has no axes');
    const rank = value.shape.length + given.length;
    const axes = node.distinctAxes(given, rank);
    const left = [...value.shape];
    const shape = Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : left.shift()!));
    const made = reshapeActivation(node, value, shape);
    return axes.includes(0) ? markAsStackable(made) : made;
  },

  Transpose(node) {
    const value = node.activation(0);
    const permutation = node.permutation(value.shape.length);
    return {
      ...value,
      shape: permutation.map((axis) => value.shape[axis]),
      order: value.order.map((axis) => permutation.indexOf(axis)),
    };
  },
};

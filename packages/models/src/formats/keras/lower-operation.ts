import { showValue } from '@dafl/core';
import { combine, type CombiningKind, scaleBy } from '../onnx/broadcast.ts';
import type { Constant } from '../onnx/constant.ts';
import { type Activation, isActivation, type TraceValue } from '../onnx/graph-builder.ts';
import { scalar } from '../onnx/lower-arithmetic.ts';
import { reshapeActivation } from '../onnx/reshape-activation.ts';
import {
  type CallArgument,
  isList,
  isReference,
  type KerasLayer,
  type LayerCall,
  type TensorReference,
} from './keras-topology.ts';
import type { LayerSite } from './layer-site.ts';
import { bendBy, isActivationName } from './lower-activation.ts';

/** Names of functions, as Keras 3 and TensorFlow have them, by what they do. */
const combining: Readonly<Record<string, CombiningKind>> = {
  add: 'add',
  subtract: 'subtract',
  sub: 'subtract',
  multiply: 'multiply',
  mul: 'multiply',
  divide: 'divide',
  truediv: 'divide',
  truedivide: 'divide',
  maximum: 'maximum',
  minimum: 'minimum',
};

/** The last word of `math.truediv` or `__operators__.add`; classes of Keras 3 are words of their own. */
function functionOf(layer: KerasLayer): string {
  const given = layer.config.get('function');
  const name = layer.className === 'TFOpLambda' && typeof given === 'string' ? given : layer.className;
  return name.slice(name.lastIndexOf('.') + 1).toLowerCase();
}

/** Whether a function of Keras 3 or TensorFlow is known. */
export function isOperation(layer: KerasLayer): boolean {
  const name = functionOf(layer);
  return Object.hasOwn(combining, name) || isActivationName(name) || ['negative', 'reshape'].includes(name);
}

/** Turns a function that was called on tensors into nodes. */
export function lowerOperation(
  site: LayerSite,
  layer: KerasLayer,
  call: LayerCall,
  valueOf: (reference: TensorReference) => Activation,
): Activation {
  const name = functionOf(layer);
  const operands = [
    ...call.arguments.flatMap(flat),
    ...['x1', 'x2', 'x', 'y'].flatMap((key) => call.options.get(key) ?? []),
  ];
  const operandOf = (index: number): TraceValue => {
    const argument = operands[index];
    if (argument === undefined) return site.refuse(`its operand ${index} is missing`);
    if (isList(argument)) return site.refuse('its operands are lists');
    if (isReference(argument)) return valueOf(argument);
    return typeof argument.value === 'number'
      ? scalar(argument.value)
      : site.refuse(`its operand ${index} is no number`);
  };
  if (Object.hasOwn(combining, name)) return combineOperands(site, combining[name], operandOf(0), operandOf(1));
  const input = operandOf(0);
  if (!isActivation(input)) return site.refuse('it reads constants alone');
  if (isActivationName(name)) return bendBy(site, input, name, site.dialect);
  if (name === 'negative') return scaleBy(site, input, scalar(-1));
  const goal = layer.config.get('newshape') ?? layer.config.get('new_shape');
  if (!Array.isArray(goal)) return site.refuse(`its shape is ${showValue(goal)}`);
  const sizes = goal.map((length) => (typeof length === 'number' ? length : -1)).slice(1);
  const size = input.shape.reduce((total, length) => total * length, 1);
  const known = sizes.reduce((total, length) => (length === -1 ? total : total * length), 1);
  return reshapeActivation(site, input, [1, ...sizes.map((length) => (length === -1 ? size / known : length))]);
}

function combineOperands(site: LayerSite, kind: CombiningKind, left: TraceValue, right: TraceValue): Activation {
  if (isActivation(left) && isActivation(right)) {
    // The batch of a value of fewer axes would meet another axis.
    if (left.shape.length !== right.shape.length) site.refuse('its operands have different ranks');
    return combine(site, kind, left, right);
  }
  const change = ({ values, ...rest }: Constant, by: (value: number) => number): Constant => ({
    ...rest,
    values: values.map(by),
  });
  if (isActivation(left) && !isActivation(right)) {
    if (kind === 'add') return scaleBy(site, left, undefined, right);
    if (kind === 'subtract')
      return scaleBy(
        site,
        left,
        undefined,
        change(right, (value) => -value),
      );
    if (kind === 'multiply') return scaleBy(site, left, right);
    if (kind === 'divide')
      return scaleBy(
        site,
        left,
        change(right, (value) => 1 / value),
      );
  }
  if (isActivation(right) && !isActivation(left)) {
    if (kind === 'add') return scaleBy(site, right, undefined, left);
    if (kind === 'subtract') return scaleBy(site, right, scalar(-1), left);
    if (kind === 'multiply') return scaleBy(site, right, left);
  }
  if (!isActivation(left) && !isActivation(right)) return site.refuse('it reads constants alone');
  return combine(site, kind, left, right);
}

function flat(argument: CallArgument): readonly CallArgument[] {
  return isList(argument) ? argument.flatMap(flat) : [argument];
}

import type { Shape } from '../../backend.ts';
import { add, affine, divide, multiply, square, subtract } from '../../autodiff/operations/element-wise.ts';
import { reshape } from '../../autodiff/operations/layout.ts';
import { mean } from '../../autodiff/operations/reduction.ts';
import { squareRoot } from '../../autodiff/operations/square-root.ts';
import type { Tape, Value } from '../../autodiff/tape.ts';
import type { Axis, WeightChannels } from '../channel-flow.ts';
import type { NodeContext, WeightSpecification } from '../node-kind.ts';
import { passOn } from './_pass-on.ts';

/** (input - mean) / sqrt(variance + epsilon), with the biased moments over `axes`. */
export function normalize(tape: Tape, input: Value, axes: readonly number[], epsilon: number): Value {
  const kept = input.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const average = (value: Value): Value => passOn(tape, mean(tape, value, axes), (flat) => reshape(tape, flat, kept));
  const centred = passOn(tape, average(input), (center) => subtract(tape, input, center));
  const variance = passOn(tape, square(tape, centred), average);
  const raised = passOn(tape, variance, (value) => affine(tape, value, 1, epsilon));
  const deviation = passOn(tape, raised, (value) => squareRoot(tape, value));
  const output = divide(tape, centred, deviation);
  for (const value of [centred, deviation]) tape.release(value);
  return output;
}

/** Weights `scale` and `offset` of a normalisation, of one value for each channel. */
export function affineWeights(channels: number): Record<string, WeightSpecification> {
  const shape: Shape = [channels];
  return { scale: { shape, trainable: true, initial: 1 }, offset: { shape, trainable: true, initial: 0 } };
}

/** The same weights' channels. */
export function affineChannels(axis: Axis): Record<string, WeightChannels> {
  return { scale: { blocks: [[axis]], scales: true }, offset: { blocks: [[axis]] } };
}

/** value x scale + offset, where the node has them; `value` is let go. */
export function scaleAndShift(value: Value, isAffine: boolean, { tape, weight }: NodeContext): Value {
  if (!isAffine) return value;
  const scaled = passOn(tape, value, (normal) => multiply(tape, normal, weight('scale')));
  return passOn(tape, scaled, (normal) => add(tape, normal, weight('offset')));
}

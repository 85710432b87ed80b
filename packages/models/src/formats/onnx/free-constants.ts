import { type GraphBuilder, isActivation, type TraceValue } from './graph-builder.ts';
import type { OnnxNode } from './parse-onnx.ts';

/** Operators that bring what they read together entry by entry, or example by example where it has more axes than two. */
const pairing: ReadonlySet<string> = new Set([
  'Add',
  'Concat',
  'Div',
  'Einsum',
  'Max',
  'MatMul',
  'Mean',
  'Min',
  'Mul',
  'Pow',
  'PRelu',
  'Sub',
  'Sum',
  'Where',
]);

/**
 * What a node reads, with constants that have a row for each example of the batch that the file fixes as the one row that all of
 * them are: class tokens and masks are repeated so.
 */
export function freeConstants(
  { domain, operator, attributes }: OnnxNode,
  inputs: readonly (TraceValue | undefined)[],
  { batch, hasBatch }: GraphBuilder,
): readonly (TraceValue | undefined)[] {
  if (batch === 1 || !hasBatch || domain !== '' || !pairing.has(operator)) return inputs;
  const beside = inputs.filter(isActivation);
  // Along the batch itself nothing is joined.
  if (operator === 'Concat' && attributes.get('axis') === 0) return inputs;
  return inputs.map((value) => {
    if (value === undefined || isActivation(value)) return value;
    const { shape, values } = value;
    const isBatched = (operator !== 'MatMul' && operator !== 'Einsum') || shape.length > 2;
    const fits = beside.some((other) => other.shape.length === shape.length && other.shape[0] === 1);
    if (!isBatched || !fits || shape[0] !== batch) return value;
    const row = values.length / batch;
    for (let index = row; index < values.length; index++) if (values[index] !== values[index - row]) return value;
    return { ...value, shape: shape.with(0, 1), values: values.slice(0, row) };
  });
}

import type { Shape, Tensor, TensorBackend } from '../backend.ts';
import { multiply } from '../autodiff/operations/element-wise.ts';
import { sum } from '../autodiff/operations/reduction.ts';
import { Tape, type Value } from '../autodiff/tape.ts';
import { createRandomStream } from '../random.ts';

/** Values of one argument of a differentiable computation. */
export interface Argument {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** A gradient by the tape and by central differences. */
export interface GradientPair {
  readonly analytic: ArrayLike<number>;
  readonly numeric: ArrayLike<number>;
}

/**
 * Short enough that no maximum changes its place and no rectified value its sign; the differences err by about 1e-10,
 * half of it curvature and half of it rounding.
 */
const DISTANCE = 1e-5;

/** Numbers in low..high, reproducible; each seed gives others. */
export function drawArgument(
  shape: Shape,
  { seed = 0, low = -1, high = 1 }: { seed?: number; low?: number; high?: number } = {},
): Argument {
  const size = shape.reduce((product, length) => product * length, 1);
  return { shape, data: Float64Array.from(createRandomStream(seed, 'test argument').uniform(size, low, high)) };
}

/**
 * Compares the tape's derivatives of Σ weights x output with central differences, for every argument.
 *
 * @param backend Of float64.
 * @param compute Any computation; its output is weighted by fixed random numbers, so that no two elements can be mixed up.
 * @throws {Error} If tensors are left over.
 */
export async function compareGradients(
  backend: TensorBackend,
  args: readonly Argument[],
  compute: (tape: Tape, values: Value[]) => Value,
): Promise<GradientPair[]> {
  const before = backend.memory().tensors;

  const weigh = (tape: Tape, output: Value): Value => {
    const { shape, data } = drawArgument(output.shape, { seed: 99 });
    return sum(tape, multiply(tape, output, tape.own(backend.tensor(data, shape))));
  };
  const evaluate = async (points: readonly Float64Array[]): Promise<number> => {
    const tape = new Tape(backend);
    const values = points.map((point, index) => tape.own(backend.tensor(point, args[index].shape)));
    const [total] = await backend.read(weigh(tape, compute(tape, values)).tensor);
    tape.dispose();
    return total;
  };

  const tape = new Tape(backend);
  const tensors: Tensor[] = args.map(({ data, shape }) => backend.tensor(data, shape));
  const leaves = tensors.map((tensor) => tape.leaf(tensor));
  const gradients = tape.gradients(weigh(tape, compute(tape, leaves)), leaves);
  tape.dispose();

  const pairs: GradientPair[] = [];
  for (const [index, gradient] of gradients.entries()) {
    const points = args.map(({ data }) => data);
    const numeric = new Float64Array(args[index].data.length);
    for (let element = 0; element < numeric.length; element++) {
      const shifted = async (distance: number): Promise<number> => {
        const point = Float64Array.from(args[index].data);
        point[element] += distance;
        return evaluate(points.with(index, point));
      };
      numeric[element] = ((await shifted(DISTANCE)) - (await shifted(-DISTANCE))) / (2 * DISTANCE);
    }
    pairs.push({ analytic: await backend.read(gradient), numeric });
  }
  for (const tensor of [...tensors, ...gradients]) backend.dispose(tensor);
  const left = backend.memory().tensors - before;
  if (left !== 0) throw new Error(`Expected no tensors to be left over but found ${left}`);
  return pairs;
}

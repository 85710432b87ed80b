import { affine, divide, square } from '../autodiff/operations/element-wise.ts';
import { reshape } from '../autodiff/operations/layout.ts';
import { meanSquaredDistance } from '../autodiff/operations/mean-squared-distance.ts';
import { mean, sum } from '../autodiff/operations/reduction.ts';
import { squareRoot } from '../autodiff/operations/square-root.ts';
import type { Tape, Value } from '../autodiff/tape.ts';
import { inferShapes } from '../model/infer-shapes.ts';
import type { Graph } from '../model/model.ts';

/** Keeps the length of a map that is 0 everywhere finite. */
const LEAST_SQUARE = 1e-24;

/**
 * Where a layer is active: the mean over channels of the squared activations, as a vector of length 1 for each example.
 *
 * Source: Zagoruyko and Komodakis, "Paying More Attention to Attention", ICLR 2017, eq. 2.
 *
 * @param activations Shape `[batch, height, width, channels]`.
 * @returns Shape `[batch, height x width]`.
 */
export function attentionMap(tape: Tape, activations: Value): Value {
  const [batch, height, width] = activations.shape;
  const flat = reshape(tape, mean(tape, square(tape, activations), [3]), [batch, height * width]);
  const length = squareRoot(tape, affine(tape, sum(tape, square(tape, flat), [1]), 1, LEAST_SQUARE));
  return divide(tape, flat, reshape(tape, length, [batch, 1]));
}

/** Distance of two attention maps of one shape: the mean of their squared differences, a scalar. */
export function attentionLoss(tape: Tape, student: Value, teacher: Value): Value {
  return meanSquaredDistance(tape, student, teacher);
}

/**
 * Where two networks have their last maps of the same size: the ends of their stages, by node.
 *
 * @returns Pairs, in the order of the teacher's nodes; maps of one pixel tell nothing and are left out.
 */
export function pairStages(teacher: Graph, student: Graph): { readonly teacher: string; readonly student: string }[] {
  const endsOf = (graph: Graph): Map<string, string> => {
    const shapes = inferShapes(graph);
    const ends = new Map<string, string>();
    for (const { name } of graph.nodes) {
      const { output } = shapes.get(name)!;
      if (output.length === 3 && output[0] * output[1] > 1) ends.set(`${output[0]}x${output[1]}`, name);
    }
    return ends;
  };
  const ofStudent = endsOf(student);
  return [...endsOf(teacher)].flatMap(([size, name]) => {
    const other = ofStudent.get(size);
    return other === undefined ? [] : [{ teacher: name, student: other }];
  });
}

import {
  chooseHintNodes,
  describeModel,
  type GeneratorOptions,
  generatorGraph,
  type Graph,
  inferShapes,
} from '@dafl/core';
import type { MethodName } from '../options/method-name.ts';

/** What the memory of a step depends on. */
export interface StepMemoryOptions {
  readonly teacher: Graph;
  readonly student: Graph;
  readonly method: MethodName;
  /** Batches that the student learns from in one step, each counted once. */
  readonly batches: number;
  readonly generator: Pick<GeneratorOptions, 'latentSize' | 'widths'>;
}

/** Bytes of tensors, about: what they come to is `fixed + batchSize * forEachImage`. */
export interface StepMemory {
  readonly fixed: number;
  /** For each image of a batch. */
  readonly forEachImage: number;
}

/** What a step may take where nobody asks for a certain size of its batches: with all else it stays below 4 GiB. */
export const STEP_BYTES: number = 2.5 * 2 ** 30;
const withGenerator: readonly MethodName[] = ['dafl', 'dfq', 'dfad', 'zskt'];
/** Methods whose step hands all of its batches over at once; others give one, again and again. */
const withManyBatches: readonly MethodName[] = ['procedural', 'dafl', 'pool', 'nayer', 'deep-inversion', 'dfad'];
/** What a hint takes for each of its values, as measured. */
const HINT_COPIES = 4;
/** Weights, their gradients and Adam's two moments. */
const TRAINED_COPIES = 4;

/** What one step of a run holds at its most, by the shapes of its networks; held against the wasm backend in the tests. */
export function stepMemory({ teacher, student, method, batches, generator }: StepMemoryOptions): StepMemory {
  const [ofTeacher, ofStudent] = [measure(teacher), measure(student)];
  const taken = (withManyBatches.includes(method) ? batches : 1) * bytesOf(teacher.inputShape);
  const learning =
    taken + Math.max(3 * ofTeacher.largest, ofStudent.kept + ofStudent.largest + HINT_COPIES * ofStudent.hints);
  const fixed = ofTeacher.weights + TRAINED_COPIES * ofStudent.weights;
  if (!withGenerator.includes(method)) return { fixed, forEachImage: learning };
  const ofGenerator = measure(generatorOf(teacher, generator));
  return {
    fixed: fixed + TRAINED_COPIES * ofGenerator.weights,
    forEachImage: Math.max(learning, bytesToMake(teacher, ofGenerator.kept, ofStudent.kept)),
  };
}

/** How many images a method that keeps a pool may make at a time, at most `most`. */
export function imagesMadeAtOnce(
  most: number,
  { teacher, generator }: Pick<StepMemoryOptions, 'teacher' | 'generator'>,
): number {
  // Of students all that is known here is that they are no larger.
  const forEach = bytesToMake(teacher, measure(generatorOf(teacher, generator)).kept, measure(teacher).kept);
  return halve(most, (count) => count * forEach <= STEP_BYTES);
}

/** The largest of a number, its half, its quarter and so on that fits; 2 where none does. */
export function halve(most: number, fits: (count: number) => boolean): number {
  let count = most;
  while (count > 2 && !fits(count)) count = Math.max(2, Math.floor(count / 2));
  return count;
}

/** For each image that a generator, or an inversion, is led to by teacher and student. */
function bytesToMake(teacher: Graph, generatorKept: number, studentKept: number): number {
  const { kept, largest } = measure(teacher);
  // Frozen, a network keeps about half of what it computes; but the teacher's batch norms are looked at.
  return 2 * bytesOf(teacher.inputShape) + generatorKept + kept + largest + studentKept / 2;
}

function generatorOf(teacher: Graph, generator: StepMemoryOptions['generator']): Graph {
  const [height, width, channels] = teacher.inputShape;
  return generatorGraph({
    ...generator,
    imageSize: [height, width],
    channels,
    batchNormEpsilon: 1,
    output: { kind: 'sigmoid' },
  });
}

/** Bytes of one example, and of the weights. */
function measure(graph: Graph): {
  readonly kept: number;
  readonly largest: number;
  readonly hints: number;
  readonly weights: number;
} {
  const shapes = inferShapes(graph);
  let kept = bytesOf(graph.inputShape);
  let largest = kept;
  // Derivatives rest on what a batch norm reads and on what a rectifier writes; those of other activations on what they read.
  const isRead = new Set(
    graph.nodes.flatMap((node) => (node.kind === 'activation' && !isRectifier(node.function) ? node.inputs : [])),
  );
  for (const { name, kind } of graph.nodes) {
    const bytes = bytesOf(shapes.get(name)!.output);
    largest = Math.max(largest, bytes);
    // Reshaping copies nothing.
    if (kind === 'reshape' || kind === 'flatten' || (kind === 'batchNorm' && !isRead.has(name))) continue;
    kept += bytes;
  }
  const hints = chooseHintNodes(graph).reduce((total, name) => total + bytesOf(shapes.get(name)!.output), 0);
  return { kept, largest, hints, weights: 4 * describeModel(graph).parameters };
}

function isRectifier(name: string): boolean {
  return /relu/i.test(name);
}

function bytesOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 4);
}

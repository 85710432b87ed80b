import { fail } from '../check.ts';
import { inferShapes } from './infer-shapes.ts';
import type { Graph, Preprocessing } from './model.ts';
import { takeLogits } from './take-logits.ts';
import { sizeOf } from '../shape.ts';

/** What the rest of dafl needs to know of a classifier. */
export interface Classifier {
  /** Number of classes: the length of the logits. */
  readonly classes: number;
  /** Length of the features that the activation loss reads. */
  readonly featureSize: number;
  readonly inputShape: readonly [height: number, width: number, channels: number];
  readonly preprocessing: Preprocessing;
}

/** Preprocessing that leaves pixels at 0..1. */
function identityPreprocessing(channels: number): Preprocessing {
  return { resize: 'bilinear', mean: Array(channels).fill(0), standardDeviation: Array(channels).fill(1) };
}

/**
 * Reads a graph as an image classifier, of which `createNetwork` makes one that gives logits.
 *
 * @throws {DaflError} `MODEL` if it is none: no `logits` or `features`, an input that is no image, logits that are no
 * row of at least two classes.
 */
export function describeClassifier(given: Graph): Classifier {
  const { graph } = takeLogits(given);
  const shapes = inferShapes(graph);
  const reject = (rule: string, value: string): never => {
    fail({ code: 'MODEL', cannot: `use model '${graph.name}'`, as: `a classifier as ${rule}`, value });
  };
  const shapeOf = (role: string): readonly number[] => {
    const name = graph.outputs[role];
    if (name === undefined)
      return reject(`it must mark an output '${role}'`, `[${Object.keys(graph.outputs).join(', ')}]`);
    return shapes.get(name)?.output ?? graph.inputShape;
  };
  const logits = shapeOf('logits');
  if (logits.length !== 1 || logits[0] < 2)
    reject(`'logits' must give one row of at least 2 classes`, `[${logits.join(', ')}]`);
  const names = graph.classNames?.length ?? logits[0];
  if (names !== logits[0]) reject(`'logits' must match 'classNames'`, `${names}`);
  const features = shapeOf('features');
  if (graph.inputShape.length !== 3)
    reject('its input must be [height, width, channels]', `[${graph.inputShape.join(', ')}]`);
  const [height, width, channels] = graph.inputShape;
  return {
    classes: logits[0],
    featureSize: sizeOf(features),
    inputShape: [height, width, channels],
    preprocessing: graph.preprocessing ?? identityPreprocessing(channels),
  };
}

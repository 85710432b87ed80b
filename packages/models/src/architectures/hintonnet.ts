import type { Graph } from '@dafl/core';
import { type ArchitectureOptions, GraphBuilder } from './_graph-builder.ts';

/** How a HintonNet may differ from the paper's teacher. */
export interface HintonNetOptions extends ArchitectureOptions {
  /** Width of both hidden layers, >= 1. Default: 1200. */
  readonly units?: number;
  /** Dropout of the input and of the hidden layers in training. Default: none; Hinton's are 0.2 and 0.5. */
  readonly dropout?: readonly [input: number, hidden: number];
}

/**
 * The fully connected network of DAFL's MNIST experiments: 28x28 pixels, two hidden layers with ReLU, the classes.
 *
 * With 1200 units it has 2,395,210 parameters (the teacher), with 800 units 1,276,810 (the student).
 *
 * Source: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015, section 3; sizes as in
 * irapha/replayed_distillation, models/hinton1200.py. Deviations: dropout is off unless asked for.
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function hintonNet(options: HintonNetOptions = {}): Graph {
  const { units = 1200, dropout = [0, 0] } = options;
  const builder = new GraphBuilder(options, {
    name: units === 1200 ? 'hintonnet' : `hintonnet-${units}`,
    classes: 10,
    inputShape: [28, 28, 1],
    preprocessing: { resize: 'bilinear', mean: [0.1307], standardDeviation: [0.3081] },
  });
  builder.flatten('pixels');
  builder.dropout('dropout0', dropout[0]);
  for (const index of [1, 2]) {
    builder.dense(`dense${index}`, units);
    builder.activation(`relu${index}`);
    builder.dropout(`dropout${index}`, dropout[1]);
  }
  return builder.classifier('relu2');
}

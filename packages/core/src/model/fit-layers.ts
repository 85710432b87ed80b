import type { Tensor } from '../backend.ts';
import { Tape } from '../autodiff/tape.ts';
import type { Turn } from '../turn.ts';
import { sizeOf } from '../shape.ts';
import { fitLayer } from './_fit-layer.ts';
import { followNetwork } from './_follow-network.ts';
import { findLogitNodes } from './find-logit-nodes.ts';
import { inferShapes } from './infer-shapes.ts';
import { readsWholeInput } from './reads-whole-input.ts';
import type { Network } from './network.ts';

/** What layers are fitted by. */
export interface FitLayersOptions {
  readonly teacher: Network;
  /** A narrower form of the teacher that inherited some of its channels; its weights are changed. */
  readonly student: Network;
  /** Of each node: which of the teacher's channels (the last axis) the student's are. @see inheritChannels */
  readonly channels: ReadonlyMap<string, readonly number[]>;
  /** Preprocessed, `[count, height, width, channels]`; all go through both networks at once. */
  readonly images: Tensor;
  readonly turn: Turn;
  readonly signal?: AbortSignal;
}

/** Values of a map that a layer is fitted by, for each value that it sums up: where a few images give enough, no more are taken. */
const ROWS_FOR_EACH = 32;
/** Fewer tell nothing about images. */
const LEAST_IMAGES = 256;
/** A layer that sums up more values than this share of what is known of its results keeps its weights. */
const MOST_VALUES = 0.5;

/**
 * Fits the layers of a student, from the first to the last, to what the teacher computes in the channels that the student
 * inherited: by least squares on what the student's own earlier layers, fitted by then, make of the images. The results
 * keep the teacher's mean and variance in each channel, as a fit by itself shrinks them and nonlinearities behind it would go quiet.
 *
 * Source: the reconstruction of layers in He et al., "Channel Pruning for Accelerating Very Deep Neural Networks", ICCV
 * 2017, section 3.1. Deviations: it is the layer before the nonlinearity that is fitted, by a few conjugate gradients from the
 * inherited weights on, so that layers of any width fit into memory; and the variance is kept.
 *
 * @throws What `signal` was aborted with, or what a kernel threw; the student is then as it was before.
 */
export async function fitLayers(options: FitLayersOptions): Promise<void> {
  const { teacher, student, images, turn, signal } = options;
  const before = (await student.toModel()).weights;
  const tape = new Tape(student.backend);
  try {
    const count = images.shape[0];
    const logits = findLogitNodes(student.graph);
    const shapes = inferShapes(student.graph);
    const teaching = followNetwork(teacher, tape, images);
    const learning = student.walk(tape, tape.constant(images), { mode: 'inference', trainable: false });
    for (let visit = learning.next(); visit.done !== true; visit = learning.next()) {
      await turn();
      signal?.throwIfAborted();
      const { node, inputs } = visit.value;
      if (node.kind !== 'conv2d' && node.kind !== 'dense') continue;
      const layerShapes = shapes.get(node.name)!;
      const rows = sizeOf(layerShapes.output.slice(0, -1));
      const values = sizeOf(layerShapes.weights.kernel.shape.slice(0, -1));
      const taken = Math.min(count, Math.max(LEAST_IMAGES, Math.ceil((ROWS_FOR_EACH * values) / rows)));
      const target = await teaching(node.name, taken, turn);
      if (target === undefined) continue;
      try {
        if (!readsWholeInput(student.graph, shapes, node, inputs[0].shape) || values > MOST_VALUES * taken * rows)
          continue;
        await fitLayer(node, layerShapes, {
          ...options,
          input: inputs[0],
          target,
          taken,
          scales: !logits.has(node.name),
        });
      } finally {
        student.backend.dispose(target);
      }
    }
  } catch (error) {
    student.load(before);
    throw error;
  } finally {
    tape.dispose();
  }
}

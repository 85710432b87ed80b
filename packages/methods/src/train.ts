import {
  check,
  createNetwork,
  createOptimizer,
  createRandomStream,
  createTurn,
  crossEntropy,
  DaflError,
  describeClassifier,
  evaluate,
  type Evaluation,
  fail,
  type Graph,
  type HostTensor,
  type ImageSet,
  initializeWeights,
  learningRateAt,
  type Model,
  type OptimizerOptions,
  preprocess,
  type Schedule,
  type TensorBackend,
  type Turn,
} from '@dafl/core';
import { mean, withTape } from '@dafl/core/autodiff';
import { augment, type AugmentationOptions } from './augment.ts';

/** One training on labelled images. */
export interface TrainOptions {
  readonly backend: TensorBackend;
  /** The classifier's graph; its weights are drawn from the seed. */
  readonly graph: Graph;
  /** Labelled images. */
  readonly data: ImageSet;
  readonly optimizer: OptimizerOptions;
  readonly schedule: Schedule;
  /** Passes over the data, >= 1. */
  readonly epochs: number;
  /** Images of one step, >= 1; the last, smaller batch of an epoch is left out. */
  readonly batchSize: number;
  readonly augmentation?: AugmentationOptions;
  /** Share of the target that is spread over all classes, in [0, 1); default 0. */
  readonly labelSmoothing?: number;
  /** Weights to start from, of the same graph. Default: drawn from the seed. */
  readonly initialWeights?: ReadonlyMap<string, HostTensor>;
  /** Names of nodes whose weights stay as they are. */
  readonly frozen?: readonly string[];
  /** Integer in 0..2^32-1. */
  readonly seed: number;
  /** Labelled images for reporting only, after each epoch. */
  readonly evaluation?: ImageSet;
  /** Milliseconds from any start; default `performance.now`. */
  readonly clock?: () => number;
  readonly signal?: AbortSignal;
  /** Called before each step, so that signals and timers are heard; default: a macrotask. */
  readonly turn?: Turn;
}

/** What `train` tells, in the order of its happening. */
export type TrainEvent =
  | {
      readonly event: 'step';
      /** Steps done, from 1. */
      readonly step: number;
      readonly steps: number;
      /** From 1. */
      readonly epoch: number;
      readonly losses: { readonly crossEntropy: number };
      readonly seconds: number;
      readonly secondsLeft: number;
    }
  | ({ readonly event: 'evaluation'; readonly epoch: number; readonly step: number } & Evaluation)
  | {
      readonly event: 'result';
      readonly step: number;
      readonly steps: number;
      readonly seconds: number;
      readonly backend: string;
      readonly seed: number;
      /** The network as the last step left it. */
      readonly model: Model;
      readonly accuracy?: number;
    };

/**
 * Standard backpropagation: trains a classifier on labelled images by cross-entropy. For teachers, and as the yardstick
 * of a student that had the data.
 *
 * @throws {DaflError} `DATA` if the images have no labels or too few for a batch; `NON_FINITE` if the loss is no finite number.
 */
export async function* train(options: TrainOptions): AsyncGenerator<TrainEvent, void, undefined> {
  const {
    backend,
    graph,
    data,
    epochs,
    batchSize,
    augmentation,
    seed,
    clock = () => performance.now(),
    signal,
    turn = createTurn(),
  } = options;
  const classifier = describeClassifier(graph);
  const { labels } = data;
  if (labels === undefined)
    throw new DaflError('DATA', 'Cannot train as the images must have labels: current value is none');
  for (const [name, value] of Object.entries({ epochs, batchSize })) {
    if (!Number.isInteger(value) || value < 1) {
      fail({ cannot: 'train', as: `'${name}' must be an integer >= 1`, value });
    }
  }
  const stepsPerEpoch = Math.floor(data.count / batchSize);
  if (stepsPerEpoch < 1)
    fail({ code: 'DATA', cannot: 'train', as: `there must be at least ${batchSize} images`, value: data.count });
  const steps = stepsPerEpoch * epochs;
  const drawn = initializeWeights(graph, createRandomStream(seed, 'weights'));
  const network = createNetwork(backend, { graph, weights: options.initialWeights ?? drawn.weights });
  const frozen = options.frozen ?? [];
  const trained = network.trainableVariables.filter(({ name }) => !frozen.some((node) => name.startsWith(`${node}.`)));
  const optimizer = createOptimizer(backend, trained, options.optimizer);
  const order = createRandomStream(seed, 'order');
  const augmentations = createRandomStream(seed, 'augmentation');
  // Mirrored in every other epoch, so that two epochs show each image both ways (Jordan, 2024, section 3.6).
  const mirrors = createRandomStream(seed, 'mirrors').integers(data.count, 2);
  const dropout = createRandomStream(seed, 'dropout');
  const startedMs = clock();
  let accuracy: number | undefined;
  try {
    let step = 0;
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const permutation = order.permutation(data.count);
      for (let batch = 0; batch < stepsPerEpoch; batch++) {
        await turn();
        signal?.throwIfAborted();
        const loss = await runStep(permutation.subarray(batch * batchSize, (batch + 1) * batchSize), epoch, step);
        check(Number.isFinite(loss), {
          code: 'NON_FINITE',
          cannot: `go on with step ${step + 1}`,
          as: 'the crossEntropy loss must be finite',
          value: `${loss}. Lower the learning rate`,
        });
        step++;
        const seconds = (clock() - startedMs) / 1000;
        yield {
          event: 'step',
          step,
          steps,
          epoch,
          losses: { crossEntropy: loss },
          seconds,
          secondsLeft: (seconds / step) * (steps - step),
        };
      }
      if (options.evaluation !== undefined) {
        const evaluation = await evaluate(network, options.evaluation, { signal, turn });
        accuracy = evaluation.accuracy;
        yield { event: 'evaluation', epoch, step, ...evaluation };
      }
    }
    const seconds = (clock() - startedMs) / 1000;
    yield {
      event: 'result',
      step,
      steps,
      seconds,
      backend: backend.description,
      seed,
      model: await network.toModel(),
      accuracy,
    };
  } finally {
    optimizer.dispose();
    network.dispose();
  }

  async function runStep(indices: Uint32Array, epoch: number, step: number): Promise<number> {
    const inputs = preprocess(data, indices, classifier);
    const mirrored = indices.map((index) => (mirrors[index] + epoch) % 2);
    const changed =
      augmentation === undefined ? inputs : augment(inputs, classifier, augmentation, augmentations, mirrored);
    const images = backend.tensor(changed, [indices.length, ...classifier.inputShape]);
    const targets = backend.tensor(
      Int32Array.from(indices, (index) => labels![index]),
      [indices.length],
    );
    const kept = withTape(backend, (tape) => {
      const { logits } = network.forward(tape, tape.constant(images), { mode: 'training', random: dropout });
      const loss = mean(tape, crossEntropy(tape, logits, targets, { labelSmoothing: options.labelSmoothing }));
      const leaves = trained.map((variable) => tape.leaf(variable.tensor));
      optimizer.apply(tape.gradients(loss, leaves), learningRateAt(options.schedule, step, steps));
      return backend.reshape(loss.tensor, [1]);
    });
    const [value] = await backend.read(kept);
    for (const tensor of [images, targets, kept]) backend.dispose(tensor);
    return value;
  }
}

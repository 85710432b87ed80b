import {
  type AnsweredBatch,
  check,
  createAdam,
  createTurn,
  DaflError,
  describeClassifier,
  fail,
  type Method,
  type MethodContext,
  type MethodSession,
  type RandomStream,
  type Tensor,
  TensorReplayBank,
} from '@dafl/core';
import { add, affine, concat, matMul, mean, multiply, subtract, Tape, type Value, Variable } from '@dafl/core/autodiff';
import { answerBatch } from '../_answer-batch.ts';
import type { Metadata, MetadataVariant, RecordedLayer, RecordedView } from './metadata.ts';
import { isRecorded, readUnits } from './_read-units.ts';

/** Options of `reconstruction`. */
export interface ReconstructionOptions {
  readonly metadata: Metadata;
  /** What tells these metadata from others in a checkpoint, for example a hash. */
  readonly fingerprint: string;
  readonly variant: MetadataVariant;
  /** Images that are reconstructed in one step, >= 1. */
  readonly batchSize: number;
  /** Adam updates of these images, >= 1. */
  readonly iterations: number;
  /** Of Adam, > 0, in units of the normalised input. */
  readonly learningRate: number;
  /** Updates of the student in one step, each on a batch drawn from all that were reconstructed so far; >= 1. */
  readonly studentSteps: number;
}

/** Batches that are kept, the newest ones. */
const MOST_BATCHES = 400;

/**
 * Distillation from recorded metadata: each step draws activations from the recorded distributions, as many of each
 * class, and changes a batch of noise images by Adam until the teacher's activations on them are those; the student
 * learns what the teacher says of the images.
 *
 * Equation: minimise over the images Σ_views mean((basisᵀ z(x) - target)²), z being the standardised units.
 * Source: Lopes, Fenu and Starner, "Data-Free Knowledge Distillation for Deep Neural Networks", 2017; see
 * `recordMetadata` for the variants. Deviations: targets are drawn with a Cholesky factor of the covariance (the public
 * code multiplies by the covariance itself); images are kept to what pixels can be; the student learns while images are
 * still being made.
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function reconstruction(options: ReconstructionOptions): Method {
  const { metadata, fingerprint, ...plain } = options;
  const { variant, batchSize, iterations, learningRate, studentSteps } = plain;
  for (const [name, value] of Object.entries({ batchSize, iterations, studentSteps })) {
    if (Number.isInteger(value) && value >= 1) continue;
    fail({ cannot: "use method 'metadata'", as: `'${name}' must be an integer >= 1`, value });
  }
  check(learningRate > 0, { cannot: "use method 'metadata'", as: "'learningRate' must be > 0", value: learningRate });
  const views = metadata.views.filter((view) => view.variant === variant);
  return {
    name: 'metadata',
    options: { ...plain, fingerprint },
    start: (context) => startReconstruction(options, views, context),
  };
}

function startReconstruction(
  { metadata, batchSize, iterations, learningRate, studentSteps }: ReconstructionOptions,
  views: readonly RecordedView[],
  { backend, teacher, steps, createRandom, turn = createTurn() }: MethodContext,
): MethodSession {
  const { inputShape, classes, preprocessing } = describeClassifier(teacher.graph);
  if (
    metadata.classes !== classes ||
    metadata.layers.some(({ node }) => !teacher.graph.nodes.some(({ name }) => name === node))
  ) {
    throw new DaflError(
      'MODEL',
      `Cannot use metadata as they must be of '${teacher.graph.name}': current ones have ${metadata.classes} classes and layers [${metadata.layers.map(({ node }) => node).join(', ')}]`,
    );
  }
  const stream = createRandom('metadata');
  const draws = createRandom('replay');
  const bank = new TensorReplayBank(backend, Math.min(MOST_BATCHES, steps), {
    images: [batchSize, ...inputShape],
    teacherLogits: [batchSize, classes],
  });
  const constants = new Constants(backend);

  /** Makes images, and tells how far they are from their targets in the end. */
  async function make(count: number, random: RandomStream): Promise<{ batch: AnsweredBatch; distance: Tensor }> {
    const size = inputShape.reduce((product, length) => product * length, 1);
    const start = random.normal(count * size);
    const images = new Variable(backend, 'images', backend.tensor(start, [count, ...inputShape]), true);
    const targets = views.map((view) => {
      const { coefficients } = view;
      return backend.tensor(drawTargets(view, count, classes, random), [count, coefficients]);
    });
    const optimizer = createAdam(backend, [images]);
    let last: Tensor | undefined;
    try {
      for (let iteration = 0; iteration < iterations; iteration++) {
        await turn();
        const tape = new Tape(backend);
        try {
          const leaf = tape.leaf(images.tensor);
          const loss = distance(tape, leaf, targets);
          if (last !== undefined) backend.dispose(last);
          last = backend.affine(loss.tensor, 1 / count, 0);
          const share = (1 + Math.cos((Math.PI * iteration) / iterations)) / 2;
          optimizer.apply(tape.gradients(loss, [leaf]), learningRate * Math.max(share, 1e-3));
          keepToPixels(images);
        } finally {
          tape.dispose();
        }
      }
      return { batch: answerBatch(teacher, backend.reshape(images.tensor, images.shape)), distance: last! };
    } finally {
      optimizer.dispose();
      images.dispose();
      for (const target of targets) backend.dispose(target);
    }
  }

  /** Limits images to what a stored picture can have. */
  function keepToPixels(images: Variable): void {
    const bound = (name: string, pixel: number): Tensor =>
      constants.get(name, () => ({
        data: Float32Array.from(
          preprocessing.mean,
          (centre, channel) => (pixel - centre) / preprocessing.standardDeviation[channel],
        ),
        shape: [preprocessing.mean.length],
      }));
    const raised = backend.binary('maximum', images.tensor, bound('black', 0));
    images.assign(backend.binary('minimum', raised, bound('white', 1)));
    backend.dispose(raised);
  }

  /** Mean squared distance of the images' coefficients from the targets, summed over the views. */
  function distance(tape: Tape, images: Value, targets: readonly Tensor[]): Value {
    const units: Value[] = [];
    teacher.forward(tape, images, {
      mode: 'inference',
      observe: (node, _, output) => {
        if (!isRecorded(node)) return;
        const index = units.length;
        units.push(
          standardised(tape, index, metadata.layers[index], readUnits(tape, output, metadata.layers[index].poolSize)),
        );
      },
    });
    const terms = views.map((view, index) => {
      const joined =
        view.layers.length === 1
          ? units[view.layers[0]]
          : concat(
              tape,
              view.layers.map((layer) => units[layer]),
              1,
            );
      const { basis } = view;
      const coefficients =
        basis === null
          ? joined
          : matMul(
              tape,
              joined,
              tape.constant(
                constants.get(`basis ${index}`, () => ({ data: basis, shape: [joined.shape[1], view.coefficients] })),
              ),
            );
      const difference = subtract(tape, coefficients, tape.constant(targets[index]));
      return mean(tape, multiply(tape, difference, difference));
    });
    const total = terms.reduce((sum, term) => add(tape, sum, term));
    return affine(tape, total, images.shape[0]);
  }

  /** (units - mean) / deviation of those that are recorded. */
  function standardised(tape: Tape, index: number, layer: RecordedLayer, all: Value): Value {
    const { units, mean: centre, deviation } = layer;
    const chosen =
      units.length === all.shape[1]
        ? all
        : matMul(
            tape,
            all,
            tape.constant(
              constants.get(`units ${index}`, () => {
                const data = new Float32Array(all.shape[1] * units.length);
                units.forEach((unit, position) => (data[unit * units.length + position] = 1));
                return { data, shape: [all.shape[1], units.length] };
              }),
            ),
          );
    const shape = [units.length];
    const scale = constants.get(`scale ${index}`, () => ({ data: deviation.map((value) => 1 / value), shape }));
    const offset = constants.get(`offset ${index}`, () => ({
      data: centre.map((value, unit) => -value / deviation[unit]),
      shape,
    }));
    return add(tape, multiply(tape, chosen, tape.constant(scale)), tape.constant(offset));
  }

  return {
    async step() {
      const { batch, distance: reached } = await make(batchSize, stream);
      bank.add(batch);
      const drawn = draws.integers(studentSteps, bank.size);
      return { batches: Array.from(drawn, (index) => bank.at(index)), losses: { reconstruction: reached } };
    },
    async sample(random) {
      const { batch, distance: reached } = await make(batchSize, random);
      backend.dispose(reached);
      return batch;
    },
    async state() {
      const counters = { metadata: stream.state().counter, replay: draws.state().counter };
      return { counters, tensors: new Map(), parts: bank.parts() };
    },
    async restore({ counters, parts }) {
      stream.restore({ counter: counters.metadata });
      draws.restore({ counter: counters.replay });
      await bank.restore(parts);
    },
    dispose() {
      bank.dispose();
      constants.dispose();
    },
  };
}

/** Coefficients drawn from the class distributions; image n is of class n modulo `classes`. */
function drawTargets(
  { coefficients, mean: means, spread }: RecordedView,
  count: number,
  classes: number,
  random: RandomStream,
): Float32Array {
  const normal = random.normal(count * coefficients);
  const targets = new Float32Array(count * coefficients);
  for (let image = 0; image < count; image++) {
    const label = image % classes;
    for (let row = 0; row < coefficients; row++) {
      let value = means[label * coefficients + row];
      if (spread.kind === 'deviation') {
        value += spread.data[label * coefficients + row] * normal[image * coefficients + row];
      } else {
        const factor = (label * coefficients + row) * coefficients;
        for (let column = 0; column <= row; column++)
          value += spread.data[factor + column] * normal[image * coefficients + column];
      }
      targets[image * coefficients + row] = value;
    }
  }
  return targets;
}

/** Tensors that every iteration reads, made when they are first asked for. */
class Constants {
  readonly #backend: MethodContext['backend'];
  readonly #tensors = new Map<string, Tensor>();

  constructor(backend: MethodContext['backend']) {
    this.#backend = backend;
  }

  get(name: string, make: () => { readonly data: Float32Array; readonly shape: readonly number[] }): Tensor {
    const known = this.#tensors.get(name);
    if (known !== undefined) return known;
    const { data, shape } = make();
    const tensor = this.#backend.tensor(data, shape);
    this.#tensors.set(name, tensor);
    return tensor;
  }

  dispose(): void {
    for (const tensor of this.#tensors.values()) this.#backend.dispose(tensor);
    this.#tensors.clear();
  }
}

/**
 * A method and two losses from scratch, as plug-ins for `distill`: images begin as noise and are themselves trained, a few
 * updates each, until the teacher is sure of them and they fit its batch norms, if it has any; nothing else is known of a
 * picture but that neighbours resemble each other. Run: node examples/own-method.ts [STEPS]
 */
import { createWasmBackend } from '@dafl/backend-wasm';
import {
  batchNormStatisticsLoss,
  createAdam,
  DaflError,
  distill,
  type Method,
  type MethodContext,
  type MethodSession,
  presets,
  type RandomStream,
  type SampledImages,
  shrink,
  type Tensor,
} from '@dafl/core';
import {
  abs,
  add,
  affine,
  logSoftmax,
  mean,
  multiply,
  slice,
  softmax,
  subtract,
  sum,
  type Tape,
  type Value,
  Variable,
  withTape,
} from '@dafl/core/autodiff';
import { builtInTeacher } from '@dafl/models';

/**
 * Entropy of the teacher's answer, for each image: 0 where it is sure. Gradients come with the operations.
 *
 * @param logits Shape `[batch, classes]`.
 * @returns Shape `[batch]`, nats.
 */
export function doubt(tape: Tape, logits: Value): Value {
  return affine(tape, sum(tape, multiply(tape, softmax(tape, logits), logSoftmax(tape, logits)), [1]), -1);
}

/**
 * How much neighbouring values differ.
 *
 * @param images Shape `[batch, height, width, channels]`, at least 2x2.
 * @returns A scalar, >= 0.
 */
export function roughness(tape: Tape, images: Value): Value {
  const [batch, height, width, channels] = images.shape;
  const part = (top: number, left: number, rows: number, columns: number): Value =>
    slice(tape, images, [0, top, left, 0], [batch, rows, columns, channels]);
  const down = subtract(tape, part(1, 0, height - 1, width), part(0, 0, height - 1, width));
  const across = subtract(tape, part(0, 1, height, width - 1), part(0, 0, height, width - 1));
  return add(tape, mean(tape, abs(tape, down)), mean(tape, abs(tape, across)));
}

/** Options of `dreams`. */
export interface DreamsOptions {
  /** Images of one step, >= 1. */
  readonly batchSize: number;
  /** Updates that each batch of images is given, >= 1. */
  readonly updates: number;
  /** Of the images, > 0. */
  readonly learningRate: number;
  /** >= 0. */
  readonly roughnessWeight: number;
}

/**
 * Images that are trained themselves, without a generator.
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function dreams(options: DreamsOptions): Method {
  for (const name of ['batchSize', 'updates'] as const) {
    if (Number.isInteger(options[name]) && options[name] >= 1) continue;
    throw new DaflError(
      'USAGE',
      `Cannot use method 'dreams' as '${name}' must be an integer >= 1: current value is ${options[name]}`,
    );
  }
  return { name: 'dreams', options: { ...options }, start: (context) => startDreams(options, context) };
}

function startDreams(options: DreamsOptions, { backend, teacher, createRandom }: MethodContext): MethodSession {
  const { batchSize, updates, learningRate, roughnessWeight } = options;
  const shape = [batchSize, ...teacher.graph.inputShape];
  const size = shape.reduce((product, length) => product * length, 1);
  const stream = createRandom('dreams');

  /** One update of the images. The caller disposes the losses. */
  function update(images: Variable, apply: (gradients: Tensor[]) => void): Record<string, Tensor> {
    return withTape(backend, (tape) => {
      const leaf = tape.leaf(images.tensor);
      const strange: Value[] = [];
      const { logits } = teacher.forward(tape, leaf, {
        mode: 'inference',
        observe: ({ kind, name }, [input]) => {
          if (kind !== 'batchNorm') return;
          const kept = (statistic: string): Tensor => teacher.variables.get(`${name}.${statistic}`)!.tensor;
          const [runningMean, runningVariance] = [kept('runningMean'), kept('runningVariance')];
          strange.push(batchNormStatisticsLoss(tape, { input, runningMean, runningVariance }));
        },
      });
      const losses: Record<string, Value> = { doubt: mean(tape, doubt(tape, logits)), rough: roughness(tape, leaf) };
      if (strange.length > 0) losses['strange'] = strange.reduce((total, one) => add(tape, total, one));
      const total = Object.entries(losses)
        .map(([name, loss]) => affine(tape, loss, name === 'rough' ? roughnessWeight : 1))
        .reduce((left, right) => add(tape, left, right));
      apply(tape.gradients(total, [leaf]));
      return Object.fromEntries(
        Object.entries(losses).map(([name, { tensor }]) => [name, backend.reshape(tensor, tensor.shape)]),
      );
    });
  }

  function dream(random: RandomStream): { batch: SampledImages; losses: Record<string, Tensor> } {
    const images = new Variable(backend, 'images', backend.tensor(random.normal(size), shape), true);
    const optimizer = createAdam(backend, [images]);
    let losses: Record<string, Tensor> = {};
    for (let count = 0; count < updates; count++) {
      for (const tensor of Object.values(losses)) backend.dispose(tensor);
      losses = update(images, (gradients) => optimizer.apply(gradients, learningRate));
    }
    optimizer.dispose();
    const batch = withTape(backend, (tape) => {
      const { logits } = teacher.forward(tape, tape.constant(images.tensor), { mode: 'inference' });
      return { images: images.tensor, teacherLogits: backend.reshape(logits.tensor, logits.shape) };
    });
    return { batch, losses };
  }

  // The student's update comes after `step`, so that a batch lives until the next.
  let last: SampledImages | undefined;
  const free = (): void => {
    for (const tensor of last === undefined ? [] : [last.images, last.teacherLogits]) backend.dispose(tensor);
    last = undefined;
  };
  return {
    step() {
      free();
      const { batch, losses } = dream(stream);
      last = batch;
      return { batches: [batch], losses };
    },
    sample(random) {
      const { batch, losses } = dream(random);
      for (const tensor of Object.values(losses)) backend.dispose(tensor);
      return batch;
    },
    // All that a resumed run needs to go on with the same bytes.
    async state() {
      return { counters: { dreams: stream.state().counter }, tensors: new Map(), parts: [] };
    },
    async restore({ counters }) {
      stream.restore({ counter: counters['dreams'] });
    },
    dispose: free,
  };
}

if (import.meta.main) {
  const backend = await createWasmBackend();
  const teacher = await builtInTeacher('lenet5-mnist');
  const run = distill({
    backend,
    teacher,
    student: shrink(teacher.graph, 0.5),
    method: dreams({ batchSize: 64, updates: 10, learningRate: 0.1, roughnessWeight: 0.5 }),
    training: presets.fast.training,
    steps: Number(process.argv[2] ?? 100),
    seed: 0,
  });
  for await (const event of run) {
    if (event.event === 'step') {
      const terms = Object.entries(event.losses).map(([name, loss]) => `${name} ${loss.toFixed(4)}`);
      console.log(`step ${event.step}: ${terms.join(', ')}`);
    }
    if (event.event === 'result') console.log(`agrees with its teacher on ${event.agreement} of its images`);
  }
  await backend.close();
}

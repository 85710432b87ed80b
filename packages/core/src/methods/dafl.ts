import type { Tensor } from '../backend.ts';
import { add, affine } from '../autodiff/operations/element-wise.ts';
import { mean } from '../autodiff/operations/reduction.ts';
import type { Tape, Value } from '../autodiff/tape.ts';
import { withTape } from '../autodiff/with-tape.ts';
import { tensorsUnder } from '../checkpoint.ts';
import { check } from '../check.ts';
import { type GeneratorOptions, generatorGraph } from '../generator.ts';
import { activationLoss } from '../losses/activation.ts';
import { batchNormStatisticsLoss } from '../losses/batch-norm-statistics.ts';
import { distillationLoss } from '../losses/distillation.ts';
import { informationEntropyLoss } from '../losses/information-entropy.ts';
import { oneHotLoss } from '../losses/one-hot.ts';
import { describeClassifier } from '../model/classifier.ts';
import { initializeWeights } from '../model/initialize-weights.ts';
import { createNetwork } from '../model/network.ts';
import type { HostTensor } from '../model/model.ts';
import { createOptimizer } from '../optimizers/create-optimizer.ts';
import type { OptimizerOptions } from '../optimizers/optimizer.ts';
import { learningRateAt, type Schedule } from '../optimizers/schedule.ts';
import type { Method, MethodContext, MethodSession, MethodStep, AnsweredBatch } from './method.ts';
import { PixelReplayBank } from './pixel-replay-bank.ts';
import type { ReplayBank } from './replay-bank.ts';
import { TensorReplayBank } from './tensor-replay-bank.ts';

/** How the student meets the generator's images again. */
export interface ReplayOptions {
  /** Batches kept, the newest ones; >= 1, and fewer where they would take more than 512 MiB. Pixels are kept as bytes. */
  readonly batches: number;
  /** Student updates for each generator update, each on a batch drawn from the bank; >= 1. */
  readonly studentSteps: number;
}

/** Everything that defines a DAFL run but the student's own training. */
export interface DaflOptions {
  /** Images of one generator step; >= 2. Official code: 512 for MNIST, 1024 for CIFAR. */
  readonly batchSize: number;
  readonly generator: Pick<GeneratorOptions, 'latentSize' | 'widths' | 'batchNormEpsilon' | 'output'>;
  readonly generatorOptimizer: OptimizerOptions;
  readonly generatorSchedule: Schedule;
  /** Weight of the one-hot loss (α₀ of the official code's `oh`), >= 0. */
  readonly oneHotWeight: number;
  /** Weight of the information-entropy loss (`ie`), >= 0. */
  readonly informationEntropyWeight: number;
  /** Weight of the activation loss (`a`), >= 0. */
  readonly activationWeight: number;
  /**
   * Weight of the distance to the statistics that the teacher's batch normalisations keep, >= 0. 0 in the paper; without
   * effect on a teacher that has none.
   */
  readonly batchNormStatisticsWeight: number;
  /** Weight of -KL(teacher, student), which sends the generator where the student errs; >= 0. 0 in the paper. */
  readonly adversarialWeight: number;
  /** Temperature of that term, > 0. */
  readonly adversarialTemperature: number;
  /**
   * `'alternating'`: the student learns from the batch that the generator was trained on, made before its update, as
   * in the official code. `'two-stage'`: it learns from a fresh batch, made after the update, as in the paper's
   * Algorithm 1.
   */
  readonly schedule: 'alternating' | 'two-stage';
  /** Null: one student update a step, on the step's own batch, as in the paper. */
  readonly replay: ReplayOptions | null;
}

function assertOptions(options: DaflOptions): void {
  const assertOption = (holds: boolean, name: string, rule: string, value: unknown): void => {
    check(holds, { cannot: "use method 'dafl'", as: `'${name}' must ${rule}`, value });
  };
  assertOption(
    Number.isInteger(options.batchSize) && options.batchSize >= 2,
    'batchSize',
    'be an integer >= 2',
    options.batchSize,
  );
  const weights = [
    'oneHotWeight',
    'informationEntropyWeight',
    'activationWeight',
    'batchNormStatisticsWeight',
    'adversarialWeight',
  ] as const;
  for (const name of weights) {
    assertOption(Number.isFinite(options[name]) && options[name] >= 0, name, 'be >= 0', options[name]);
  }
  assertOption(options.adversarialTemperature > 0, 'adversarialTemperature', 'be > 0', options.adversarialTemperature);
  learningRateAt(options.generatorSchedule, 0, 1);
  const { replay } = options;
  if (replay !== null) {
    assertOption(
      Number.isInteger(replay.batches) && replay.batches >= 1,
      'replay.batches',
      'be an integer >= 1',
      replay.batches,
    );
    assertOption(
      Number.isInteger(replay.studentSteps) && replay.studentSteps >= 1,
      'replay.studentSteps',
      'be an integer >= 1',
      replay.studentSteps,
    );
  }
}

/**
 * Data-free learning: a generator learns images that the frozen teacher is sure of (one-hot), that cover all classes
 * (information entropy) and that excite its features (activation); the student learns from the teacher on them.
 *
 * Source: Chen et al., "Data-Free Learning of Student Networks", ICCV 2019, Algorithm 1, and its official code.
 * Deviations: none in the `paper` preset; `replay` and `adversarialWeight` go beyond the paper.
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function dafl(options: DaflOptions): Method {
  assertOptions(options);
  return {
    name: 'dafl',
    options: { ...options },
    collapseAdvice: {
      alikeImages: "Lower the generator's learning rate or raise the information-entropy weight",
      missingClasses: 'Raise the information-entropy weight or the batch size',
    },
    start: (context) => startDafl(options, context),
  };
}

function startDafl(options: DaflOptions, context: MethodContext): MethodSession {
  const { backend, teacher, student, steps, positionAt = (step) => step, createRandom } = context;
  const classifier = describeClassifier(teacher.graph);
  const { inputShape, preprocessing, classes } = classifier;
  const [height, width, channels] = inputShape;
  const graph = generatorGraph({ ...options.generator, imageSize: [height, width], channels, preprocessing });
  const generator = createNetwork(backend, initializeWeights(graph, createRandom('generator weights')));
  const optimizer = createOptimizer(backend, generator.trainableVariables, options.generatorOptimizer);
  const latents = createRandom('latent');
  const draws = createRandom('replay');
  const bank = createBank();

  function createBank(): ReplayBank {
    const { batchSize, replay } = options;
    const capacity = Math.min(replay?.batches ?? 1, steps);
    const { kind } = options.generator.output;
    // What is met once is met as it was made.
    if (replay !== null && (kind === 'pixels' || kind === 'sigmoid'))
      return new PixelReplayBank(backend, { capacity, batchSize, classifier });
    const shapes = { images: [batchSize, height, width, channels], teacherLogits: [batchSize, classes] };
    return new TensorReplayBank(backend, capacity, shapes);
  }

  function generate(tape: Tape, count: number, random = latents, trainable = false): Value {
    const { latentSize } = options.generator;
    const latent = tape.own(backend.tensor(random.normal(count * latentSize), [count, latentSize]));
    return generator.forward(tape, latent, { mode: 'training', trainable }).images;
  }

  /** Another handle on a value's tensor, which outlives the tape, but not its failure. */
  function keep(tape: Tape, value: Value): Tensor {
    return tape.backend.reshape(value.tensor, value.shape);
  }

  /** Images without gradient and what the teacher says of them. */
  function generateBatch(count: number, random = latents): AnsweredBatch {
    return withTape(backend, (tape) => {
      const images = generate(tape, count, random);
      const { logits } = teacher.forward(tape, images, { mode: 'inference' });
      return { images: keep(tape, images), teacherLogits: keep(tape, logits) };
    });
  }

  /** One update of the generator; gives the batch that it was taken on. */
  function trainGenerator(step: number): { batch: AnsweredBatch; losses: Record<string, Tensor> } {
    return withTape(backend, (tape) => {
      const images = generate(tape, options.batchSize, latents, true);
      const distances: Value[] = [];
      const { logits, features } = teacher.forward(tape, images, {
        mode: 'inference',
        observe: (node, [input]) => {
          if (node.kind !== 'batchNorm' || options.batchNormStatisticsWeight === 0) return;
          const kept = (name: string): Tensor => teacher.variables.get(`${node.name}.${name}`)!.tensor;
          const [runningMean, runningVariance] = [kept('runningMean'), kept('runningVariance')];
          distances.push(batchNormStatisticsLoss(tape, { input, runningMean, runningVariance }));
        },
      });
      const terms: Record<string, { weight: number; loss: Value }> = {
        oneHot: { weight: options.oneHotWeight, loss: mean(tape, oneHotLoss(tape, logits)) },
        informationEntropy: { weight: options.informationEntropyWeight, loss: informationEntropyLoss(tape, logits) },
        activation: { weight: options.activationWeight, loss: mean(tape, activationLoss(tape, features)) },
      };
      if (distances.length > 0) {
        const total = distances.reduce((sum, distance) => add(tape, sum, distance));
        const loss = affine(tape, total, 1 / distances.length);
        terms.batchNormStatistics = { weight: options.batchNormStatisticsWeight, loss };
      }
      if (options.adversarialWeight > 0) {
        const { logits: studentLogits } = student.forward(tape, images, { mode: 'inference' });
        const divergence = mean(
          tape,
          distillationLoss(tape, studentLogits, logits, { temperature: options.adversarialTemperature }),
        );
        terms.adversarial = { weight: options.adversarialWeight, loss: affine(tape, divergence, -1) };
      }
      const total = Object.values(terms)
        .filter(({ weight }) => weight > 0)
        .map(({ weight, loss }) => affine(tape, loss, weight))
        .reduce<Value | null>((sum, term) => (sum === null ? term : add(tape, sum, term)), null);

      const batch = { images: keep(tape, images), teacherLogits: keep(tape, logits) };
      const losses = Object.fromEntries(Object.entries(terms).map(([name, { loss }]) => [name, keep(tape, loss)]));
      if (total !== null) {
        const leaves = generator.trainableVariables.map((variable) => tape.leaf(variable.tensor));
        const gradients = tape.gradients(total, leaves);
        optimizer.apply(gradients, learningRateAt(options.generatorSchedule, positionAt(step), steps));
      }
      return { batch, losses };
    });
  }

  return {
    async step(step): Promise<MethodStep> {
      bank.release();
      const { batch, losses } = trainGenerator(step);
      if (options.schedule === 'two-stage') {
        backend.dispose(batch.images);
        backend.dispose(batch.teacherLogits);
        await bank.add(generateBatch(options.batchSize));
      } else {
        await bank.add(batch);
      }
      if (options.replay === null) return { batches: [bank.at(bank.size - 1)], losses };
      const drawn = draws.integers(options.replay.studentSteps, bank.size);
      return { batches: Array.from(drawn, (index) => bank.at(index)), losses };
    },
    sample: (random) => generateBatch(options.batchSize, random),
    async state() {
      const tensors = new Map<string, HostTensor>();
      for (const [name, weight] of (await generator.toModel()).weights) tensors.set(`generator/${name}`, weight);
      const moments = await optimizer.state();
      for (const [name, moment] of moments.tensors) tensors.set(`optimizer/${name}`, moment);
      const counters = { optimizer: moments.step, latent: latents.state().counter, replay: draws.state().counter };
      return { counters, tensors, parts: bank.parts() };
    },
    async restore(state) {
      generator.load(tensorsUnder(state.tensors, 'generator/'));
      optimizer.restore({ step: state.counters.optimizer, tensors: tensorsUnder(state.tensors, 'optimizer/') });
      latents.restore({ counter: state.counters.latent });
      draws.restore({ counter: state.counters.replay });
      await bank.restore(state.parts);
    },
    dispose() {
      bank.dispose();
      optimizer.dispose();
      generator.dispose();
    },
  };
}

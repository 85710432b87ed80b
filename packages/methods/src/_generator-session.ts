import {
  type AnsweredBatch,
  type Classifier,
  createNetwork,
  createOptimizer,
  describeClassifier,
  type GeneratorOptions,
  generatorGraph,
  type HostTensor,
  initializeWeights,
  learningRateAt,
  type MethodContext,
  type MethodSession,
  type ModelNode,
  type OptimizerOptions,
  type RandomStream,
  type Schedule,
  type StudentLoss,
  type Tensor,
  tensorsUnder,
} from '@dafl/core';
import { add, affine, type Tape, type Value, withTape } from '@dafl/core/autodiff';

/** A generator that goes on learning, and a student that learns from what it makes. */
export interface GeneratorMethodOptions {
  /** Images of one update, >= 2. */
  readonly batchSize: number;
  readonly generator: Pick<GeneratorOptions, 'latentSize' | 'widths'>;
  readonly generatorSchedule: Schedule;
  /** Updates of the student for each of the generator, >= 1. */
  readonly studentSteps: number;
}

/** What the networks say of a batch of generated images. */
export interface GeneratedImages {
  readonly teacherLogits: Value;
  readonly studentLogits: Value;
}

/** What tells one such method from another. */
export interface GeneratorRecipe {
  readonly output: GeneratorOptions['output'];
  readonly optimizer: OptimizerOptions;
  /** Terms of the generator's loss by name, with their weights. */
  readonly terms: (
    tape: Tape,
    images: GeneratedImages,
  ) => Readonly<Record<string, readonly [weight: number, loss: Value]>>;
  /** Told of each node of the teacher, before `terms` is asked. */
  readonly observe?: (tape: Tape, node: ModelNode, inputs: readonly Value[]) => void;
  readonly studentLoss: StudentLoss;
  /**
   * `'same'`: all updates of the student are on the batch that the generator was trained on, made before its update;
   * `'fresh'`: each is on a new one.
   */
  readonly batches: 'same' | 'fresh';
  /** Whether the student's updates come before the generator's. */
  readonly studentFirst?: boolean;
  /** Longest gradient of the generator; longer ones are shortened to it. */
  readonly longestGradient?: number;
}

const BATCH_NORM_EPSILON = 1e-5;

/** A session of a method whose generator is trained against the student and makes each batch anew. */
export function startGeneratorSession(
  recipe: GeneratorRecipe,
  options: GeneratorMethodOptions,
  { backend, teacher, student, steps, positionAt = (step) => step, createRandom }: MethodContext,
): MethodSession {
  const { batchSize, studentSteps } = options;
  const classifier: Classifier = describeClassifier(teacher.graph);
  const [height, width, channels] = classifier.inputShape;
  const graph = generatorGraph({
    ...options.generator,
    batchNormEpsilon: BATCH_NORM_EPSILON,
    output: recipe.output,
    imageSize: [height, width],
    channels,
    preprocessing: classifier.preprocessing,
  });
  const generator = createNetwork(backend, initializeWeights(graph, createRandom('generator weights')));
  const optimizer = createOptimizer(backend, generator.trainableVariables, recipe.optimizer);
  const latents = createRandom('latent');
  let taken: AnsweredBatch[] = [];

  function generate(tape: Tape, random: RandomStream, trainable: boolean): Value {
    const { latentSize } = options.generator;
    const latent = tape.own(backend.tensor(random.normal(batchSize * latentSize), [batchSize, latentSize]));
    return generator.forward(tape, latent, { mode: 'training', trainable }).images;
  }

  function keep(tape: Tape, { tensor, shape }: Value): Tensor {
    return tape.backend.reshape(tensor, shape);
  }

  function freshBatch(random: RandomStream): AnsweredBatch {
    return withTape(backend, (tape) => {
      const images = generate(tape, random, false);
      const { logits } = teacher.forward(tape, images, { mode: 'inference' });
      return { images: keep(tape, images), teacherLogits: keep(tape, logits) };
    });
  }

  /** One update; gives the batch that it was taken on. */
  function trainGenerator(step: number): { batch: AnsweredBatch; losses: Record<string, Tensor> } {
    return withTape(backend, (tape) => {
      const images = generate(tape, latents, true);
      const { logits: teacherLogits } = teacher.forward(tape, images, {
        mode: 'inference',
        observe: (node, inputs) => recipe.observe?.(tape, node, inputs),
      });
      const { logits: studentLogits } = student.forward(tape, images, { mode: 'inference' });
      const terms = Object.entries(recipe.terms(tape, { teacherLogits, studentLogits }));
      const total = terms
        .map(([, [weight, loss]]) => affine(tape, loss, weight))
        .reduce((sum, term) => add(tape, sum, term));
      const batch = { images: keep(tape, images), teacherLogits: keep(tape, teacherLogits) };
      const losses = Object.fromEntries(terms.map(([name, [, loss]]) => [name, keep(tape, loss)]));
      const leaves = generator.trainableVariables.map(({ tensor }) => tape.leaf(tensor));
      const gradients = shorten(tape, tape.gradients(total, leaves), recipe.longestGradient);
      optimizer.apply(gradients, learningRateAt(options.generatorSchedule, positionAt(step), steps));
      return { batch, losses };
    });
  }

  function dispose({ images, teacherLogits }: AnsweredBatch): void {
    for (const tensor of [images, teacherLogits]) backend.dispose(tensor);
  }

  function free(): void {
    for (const batch of taken.splice(0)) dispose(batch);
  }

  return {
    step(step) {
      free();
      // Where the student comes first, the update of the generator that follows it opens the next step.
      const trained = recipe.studentFirst === true && step === 0 ? undefined : trainGenerator(step);
      const losses = trained?.losses ?? {};
      const { studentLoss: loss } = recipe;
      if (recipe.batches === 'same') {
        taken = [trained!.batch];
        return { batches: Array.from({ length: studentSteps }, () => ({ ...trained!.batch, loss })), losses };
      }
      if (trained !== undefined) dispose(trained.batch);
      taken = Array.from({ length: studentSteps }, () => freshBatch(latents));
      return { batches: taken.map((batch) => ({ ...batch, loss })), losses };
    },
    sample: (random) => freshBatch(random),
    async state() {
      const tensors = new Map<string, HostTensor>();
      for (const [name, weight] of (await generator.toModel()).weights) tensors.set(`generator/${name}`, weight);
      const moments = await optimizer.state();
      for (const [name, moment] of moments.tensors) tensors.set(`optimizer/${name}`, moment);
      return { counters: { optimizer: moments.step, latent: latents.state().counter }, tensors, parts: [] };
    },
    async restore({ counters, tensors }) {
      generator.load(tensorsUnder(tensors, 'generator/'));
      optimizer.restore({ step: counters.optimizer, tensors: tensorsUnder(tensors, 'optimizer/') });
      latents.restore({ counter: counters.latent });
    },
    dispose() {
      free();
      optimizer.dispose();
      generator.dispose();
    },
  };
}

/** Scales gradients so that all together are no longer than that. Takes ownership of them. */
function shorten({ backend }: Tape, gradients: readonly Tensor[], longest: number | undefined): readonly Tensor[] {
  if (longest === undefined) return gradients;
  const made: Tensor[] = [];
  const make = (tensor: Tensor): Tensor => {
    made.push(tensor);
    return tensor;
  };
  const sums = gradients.map((gradient) =>
    make(
      backend.reduce(
        'sum',
        make(backend.unary('square', gradient)),
        gradient.shape.map((_, axis) => axis),
        false,
      ),
    ),
  );
  const length = make(
    backend.unary(
      'sqrt',
      sums.reduce((total, sum) => make(backend.binary('add', total, sum))),
    ),
  );
  const limit = make(backend.fill([], longest));
  // longest / max(length, longest): 1 where they are short enough.
  const factor = make(backend.binary('divide', limit, make(backend.binary('maximum', length, limit))));
  const shortened = gradients.map((gradient) => backend.binary('multiply', gradient, factor));
  for (const tensor of [...made, ...gradients]) backend.dispose(tensor);
  return shortened;
}

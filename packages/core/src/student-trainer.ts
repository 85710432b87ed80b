import type { Tensor, TensorBackend } from './backend.ts';
import { add, affine, divide, multiply, square, subtract } from './autodiff/operations/element-wise.ts';
import { reshape, slice } from './autodiff/operations/layout.ts';
import { matMul } from './autodiff/operations/mat-mul.ts';
import { meanSquaredDistance } from './autodiff/operations/mean-squared-distance.ts';
import { mean } from './autodiff/operations/reduction.ts';
import type { Tape, Value } from './autodiff/tape.ts';
import { withTape } from './autodiff/with-tape.ts';
import type { StudentTraining } from './distill.ts';
import { attentionLoss, attentionMap, pairStages } from './losses/attention.ts';
import { type StudentLoss, studentLoss } from './losses/student-loss.ts';
import type { StudentBatch } from './methods/method.ts';
import type { Hint } from './model/choose-hints.ts';
import type { Network } from './model/network.ts';
import type { Optimizer } from './optimizers/optimizer.ts';
import type { RandomStream } from './random.ts';
import { sizeOf } from './shape.ts';

/** What a student is trained with. */
export interface StudentTrainerOptions {
  readonly teacher: Network;
  readonly student: Network;
  readonly optimizer: Optimizer;
  readonly training: StudentTraining;
  /** Layers whose channels the student inherited, where the training weighs hints; else none. */
  readonly hints: readonly Hint[];
  /** Of the dropout masks. */
  readonly dropout: RandomStream;
}

/** Keeps the relative error of a layer finite where the teacher is silent. */
const LEAST_VARIANCE = 1e-12;

/** Share of a batch that hints are compared on: each pixel of each map is a comparison, and takes memory. */
const HINT_SHARE = 0.5;

/** What the student is compared with: values on a tape, or tensors that outlive it. */
interface TeacherAnswer<Kind> {
  readonly logits: Kind;
  /** The teacher's values at the hints, as rows of the student's channels, by node. */
  readonly hints: ReadonlyMap<string, Kind>;
  /** 1 / (their variance), scalars, by node. */
  readonly hintScales: ReadonlyMap<string, Kind>;
  /** The teacher's attention maps, by the student's node. */
  readonly attention: ReadonlyMap<string, Kind>;
}

/** Updates a student, batch by batch. */
export class StudentTrainer {
  readonly #options: StudentTrainerOptions;
  readonly #backend: TensorBackend;
  /** For each hint a matrix of zeros and ones that picks the student's channels out of the teacher's; null picks all. */
  readonly #selections = new Map<string, Tensor | null>();
  /** Where both networks' maps have the same size last: the student's node, by the teacher's. */
  readonly #stages: ReadonlyMap<string, string>;
  /** Of batches that come again. */
  readonly #answers = new Map<StudentBatch, TeacherAnswer<Tensor>>();

  constructor(options: StudentTrainerOptions) {
    this.#options = options;
    this.#backend = options.student.backend;
    const stages = options.teacher.answer === undefined ? pairStages(options.teacher.graph, options.student.graph) : [];
    this.#stages = new Map(stages.map(({ teacher, student }) => [teacher, student]));
    for (const { node, channels, width } of options.hints) {
      const selection = new Float32Array(width * channels.length);
      channels.forEach((channel, position) => (selection[channel * channels.length + position] = 1));
      const shape = [width, channels.length];
      this.#selections.set(node, channels.length === width ? null : this.#backend.tensor(selection, shape));
    }
  }

  /**
   * One update; gives the distillation loss, mean over the batch and without hints, which the caller disposes.
   *
   * @param progress Share of the run that is done, 0..1: hints fade to nothing over it, so that in the end the student
   * goes after the logits alone.
   * @param returns Whether the same batch comes again: then the teacher's answer is kept for it.
   */
  update(batch: StudentBatch, learningRate: number, progress: number, returns = false): Tensor {
    const { student, optimizer, training, dropout } = this.#options;
    const { hintWeight = 0 } = training;
    const fade = 0.5 * (1 + Math.cos(Math.PI * progress));
    const lossOptions = batch.loss ?? training.loss ?? { kind: 'divergence' };
    const { attentionWeight = 0 } = lossOptions;
    let kept: TeacherAnswer<Tensor> | undefined;
    const loss = withTape(this.#backend, (tape) => {
      const images = tape.constant(batch.images);
      const known = this.#answers.get(batch);
      const answer =
        known === undefined
          ? this.#answer(tape, batch, images, lossOptions)
          : mapAnswer(known, (tensor) => tape.constant(tensor));
      // Handles of its own: the tape frees its values.
      if (known === undefined && returns)
        kept = mapAnswer(answer, ({ tensor }) => tape.backend.reshape(tensor, tensor.shape));
      const { logits: teacherLogits, hints, hintScales, attention } = answer;
      const mode = training.batchNormStatistics === 'fixed' ? 'inference' : 'training';
      const distances: Value[] = [];
      const attentionDistances: Value[] = [];
      const { logits } = student.forward(tape, images, {
        mode,
        trainable: true,
        random: dropout,
        observe: ({ name }, _inputs, output) => {
          const hint = hints.get(name);
          if (hint !== undefined) {
            const distance = meanSquaredDistance(tape, asRows(tape, firstExamples(tape, output)), hint);
            distances.push(multiply(tape, distance, hintScales.get(name)!));
          }
          const map = attention.get(name);
          if (map !== undefined) attentionDistances.push(attentionLoss(tape, attentionMap(tape, output), map));
        },
      });
      const { labels } = batch;
      let loss = studentLoss(tape, logits, lossOptions, { teacherLogits, labels, temperature: training.temperature });
      const distillation = tape.backend.reshape(loss.tensor, []);
      if (distances.length > 0) {
        const total = distances.reduce((sum, distance) => add(tape, sum, distance));
        const weighed = affine(tape, total, (hintWeight * fade) / distances.length);
        // A loss that stays large, as that of a teacher which is hard to follow does, must not drown them.
        const measure = affine(tape, tape.constant(distillation), 1, 1);
        loss = add(tape, loss, multiply(tape, weighed, measure));
      }
      for (const distance of attentionDistances) loss = add(tape, loss, affine(tape, distance, attentionWeight));
      const leaves = student.trainableVariables.map((variable) => tape.leaf(variable.tensor));
      optimizer.apply(tape.gradients(loss, leaves), learningRate);
      return distillation;
    });
    if (kept !== undefined) this.#answers.set(batch, kept);
    if (!returns) this.#forget(batch);
    return loss;
  }

  dispose(): void {
    for (const batch of this.#answers.keys()) this.#forget(batch);
    for (const selection of this.#selections.values()) if (selection !== null) this.#backend.dispose(selection);
    this.#selections.clear();
  }

  #forget(batch: StudentBatch): void {
    const answer = this.#answers.get(batch);
    if (answer === undefined) return;
    mapAnswer(answer, (tensor) => this.#backend.dispose(tensor));
    this.#answers.delete(batch);
  }

  #answer(tape: Tape, batch: StudentBatch, images: Value, { attentionWeight = 0 }: StudentLoss): TeacherAnswer<Value> {
    const hints = new Map<string, Value>();
    const hintScales = new Map<string, Value>();
    const attention = new Map<string, Value>();
    if (batch.teacherLogits !== undefined && this.#selections.size === 0 && attentionWeight === 0)
      return { logits: tape.constant(batch.teacherLogits), hints, hintScales, attention };
    const { logits } = this.#options.teacher.forward(tape, images, {
      mode: 'inference',
      observe: ({ name }, _inputs, output) => {
        const stage = attentionWeight > 0 ? this.#stages.get(name) : undefined;
        if (stage !== undefined) attention.set(stage, attentionMap(tape, output));
        const selection = this.#selections.get(name);
        if (selection === undefined) return;
        const rows = asRows(tape, firstExamples(tape, output));
        const hint = selection === null ? rows : matMul(tape, rows, tape.constant(selection));
        hints.set(name, hint);
        hintScales.set(name, overVariance(tape, hint));
      },
    });
    return { logits, hints, hintScales, attention };
  }
}

function mapAnswer<From, To>(
  { logits, hints, hintScales, attention }: TeacherAnswer<From>,
  map: (part: From) => To,
): TeacherAnswer<To> {
  const mapAll = (parts: ReadonlyMap<string, From>): Map<string, To> =>
    new Map([...parts].map(([name, part]) => [name, map(part)]));
  return { logits: map(logits), hints: mapAll(hints), hintScales: mapAll(hintScales), attention: mapAll(attention) };
}

/** The examples of a batch that hints are compared on. */
function firstExamples(tape: Tape, value: Value): Value {
  const [batch, ...shape] = value.shape;
  const count = Math.ceil(HINT_SHARE * batch);
  if (count === batch) return value;
  const begin = value.shape.map(() => 0);
  return slice(tape, value, begin, [count, ...shape]);
}

/** Every position and example a row: `[..., channels]` to `[rows, channels]`. */
function asRows(tape: Tape, value: Value): Value {
  const channels = value.shape[value.shape.length - 1];
  const size = sizeOf(value.shape);
  return reshape(tape, value, [size / channels, channels]);
}

/** 1 / variance of all values, a scalar: brings distances from them to a scale that all layers share. */
function overVariance(tape: Tape, values: Value): Value {
  const variance = subtract(tape, mean(tape, square(tape, values)), square(tape, mean(tape, values)));
  return divide(tape, tape.own(tape.backend.fill([], 1)), affine(tape, variance, 1, LEAST_VARIANCE));
}

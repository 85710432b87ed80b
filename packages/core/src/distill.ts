import type { Tensor, TensorBackend } from './backend.ts';
import { type Checkpoint, tensorsUnder } from './checkpoint.ts';
import { detectCollapse } from './detect-collapse.ts';
import type { DistillEvent, NetworkSummary } from './distill-event.ts';
import type { ImageSet } from './data/image-set.ts';
import { drawSamples } from './draw-samples.ts';
import { check, fail } from './check.ts';
import { DaflError } from './errors.ts';
import { evaluate } from './evaluate.ts';
import { pairStages } from './losses/attention.ts';
import { assertStudentLoss, type StudentLoss } from './losses/student-loss.ts';
import type { Method } from './methods/method.ts';
import { type Classifier, describeClassifier } from './model/classifier.ts';
import { addBatchNorms } from './model/add-batch-norms.ts';
import { describeModel } from './model/describe-model.ts';
import { foldBatchNorms } from './model/fold-batch-norms.ts';
import type { Graph, HostTensor, Model } from './model/model.ts';
import { chooseHints, type Hint } from './model/choose-hints.ts';
import { inheritChannels } from './model/inherit-weights.ts';
import { measureLogitScale } from './measure-logit-scale.ts';
import { initializeWeights } from './model/initialize-weights.ts';
import { createNetwork } from './model/network.ts';
import { scaleLogits } from './model/scale-logits.ts';
import { pictureRules } from './procedural/picture-rules.ts';
import { createOptimizer } from './optimizers/create-optimizer.ts';
import type { OptimizerOptions } from './optimizers/optimizer.ts';
import { createWhitened } from './optimizers/whitened.ts';
import { learningRateAt, type Schedule } from './optimizers/schedule.ts';
import { Pace, type PaceChange } from './pace.ts';
import { takeLogits } from './model/take-logits.ts';
import { pickSamples } from './pick-samples.ts';
import { prepareStudent } from './prepare-student.ts';
import { createRandomStream } from './random.ts';
import { StudentTrainer } from './student-trainer.ts';
import { TensorScope } from './tensor-scope.ts';
import { BestStudent } from './verdict/best-student.ts';
import { Examination } from './verdict/examination.ts';
import { judge, type Verdict } from './verdict/judge.ts';
import { createTurn, type Turn } from './turn.ts';

/** How the student learns from the batches that a method gives. */
export interface StudentTraining {
  readonly optimizer: OptimizerOptions;
  readonly schedule: Schedule;
  /** τ of the distillation loss, > 0. */
  readonly temperature: number;
  /** How the student's answers are compared with the teacher's; absent: by the divergence at that temperature. */
  readonly loss?: StudentLoss;
  /**
   * Where the student's first weights come from: drawn from the seed (`'random'`, as in the paper), the teacher's most
   * telling channels (`'teacher'`, see `inheritWeights`), or those where the student is a narrower form of the teacher
   * and random ones, with a warning that says why, elsewhere (`'auto'`).
   */
  readonly initialization: 'random' | 'teacher' | 'auto';
  /**
   * `'moving'` (default): the student's batch norms follow its batches. `'fixed'`: they keep the statistics that they
   * start with, and nothing drops out; for students that start from the teacher's weights.
   */
  readonly batchNormStatistics?: 'moving' | 'fixed';
  /**
   * `'own'` (default): the teacher's logits are taken as they are. `'usual'`: student and teacher work with logits that
   * are scaled to a usual size, so that temperature and learning rate suit any teacher; the student that comes out has
   * its teacher's scale. @see measureLogitScale
   */
  readonly logitScale?: 'own' | 'usual';
  /**
   * Weight of the hints, >= 0, default 0: how strictly a student that starts from the teacher's channels is held to what
   * the teacher computes in them, layer by layer, beside the distillation loss (times 1 and that loss); fades over the
   * run. @see chooseHints
   */
  readonly hintWeight?: number;
  /**
   * Whether the layers of a student that starts from the teacher's channels are fitted to the teacher's before the first
   * step, on procedural pictures. Default false. @see fitLayers
   */
  readonly fitsLayers?: boolean;
  /**
   * Whether the optimizer works in coordinates in which what the student's layers read is white, as procedural pictures
   * show it before the first step. Default false. @see whitenInputs
   */
  readonly whitensInputs?: boolean;
  /**
   * Whether a student that starts from random weights, and has no norms of its own, learns with batch norms behind its layers,
   * which are folded into them in the end. Default false. @see addBatchNorms
   */
  readonly normalizesLayers?: boolean;
}

/** One distillation. */
export interface DistillOptions {
  readonly backend: TensorBackend;
  readonly teacher: Model;
  /** The student's graph. Its first weights are `studentWeights`, or what `training.initialization` says. */
  readonly student: Graph;
  /** The student's first weights, unless `training.initialization` is `'random'`. */
  readonly studentWeights?: Model['weights'];
  readonly method: Method;
  readonly training: StudentTraining;
  /** Length of the run, >= 1; where `pace` or `replan` change it, the length that all is planned for. */
  readonly steps: number;
  /** How the length was changed in the run that this one repeats, or goes on with. @see Pace */
  readonly pace?: readonly PaceChange[];
  /**
   * Asked after each step: how many steps the run is to have in all, >= those that are done. @param done Steps done.
   * @param end The length as it is.
   */
  readonly replan?: (done: number, end: number) => number;
  /** Integer in 0..2^32-1. Same seed, backend and machine: the same student, bit for bit. */
  readonly seed: number;
  /** Labelled images for reporting only. */
  readonly evaluation?: ImageSet;
  /** Steps between evaluations, of which the first is before the first step; 0 for one at the end only. Default 0. */
  readonly evaluateEvery?: number;
  /** Steps between pictures of the samples; 0 for one at the end only. Default 0. */
  readonly sampleEvery?: number;
  /** Images of each class in those pictures; default 8. */
  readonly samplesPerClass?: number;
  /** Whether the student is judged on pictures that it does not learn from. Default false. */
  readonly judges?: boolean;
  /** Steps between judgements, of which the first is before the first step; 0 for one at the end only. Default 0. */
  readonly judgeEvery?: number;
  /**
   * Which student comes out: that of the last step (`'last'`, the default), or, where that one is judged clearly worse
   * than an earlier one, the best of those that were judged (`'best'`). No labelled image is asked.
   */
  readonly keeps?: 'last' | 'best';
  /** Steps between checkpoints; 0 for none but at an interruption. Default 0. */
  readonly checkpointEvery?: number;
  /** Milliseconds after which one is due as well, where steps are slow; default: none. */
  readonly checkpointEveryMs?: number;
  /** Goes on from here. @see Checkpoint.fingerprint */
  readonly resume?: Checkpoint;
  /** Milliseconds from any start; default `performance.now`. */
  readonly clock?: () => number;
  /** Ends the run after the step under way, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** Called between updates and batches, so that signals and timers are heard; default: a macrotask. */
  readonly turn?: Turn;
}

/**
 * Distils a teacher into a student, step by step.
 *
 * Iterating drives the run: nothing is computed ahead of the consumer, and breaking off the loop frees everything. The
 * student and the last checkpoint are told before anything is reported at the end, and a report that fails is a warning.
 *
 * @returns Events; the last one is `result`, or `interrupted` after the signal was aborted.
 * @throws {DaflError} `USAGE`, `MODEL` or `DATA` if options, networks and data do not fit together; `CHECKPOINT` if
 * `resume` belongs to another run; `NON_FINITE` on the first loss that is no finite number, naming the term.
 * @example
 * ```ts
 * const { dafl: options, training, steps } = presets.fast;
 * const student = shrink(teacher.graph, 0.5);
 * for await (const event of distill({ backend, teacher, student, method: dafl(options), training, steps, seed: 0 })) {
 *   if (event.event === 'student') await save(event.student);
 * }
 * ```
 */
export async function* distill(given: DistillOptions): AsyncGenerator<DistillEvent, void, undefined> {
  const taken = takeLogits(given.teacher.graph);
  const options: DistillOptions = {
    ...given,
    teacher: { ...given.teacher, graph: taken.graph },
    student: takeLogits(given.student).graph,
  };
  const {
    backend,
    method,
    training,
    steps,
    seed,
    clock = () => performance.now(),
    signal,
    turn = createTurn(),
  } = options;
  if (!Number.isInteger(steps) || steps < 1) {
    fail({ cannot: 'distill', as: "'steps' must be an integer >= 1", value: steps });
  }
  check(training.temperature > 0, { cannot: 'distill', as: "'temperature' must be > 0", value: training.temperature });
  check((training.hintWeight ?? 0) >= 0, {
    cannot: 'distill',
    as: "'hintWeight' must be >= 0",
    value: training.hintWeight,
  });
  if (training.loss !== undefined) assertStudentLoss(training.loss);
  // Schedules check themselves: now rather than in the middle of a step.
  learningRateAt(training.schedule, 0, steps);
  const classifier = describeClassifier(options.teacher.graph);
  assertStudentFits(options.student, options.teacher.graph);
  if (options.teacher.answer !== undefined && options.method.needs !== 'answers') {
    throw new DaflError(
      'USAGE',
      `Cannot distill '${options.teacher.graph.name}' by method '${options.method.name}' as the method must need answers alone, as procedural does, where a teacher gives no more: current method looks into its teacher`,
    );
  }
  if ((training.loss?.attentionWeight ?? 0) > 0) {
    const { teacher, student } = options;
    if (teacher.answer !== undefined || pairStages(teacher.graph, student).length === 0) {
      fail({
        cannot: `distill '${teacher.graph.name}'`,
        as: "'loss.attentionWeight' must be 0 where teacher and student have no maps of one size to compare",
        value: training.loss!.attentionWeight,
      });
    }
  }
  const pace = new Pace(steps, options.pace);
  const run = describeRun(options);
  if (options.resume !== undefined && options.resume.fingerprint !== fingerprintAt(options.resume.step)) {
    throw new DaflError(
      'CHECKPOINT',
      `Cannot resume as the checkpoint must be of this run (same teacher, student, method, options, steps and seed) and of a version that draws the same pictures: current fingerprint is ${options.resume.fingerprint}`,
    );
  }

  /** What was changed later does not belong to a state. */
  function fingerprintAt(step: number): string {
    const changes = pace.changes.filter((change) => change.step <= step);
    return hashBytes(new TextEncoder().encode(changes.length === 0 ? run : run + JSON.stringify(changes)));
  }

  const disposers: (() => void)[] = [];
  const own = <Owned extends { dispose(): void }>(owned: Owned): Owned => {
    disposers.unshift(() => owned.dispose());
    return owned;
  };
  try {
    // Up to the end of the first step nothing is lost where a run is given up.
    let isBeginning = true;
    const createRandom = (purpose: string) => createRandomStream(seed, purpose);
    const positionAt = (step: number) => pace.positionAt(step);
    const scale = training.logitScale === 'usual' ? await measureScale(options) : 1;
    const teacher = own(createNetwork(backend, scaleLogits(options.teacher, 1 / scale)));
    const initial = initializeStudent(options, 1 / scale);
    const student = own(createNetwork(backend, initial.model));
    const whitened = training.whitensInputs
      ? own(createWhitened(backend, student.trainableVariables, training.optimizer))
      : undefined;
    const optimizer = whitened ?? own(createOptimizer(backend, student.trainableVariables, training.optimizer));
    const scope = new TensorScope(backend);
    const session = own(
      scope.run(() =>
        method.start({ backend: scope.backend, teacher, student, steps, positionAt, createRandom, turn: turnOfStep }),
      ),
    );
    const dropout = createRandom('student dropout');
    const { hints } = initial;
    const trainer = own(new StudentTrainer({ teacher, student, optimizer, training, hints, dropout }));

    const best = options.keeps === 'best' ? new BestStudent() : undefined;
    const start = options.resume?.step ?? 0;
    const channels = training.fitsLayers === true && start === 0 ? initial.channels : undefined;
    // A fit that was interrupted begins anew.
    const isRestored = await untilAborted(async () => {
      if (options.resume !== undefined && channels === undefined) await restore(options.resume);
      return true;
    });
    yield {
      event: 'start',
      method: method.name,
      backend: backend.description,
      seed,
      steps: pace.endAt(start),
      resumedAt: start,
      teacher: summarize(options.teacher.graph),
      student: summarize(options.student),
      initialization: initial.from,
      isFitted: training.fitsLayers === true && initial.channels !== undefined,
    };
    if (isRestored === undefined) {
      yield { event: 'interrupted', step: start, steps: pace.endAt(start) };
      return;
    }
    if (initial.reason !== undefined) {
      const message = `The student starts from random weights. ${initial.reason}`;
      yield { event: 'warning', code: 'RANDOM_START', step: start, message };
    }
    if (taken.note !== undefined) {
      yield { event: 'warning', code: 'PROBABILITIES', step: start, message: taken.note };
    }
    const waiting = start === 0 ? whitened : undefined;
    if (channels !== undefined || waiting !== undefined) {
      const prepared = { teacher, student, channels, optimizer: waiting, createRandom, turn, signal };
      await untilAborted(() => prepareStudent(prepared));
    }
    // Before the first step: what is needed in the end must be known to work.
    const examination =
      options.judges === true
        ? await untilAborted(() => Examination.prepare({ teacher, steps, createRandom, turn, signal }))
        : undefined;
    let verdict: Verdict | undefined;
    let teacherAccuracy: number | undefined;
    if (options.evaluation !== undefined && signal?.aborted !== true) {
      const evaluation = await untilAborted(() => evaluate(teacher, options.evaluation!, { signal, turn }));
      if (evaluation !== undefined) {
        teacherAccuracy = evaluation.accuracy;
        yield { event: 'evaluation', network: 'teacher', step: start, ...evaluation };
      }
    }
    // What the first weights know by themselves, so that nobody takes it for what was learned.
    if (
      options.evaluation !== undefined &&
      start === 0 &&
      (options.evaluateEvery ?? 0) > 0 &&
      signal?.aborted !== true
    ) {
      const evaluation = await untilAborted(() => evaluate(student, options.evaluation!, { signal, turn }));
      if (evaluation !== undefined) yield { event: 'evaluation', network: 'student', step: 0, ...evaluation };
    }

    if (start === 0 && (options.judgeEvery ?? 0) > 0) yield* judgeStudent(0);

    const startedMs = clock();
    let savedAt = 0;
    const secondsSoFar = (): number => (clock() - startedMs) / 1000;
    let accuracy: number | undefined;
    let agreement: number | undefined;
    let end = pace.endAt(start);
    for (let step = start; step < end; step++) {
      await turn();
      if (signal?.aborted) {
        yield { event: 'checkpoint', step, checkpoint: await checkpointAt(step) };
        yield { event: 'interrupted', step, steps: end };
        return;
      }
      const taken = await untilAborted(() => runStep(step));
      if (taken === undefined) {
        yield { event: 'interrupted', step, steps: end };
        return;
      }
      isBeginning = false;
      const { losses, studentImages } = taken;
      const done = step + 1;
      if (done < end && options.replan !== undefined) {
        const wanted = options.replan(done, end);
        if (wanted !== end) {
          pace.change({ step: done, end: wanted });
          yield { event: 'pace', step: done, steps: wanted, pace: [...pace.changes] };
        }
      }
      end = pace.endAt(done);
      const seconds = secondsSoFar();
      yield {
        event: 'step',
        step: done,
        steps: end,
        losses,
        seconds,
        secondsLeft: (seconds / (done - start)) * (end - done),
        studentImages,
      };
      if (done === end) break;
      yield* report(done);
      const { checkpointEvery, checkpointEveryMs = Infinity } = options;
      if (isDue(done, checkpointEvery) || (seconds - savedAt) * 1000 >= checkpointEveryMs) {
        yield { event: 'checkpoint', step: done, checkpoint: await checkpointAt(done) };
        savedAt = seconds;
      }
    }
    // Before anything is reported: no failure of a report can cost the student, or the state that drew its images.
    let result = await readStudent();
    yield { event: 'student', step: end, student: result };
    yield { event: 'checkpoint', step: end, checkpoint: await checkpointAt(end) };
    let keptStep = end;
    verdict = undefined;
    yield* judgeStudent(end);
    const better = verdict === undefined ? undefined : best?.insteadOf(verdict);
    if (better !== undefined) {
      keptStep = better.step;
      student.load(better.weights);
      result = await readStudent();
      yield { event: 'student', step: keptStep, student: result };
      verdict = (await untilAborted(examineStudent)) ?? verdict;
    }
    yield* report(end);
    await turn();
    if (signal?.aborted) {
      yield { event: 'interrupted', step: end, steps: end };
      return;
    }
    yield {
      event: 'result',
      step: end,
      steps: end,
      seconds: secondsSoFar(),
      backend: backend.description,
      seed,
      student: result,
      keptStep,
      agreement,
      verdict,
      accuracy,
      teacherAccuracy,
    };

    /** The student as it was asked for. */
    async function readStudent(): Promise<Model> {
      const model = scaleLogits(await student.toModel(), scale);
      return initial.hasAddedNorms ? foldBatchNorms(model) : model;
    }

    /** What only looks at the run, where it is due. */
    async function* report(step: number): AsyncGenerator<DistillEvent, void, undefined> {
      const isLast = step === end;
      if (isDue(step, options.judgeEvery) && !isLast) yield* judgeStudent(step);
      if (isDue(step, options.sampleEvery) || isLast) {
        try {
          const sampled = await untilAborted(async () => {
            // From its start: the same latents each time, so that grids over time show the same images grow.
            const random = createRandom('samples');
            return await drawSamples(session, { teacher, student: isLast ? student : undefined, random, signal, turn });
          });
          if (sampled === undefined) return;
          agreement = sampled.agreement;
          yield pickSamples(sampled, classifier, { step, perClass: options.samplesPerClass });
          for (const warning of detectCollapse(
            sampled.images,
            sampled.logits,
            classifier.classes,
            method.collapseAdvice,
          ))
            yield { event: 'warning', step, ...warning };
        } catch (error) {
          yield failed('draw samples', step, error);
        }
      }
      if (options.evaluation !== undefined && (isDue(step, options.evaluateEvery) || isLast)) {
        try {
          const evaluation = await untilAborted(() => evaluate(student, options.evaluation!, { signal, turn }));
          if (evaluation === undefined) return;
          accuracy = evaluation.accuracy;
          yield { event: 'evaluation', network: 'student', step, ...evaluation };
        } catch (error) {
          yield failed('evaluate the student', step, error);
        }
      }
    }

    /** Compares the student with its teacher where pictures were put aside for that. */
    async function* judgeStudent(step: number): AsyncGenerator<DistillEvent, void, undefined> {
      try {
        const judged = signal?.aborted === true ? undefined : await untilAborted(examineStudent);
        if (judged === undefined) return;
        verdict = judged;
        await best?.offer(step, judged, async () => (await student.toModel()).weights);
        yield { event: 'verdict', step, verdict };
      } catch (error) {
        yield failed('judge the student', step, error);
      }
    }

    async function examineStudent(): Promise<Verdict | undefined> {
      if (examination === undefined) return undefined;
      return judge(await examination.examine(student, turn, signal), classifier.inputShape[2]);
    }

    function failed(what: string, step: number, error: unknown): DistillEvent {
      const reason = error instanceof Error ? error.message : String(error);
      const message = `Cannot ${what} after step ${step}, and goes on without: ${reason}`;
      return { event: 'warning', code: 'REPORT_FAILED', step, message };
    }

    /** Undefined if the signal was aborted on the way. */
    async function untilAborted<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
      try {
        return await work();
      } catch (error) {
        if (signal?.aborted && error === signal.reason) return undefined;
        throw error;
      }
    }

    /**
     * In which a session is given up at once that has done no step yet: a method may draw thousands of pictures in the first
     * one, or again where it goes on. Later steps are gone through with, so that their state can be kept.
     */
    async function turnOfStep(): Promise<void> {
      await turn();
      if (isBeginning) signal?.throwIfAborted();
    }

    async function runStep(step: number): Promise<{ losses: Record<string, number>; studentImages: number }> {
      const { batches, losses } = await session.step(step);
      const position = pace.positionAt(step);
      const learningRate = learningRateAt(training.schedule, position, steps);
      const studentLosses: Tensor[] = [];
      try {
        for (const [index, batch] of batches.entries()) {
          const returns = batches.includes(batch, index + 1);
          studentLosses.push(trainer.update(batch, learningRate, position / steps, returns));
          await turnOfStep();
        }
      } catch (error) {
        for (const loss of [...Object.values(losses), ...studentLosses]) backend.dispose(loss);
        throw error;
      }
      const studentImages = batches.reduce((total, batch) => total + batch.images.shape[0], 0);
      const values = await readScalars(backend, [...Object.values(losses), ...studentLosses]);
      const names = Object.keys(losses);
      const named = Object.fromEntries(names.map((name, index) => [name, values[index]]));
      const distillation = values.slice(names.length);
      // A step may be the method's alone.
      if (distillation.length > 0)
        named.distillation = distillation.reduce((total, value) => total + value, 0) / distillation.length;
      for (const [name, value] of Object.entries(named)) {
        if (!Number.isFinite(value)) {
          // A teacher that overflows by itself is no matter of learning rates.
          await measureLogitScale(teacher);
          fail({
            code: 'NON_FINITE',
            cannot: `go on with step ${step + 1}`,
            as: `the ${name} loss must be finite`,
            value: `${value}. Lower the learning rates or the loss weights`,
          });
        }
      }
      return { losses: named, studentImages };
    }

    async function checkpointAt(step: number): Promise<Checkpoint> {
      const tensors = new Map<string, HostTensor>();
      const put = (prefix: string, entries: ReadonlyMap<string, HostTensor>) => {
        for (const [name, tensor] of entries) tensors.set(prefix + name, tensor);
      };
      const moments = await optimizer.state();
      const state = await session.state();
      put('student/', (await student.toModel()).weights);
      put('studentOptimizer/', moments.tensors);
      put('method/', state.tensors);
      const kept = best?.state();
      if (kept !== undefined) put('', kept.tensors);
      const counters: Record<string, number> = {
        studentOptimizer: moments.step,
        studentDropout: dropout.state().counter,
        ...kept?.counters,
      };
      for (const [name, value] of Object.entries(state.counters)) counters[`method/${name}`] = value;
      // After the last step nothing is replayed any more.
      return {
        version: 1,
        step,
        fingerprint: fingerprintAt(step),
        counters,
        tensors,
        parts: step === end ? [] : state.parts,
      };
    }

    async function restore(checkpoint: Checkpoint): Promise<void> {
      const { tensors, counters } = checkpoint;
      student.load(tensorsUnder(tensors, 'student/'));
      optimizer.restore({ step: counters.studentOptimizer, tensors: tensorsUnder(tensors, 'studentOptimizer/') });
      dropout.restore({ counter: counters.studentDropout });
      best?.restore(checkpoint);
      const prefix = 'method/';
      const methodCounters = Object.entries(counters).filter(([name]) => name.startsWith(prefix));
      await session.restore({
        counters: Object.fromEntries(methodCounters.map(([name, value]) => [name.slice(prefix.length), value])),
        tensors: tensorsUnder(tensors, prefix),
        parts: checkpoint.parts,
      });
    }
  } finally {
    for (const dispose of disposers) dispose();
  }
}

async function measureScale({ backend, teacher }: DistillOptions): Promise<number> {
  const network = createNetwork(backend, teacher);
  try {
    return await measureLogitScale(network);
  } finally {
    network.dispose();
  }
}

/** The student before its first step. @param scale What the logits of weights that are not random are multiplied by. */
function initializeStudent(
  { teacher, student, studentWeights, training, seed }: DistillOptions,
  scale: number,
): {
  readonly model: Model;
  readonly from: 'random' | 'teacher' | 'given';
  readonly hints: readonly Hint[];
  /** Of each node, where they are the teacher's: which of its channels the student's are. */
  readonly channels?: ReadonlyMap<string, readonly number[]>;
  /** Why the teacher's weights could not be taken, where they were wanted. */
  readonly reason?: string;
  /** Whether it has batch norms that the student that comes out is not to have. */
  readonly hasAddedNorms?: boolean;
} {
  let reason: string | undefined;
  // Of a teacher that only answers there are no weights to start from.
  if (training.initialization !== 'random' && (teacher.answer === undefined || studentWeights !== undefined)) {
    if (studentWeights !== undefined)
      return { model: scaleLogits({ graph: student, weights: studentWeights }, scale), from: 'given', hints: [] };
    try {
      const inherited = inheritChannels(teacher, student);
      const hints = (training.hintWeight ?? 0) > 0 ? chooseHints(teacher.graph, inherited) : [];
      return { model: scaleLogits(inherited.model, scale), from: 'teacher', hints, channels: inherited.channels };
    } catch (error) {
      const isOtherArchitecture = error instanceof DaflError && error.code === 'MODEL';
      if (training.initialization === 'teacher' || !isOtherArchitecture) throw error;
      reason = error.message;
    }
  }
  const graph = training.normalizesLayers === true ? addBatchNorms(student) : student;
  const model = initializeWeights(graph, createRandomStream(seed, 'student weights'));
  return { model, from: 'random', hints: [], reason, hasAddedNorms: graph !== student };
}

function isDue(step: number, every = 0): boolean {
  return every > 0 && step % every === 0;
}

function summarize(graph: Graph): NetworkSummary {
  const { name, parameters, multiplyAccumulates } = describeModel(graph);
  return { name, parameters, multiplyAccumulates };
}

/** Reads scalars in one transfer and disposes them. */
async function readScalars(backend: TensorBackend, scalars: readonly Tensor[]): Promise<number[]> {
  if (scalars.length === 0) return [];
  const rows = scalars.map((scalar) => backend.reshape(scalar, [1]));
  const joined = backend.concat(rows, 0);
  const values = Array.from(await backend.read(joined));
  for (const tensor of [...scalars, ...rows, joined]) backend.dispose(tensor);
  return values;
}

function assertStudentFits(student: Graph, teacher: Graph): void {
  const ofTeacher = describeClassifier(teacher);
  const ofStudent = describeClassifier(student);
  const reject = (rule: string, value: string): never => {
    fail({
      code: 'MODEL',
      cannot: `distill '${teacher.name}' into '${student.name}'`,
      as: `the student must ${rule}`,
      value,
    });
  };
  if (ofStudent.classes !== ofTeacher.classes) reject(`have ${ofTeacher.classes} classes`, String(ofStudent.classes));
  const show = ({ inputShape }: Classifier) => `[${inputShape.join(', ')}]`;
  if (show(ofStudent) !== show(ofTeacher)) reject(`read images of shape ${show(ofTeacher)}`, show(ofStudent));
  const showPixels = ({ preprocessing: { mean, standardDeviation } }: Classifier) =>
    `mean [${mean.join(', ')}] and deviation [${standardDeviation.join(', ')}]`;
  if (showPixels(ofStudent) !== showPixels(ofTeacher))
    reject(`read pixels as its teacher does, by ${showPixels(ofTeacher)}`, showPixels(ofStudent));
}

/** All that decides what a run computes, in one line: equal lines, equal runs. */
function describeRun(options: DistillOptions): string {
  const { teacher, student, studentWeights, method, training, steps, seed, backend } = options;
  const run = {
    teacher: teacher.graph,
    weights: hashWeights(teacher.weights),
    student,
    studentWeights: studentWeights && hashWeights(studentWeights),
    method: [method.name, method.options],
    // Every method is judged on them.
    pictureRules,
    training,
    steps,
    seed,
    backend: backend.name,
  };
  return JSON.stringify(run);
}

function hashWeights(weights: Model['weights']): string {
  return [...weights]
    .map(([name, { data }]) => `${name}:${hashBytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))}`)
    .join();
}

/** FNV-1a, 32 bits, hexadecimal: tells runs apart, proves nothing. */
function hashBytes(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < bytes.length; index++) hash = Math.imul(hash ^ bytes[index], 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

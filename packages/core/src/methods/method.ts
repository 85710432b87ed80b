import type { Tensor, TensorBackend } from '../backend.ts';
import type { CheckpointPart } from '../checkpoint.ts';
import type { StudentLoss } from '../losses/student-loss.ts';
import type { HostTensor } from '../model/model.ts';
import type { Network } from '../model/network.ts';
import type { RandomStream } from '../random.ts';
import type { Turn } from '../turn.ts';

/** What a method has to work with. */
export interface MethodContext {
  readonly backend: TensorBackend;
  /** Frozen, run in inference mode. */
  readonly teacher: Network;
  /** As it is being trained; methods may look, not touch. */
  readonly student: Network;
  /** Length of the run, as planned. */
  readonly steps: number;
  /**
   * Where in that plan a step stands, in 0..`steps`: what moves with the run (learning rates, shares of the run) goes by
   * it. Default: the step itself.
   */
  readonly positionAt?: (step: number) => number;
  /** The same stream for the same purpose; its position is saved by the method. */
  readonly createRandom: (purpose: string) => RandomStream;
  /** To be called in steps that take long, so that signals and timers are heard; default: a macrotask. */
  readonly turn?: Turn;
}

/** What the student learns from in one update. The method keeps the tensors until its next `step`. */
export interface StudentBatch {
  /** Shape `[batch, ...inputShape]`, in the teacher's normalised input space. */
  readonly images: Tensor;
  /** The teacher's answer, shape `[batch, classes]`; absent where the teacher is to be asked. */
  readonly teacherLogits?: Tensor;
  /** The classes that the images were made for, int32, shape `[batch]`; read where the loss weighs labels. */
  readonly labels?: Tensor;
  /** How the student's answers are compared with the teacher's here; absent: as the training says. */
  readonly loss?: StudentLoss;
}

/** A batch that the teacher has answered. */
export interface AnsweredBatch extends StudentBatch {
  readonly teacherLogits: Tensor;
}

/** What one step of a method gives. */
export interface MethodStep {
  /**
   * One student update is made for each, in order; a batch may come again, and is answered by the teacher once. Empty: the
   * student does not learn in this step.
   */
  readonly batches: readonly StudentBatch[];
  /** Scalars by name, for the record; the caller disposes them. */
  readonly losses: Readonly<Record<string, Tensor>>;
}

/** Fresh images with the teacher's answer; the caller disposes both. */
export type SampledImages = AnsweredBatch;

/** What a session needs to go on; see `Checkpoint`. */
export interface MethodState {
  readonly counters: Readonly<Record<string, number>>;
  readonly tensors: ReadonlyMap<string, HostTensor>;
  readonly parts: readonly CheckpointPart[];
}

/** A method at work in one run. */
export interface MethodSession {
  /** Does its own training, then says what the student learns from. `step` counts from 0. */
  step(step: number): MethodStep | Promise<MethodStep>;

  /**
   * A batch of the method's own size, as it would make it now from this stream. Does not change what later steps do and
   * takes no more memory than a step.
   */
  sample(random: RandomStream): SampledImages | Promise<SampledImages>;

  state(): Promise<MethodState>;
  restore(state: MethodState): Promise<void>;
  dispose(): void;
}

/** What to do where the images of a method have collapsed, in sentences. What is absent is not looked for. */
export interface CollapseAdvice {
  /** Where they are nearly identical. */
  readonly alikeImages?: string;
  /** Where the teacher sees hardly an image of some classes. */
  readonly missingClasses?: string;
}

/** A way to make what the student learns from. A plug-in: the distillation loop knows this interface and no method. */
export interface Method {
  /** As users name it: `'dafl'`. */
  readonly name: string;
  /** All options, defaults included, as they are written to the record of a run. */
  readonly options: Readonly<Record<string, unknown>>;
  /** `'answers'`: the method never looks into the teacher, which may be of another program; absent: it does. */
  readonly needs?: 'answers';
  /** Absent: of its images, neither likeness nor missing classes are a fault. */
  readonly collapseAdvice?: CollapseAdvice;
  start(context: MethodContext): MethodSession;
}

import type { Checkpoint } from './checkpoint.ts';
import type { Evaluation } from './evaluate.ts';
import type { Model } from './model/model.ts';
import type { Verdict } from './verdict/judge.ts';
import type { PaceChange } from './pace.ts';

/** Size of one of the two networks. */
export interface NetworkSummary {
  readonly name: string;
  readonly parameters: number;
  readonly multiplyAccumulates: number;
}

/** The first event. */
export interface StartEvent {
  readonly event: 'start';
  readonly method: string;
  readonly backend: string;
  readonly seed: number;
  /** Length of the run. */
  readonly steps: number;
  /** Steps that were done before, when the run resumes a checkpoint; else 0. */
  readonly resumedAt: number;
  readonly teacher: NetworkSummary;
  readonly student: NetworkSummary;
  /** Where the student's first weights came from; `'given'`: `DistillOptions.studentWeights`. */
  readonly initialization: 'random' | 'teacher' | 'given';
  /** Whether its layers are fitted to the teacher's before the first step. @see StudentTraining.fitsLayers */
  readonly isFitted: boolean;
}

/** The length of the run has changed. @see DistillOptions.replan */
export interface PaceEvent {
  readonly event: 'pace';
  /** Steps done. */
  readonly step: number;
  /** Length of the run from now on. */
  readonly steps: number;
  /** All changes up to now: what repeats the run, together with its planned length. */
  readonly pace: readonly PaceChange[];
}

/** After each step. */
export interface StepEvent {
  readonly event: 'step';
  /** Steps done, from 1. */
  readonly step: number;
  readonly steps: number;
  /** Mean loss terms of the step, unweighted, by name: `oneHot`, `informationEntropy`, `activation`, `distillation`, ... */
  readonly losses: Readonly<Record<string, number>>;
  /** Since the start, or the resumption. */
  readonly seconds: number;
  /** Estimate for the steps that are left. */
  readonly secondsLeft: number;
  /** Images that the student learnt from in this step. */
  readonly studentImages: number;
}

/** A picture of what the method makes: the same latents at each time. */
export interface SamplesEvent {
  readonly event: 'samples';
  readonly step: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Shape `[count, height, width, channels]`, pixels in 0..1. Sorted by class; at most `perClass` of each. */
  readonly images: Float32Array;
  /** The teacher's class of each image. */
  readonly labels: Uint32Array;
  /** The teacher's probability of that class, 0..1. */
  readonly confidences: Float32Array;
  readonly classes: number;
  /** How many of all sampled images, shown or not, the teacher sees as each class. */
  readonly classCounts: readonly number[];
  readonly perClass: number;
}

/** Accuracy on labelled data, where the caller gave some. For reporting: nothing in a run depends on it. */
export interface EvaluationEvent extends Evaluation {
  readonly event: 'evaluation';
  readonly network: 'teacher' | 'student';
  readonly step: number;
}

/** What to think of the student without labelled data, at this moment of the run. */
export interface VerdictEvent {
  readonly event: 'verdict';
  /** Steps done. */
  readonly step: number;
  readonly verdict: Verdict;
}

/** A state to resume from. Its parts can be read until the iterator goes on. */
export interface CheckpointEvent {
  readonly event: 'checkpoint';
  readonly step: number;
  readonly checkpoint: Checkpoint;
}

/** Something that a user should look at; the run goes on. */
export interface WarningEvent {
  readonly event: 'warning';
  readonly code: 'ALIKE_IMAGES' | 'MISSING_CLASSES' | 'PROBABILITIES' | 'RANDOM_START' | 'REPORT_FAILED';
  readonly step: number;
  readonly message: string;
}

/**
 * The last step is done: the student, before anything is reported. The last checkpoint follows. Told again with an earlier
 * student, where that one is kept.
 */
export interface StudentEvent {
  readonly event: 'student';
  /** Whose student it is. */
  readonly step: number;
  readonly student: Model;
}

/** The signal was aborted; the checkpoint of this step was told before. The last event. */
export interface InterruptedEvent {
  readonly event: 'interrupted';
  readonly step: number;
  readonly steps: number;
}

/** The last event of a run that came to its end. */
export interface ResultEvent {
  readonly event: 'result';
  readonly step: number;
  readonly steps: number;
  readonly seconds: number;
  readonly backend: string;
  readonly seed: number;
  /** The student as the last step left it, or an earlier one that was judged clearly better. @see DistillOptions.keeps */
  readonly student: Model;
  /** Whose student it is. */
  readonly keptStep: number;
  /**
   * Share of fresh synthetic images on which student and teacher name the same class, 0..1. No accuracy. Absent where the
   * images could not be drawn.
   */
  readonly agreement?: number;
  /** What to think of the student without labelled data; absent where the run does not judge. */
  readonly verdict?: Verdict;
  /** The accuracy of that student on the given labelled data; absent without such data. */
  readonly accuracy?: number;
  readonly teacherAccuracy?: number;
}

/** What `distill` tells, in the order of its happening. */
export type DistillEvent =
  | StartEvent
  | StepEvent
  | PaceEvent
  | SamplesEvent
  | EvaluationEvent
  | VerdictEvent
  | CheckpointEvent
  | WarningEvent
  | StudentEvent
  | InterruptedEvent
  | ResultEvent;

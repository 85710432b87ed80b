import { aboveChance, judge } from '@dafl/core';
import type { ExperimentRecord } from './experiment-record.ts';
import { gauntletTeachers, type GauntletTeacher } from './gauntlet.ts';

/** Below the real-data student by so many points, a run has failed. */
const FAR = 6;

/** Students of one method and teacher. Accuracies in percent. */
export interface GauntletCell {
  readonly runs: number;
  readonly mean: number;
  /** Of the sample; null below two runs. */
  readonly standardDeviation: number | null;
  readonly least: number;
  /** Median of what a run took of the processor's time, evaluations included; null where no run tells. */
  readonly processorSeconds: number | null;
}

/** What the gauntlet says of one teacher. Accuracies in percent; null where nothing was run. */
export interface GauntletLine {
  readonly teacher: GauntletTeacher;
  readonly accuracy: number | null;
  /** A student of the teacher's answers to its own training images. */
  readonly real: number | null;
  readonly default: GauntletCell | null;
  readonly random: GauntletCell | null;
  readonly dafl: GauntletCell | null;
}

/** How far verdicts without data agree with accuracies. */
export interface VerdictQuality {
  readonly runs: number;
  /** Spearman's, of the verdicts' agreement above chance and what came of the runs. */
  readonly rankCorrelations: {
    /** The share of the teacher's accuracy that the student keeps. */
    readonly share: number | null;
    readonly accuracy: number | null;
    /** The points below the real-data student, where that is known. */
    readonly distance: number | null;
  };
  /** Runs of teachers whose real-data student is known; of them is what follows. */
  readonly marked: number;
  readonly failed: number;
  /** Of the failed runs. */
  readonly failedCalledPoor: number;
  readonly good: number;
  /** Of the good runs. */
  readonly goodCalledPoor: number;
}

/** The lines of the gauntlet, from the records that there are. */
export function summarizeGauntlet(records: readonly ExperimentRecord[]): GauntletLine[] {
  return gauntletTeachers.map((teacher) => {
    const { id, make } = teacher;
    const of = (row: string): readonly ExperimentRecord[] => records.filter((record) => record.row === row);
    const students = records.filter(({ row }) => row === `${id}-default` || row === `${id}-dafl`);
    const accuracy =
      of(id).find((record) => record.accuracy !== null)?.accuracy ?? students[0]?.teacherAccuracy ?? null;
    // Of a teacher with other logits, the students of the real data are those of the first.
    const real = of(`${'logitFactor' in make ? make.of : id}-real`)[0]?.accuracy ?? null;
    return {
      teacher,
      accuracy: accuracy === null ? null : accuracy * 100,
      real: real === null ? null : real * 100,
      default: cellOf(of(`${id}-default`)),
      random: cellOf(of(`${id}-random`)),
      dafl: cellOf(of(`${id}-dafl`)),
    };
  });
}

/** Sets verdicts beside what came of the runs, of every method. */
export function summarizeVerdicts(records: readonly ExperimentRecord[]): VerdictQuality {
  const lines = new Map(summarizeGauntlet(records).map((line) => [line.teacher.id, line]));
  const judged = records.flatMap(({ row, accuracy, teacherAccuracy, verdict }) => {
    const line = lines.get(row.replace(/-(default|random|dafl)$/, ''));
    if (line === undefined || !verdict || accuracy === null || teacherAccuracy === null) return [];
    const below = line.real === null ? null : line.real - accuracy * 100;
    const agreement = aboveChance(verdict.agreement, verdict.classAgreements.length);
    // By today's bounds, whenever the run was.
    const isPoor = judge(verdict, channelsOf(line.teacher)).level === 'poor';
    return [{ agreement, isPoor, accuracy, share: accuracy / teacherAccuracy, below }];
  });
  const marked = judged.flatMap(({ below, ...run }) => (below === null ? [] : [{ ...run, below }]));
  const correlate = <Run extends { agreement: number }>(runs: readonly Run[], outcome: (run: Run) => number) =>
    rankCorrelation(
      runs.map(({ agreement }) => agreement),
      runs.map(outcome),
    );
  const failed = marked.filter(({ below }) => below >= FAR);
  const good = marked.filter(({ below }) => below < FAR);
  return {
    runs: judged.length,
    rankCorrelations: {
      share: correlate(judged, ({ share }) => share),
      accuracy: correlate(judged, ({ accuracy }) => accuracy),
      distance: correlate(marked, ({ below }) => -below),
    },
    marked: marked.length,
    failed: failed.length,
    failedCalledPoor: failed.filter(({ isPoor }) => isPoor).length,
    good: good.length,
    goodCalledPoor: good.filter(({ isPoor }) => isPoor).length,
  };
}

/** Of the images that a teacher takes. */
function channelsOf({ make }: GauntletTeacher): number {
  if ('of' in make) return channelsOf(gauntletTeachers.find(({ id }) => id === make.of)!);
  return 'network' in make && typeof make.network === 'object' ? make.network.inputShape[2] : 1;
}

function cellOf(records: readonly ExperimentRecord[]): GauntletCell | null {
  const values = records.flatMap(({ accuracy }) => (accuracy === null ? [] : [accuracy * 100]));
  if (values.length === 0) return null;
  const mean = average(values);
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  const seconds = records
    .flatMap(({ processorSeconds }) => (processorSeconds === null ? [] : [processorSeconds]))
    .toSorted((a, b) => a - b);
  return {
    runs: values.length,
    mean,
    standardDeviation: values.length < 2 ? null : Math.sqrt(squares / (values.length - 1)),
    least: Math.min(...values),
    processorSeconds: seconds[Math.floor(seconds.length / 2)] ?? null,
  };
}

function rankCorrelation(first: readonly number[], second: readonly number[]): number | null {
  if (first.length < 3) return null;
  const [a, b] = [ranksOf(first), ranksOf(second)];
  const [meanA, meanB] = [average(a), average(b)];
  const sum = (term: (index: number) => number): number => a.reduce((total, _, index) => total + term(index), 0);
  const together = sum((index) => (a[index] - meanA) * (b[index] - meanB));
  return together / Math.sqrt(sum((index) => (a[index] - meanA) ** 2) * sum((index) => (b[index] - meanB) ** 2));
}

/** Equal values share the mean of their ranks. */
function ranksOf(values: readonly number[]): number[] {
  return values.map(
    (value) =>
      values.filter((other) => other < value).length + (values.filter((other) => other === value).length - 1) / 2,
  );
}

function average(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}

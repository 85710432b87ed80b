import { expect, it } from 'vitest';
import type { ExperimentRecord } from './experiment-record.ts';
import { summarizeGauntlet, summarizeVerdicts } from './summarize-gauntlet.ts';

function record(row: string, accuracy: number, agreement?: number, isPoor = false, classes = 10): ExperimentRecord {
  const classAgreements = Array<number | undefined>(classes).fill(agreement);
  const verdict = agreement === undefined ? null : { agreement, classAgreements, level: isPoor ? 'poor' : 'good' };
  return { row, accuracy, teacherAccuracy: 0.99, verdict, processorSeconds: 10 } as ExperimentRecord;
}

const records = [
  record('mnist-real', 0.98),
  record('mnist-default', 0.97, 0.8),
  record('mnist-default', 0.95, 0.7),
  record('mnist-dafl', 0.6, 0.3, true),
  record('logits-100-default', 0.9, 0.75),
];

it('sets the students of each teacher beside its own accuracy and the real-data student', () => {
  const lines = new Map(summarizeGauntlet(records).map((line) => [line.teacher.id, line]));
  expect(lines.get('mnist')).toMatchObject({
    accuracy: 99,
    real: 98,
    random: null,
    dafl: { runs: 1, least: 60, processorSeconds: 10 },
  });
  const { mean, standardDeviation, least } = lines.get('mnist')!.default!;
  expect([mean, standardDeviation, least]).toEqual([96, Math.SQRT2, 95].map((value) => expect.closeTo(value, 10)));
  // The same classifier with other logits.
  expect(lines.get('logits-100')!.real).toBe(98);
  expect(lines.get('fashion')).toMatchObject({ accuracy: null, real: null, default: null });
});

it('counts the verdicts that are right', () => {
  expect(summarizeVerdicts(records)).toEqual({
    runs: 4,
    // Of agreements 0.8 0.7 0.3 0.75 and accuracies 97 95 60 90: ranks 3 1 0 2 and 3 2 0 1. They have one teacher.
    rankCorrelations: {
      share: expect.closeTo(0.8, 10) as number,
      accuracy: expect.closeTo(0.8, 10) as number,
      distance: expect.closeTo(0.8, 10) as number,
    },
    marked: 4,
    failed: 2,
    failedCalledPoor: 1,
    good: 2,
    goodCalledPoor: 0,
  });
});

it('counts runs without a real-data student where none is needed', () => {
  const { runs, marked, rankCorrelations } = summarizeVerdicts([
    record('mnist-default', 0.97, 0.8),
    record('usps-default', 0.9, 0.7),
    record('fashion-dafl', 0.6, 0.3),
  ]);
  expect({ runs, marked }).toEqual({ runs: 3, marked: 0 });
  expect(rankCorrelations).toEqual({ share: 1, accuracy: 1, distance: null });
});

it('ranks verdicts by what lies above chance', () => {
  // On nine of ten pictures of two classes: as four of five of ten classes, about.
  const others = [record('mnist-real', 0.98), record('mnist-default', 0.97, 0.85), record('mnist-default', 0.95, 0.7)];
  const two = [record('parity-real', 0.99), record('parity-default', 0.97, 0.9, false, 2)];
  expect(summarizeVerdicts([...others, ...two]).rankCorrelations.distance).toBeCloseTo(1, 10);
});

import type { MetricsLine } from '../metrics-log.ts';
import type { RunRecord } from '../run-record.ts';
import type { LineChart } from './line-chart.ts';

/** What the loss terms are, for people who see them for the first time. */
const lossCaptions: Readonly<Record<string, readonly [title: string, caption: string]>> = {
  oneHot: ['One-hot', 'low: the teacher is sure of each image'],
  informationEntropy: ['Information entropy', 'at -1: all classes equally often'],
  activation: ['Activation', 'low: images excite the features'],
  reconstruction: ['Reconstruction', 'low: images have the recorded activations'],
  batchNormStatistics: ['Batch-norm statistics', 'low: images have the statistics of the training data'],
  adversarial: ['Adversarial', 'low: images on which the student errs'],
  distillation: ['Distillation', 'low: the student follows the teacher'],
};

/** The curves of a run: the student's accuracy, where it was measured, and each loss term, the student's own first. */
export function curveCharts(record: RunRecord, metrics: readonly MetricsLine[]): LineChart[] {
  const charts: LineChart[] = [];
  const ofStudent = metrics
    .filter((line) => line.event === 'evaluation')
    .filter(({ network }) => network === 'student');
  const percent = (value: number): string => `${Number((value * 100).toFixed(2))} %`;
  if (ofStudent.length > 0) {
    charts.push({
      title: 'Accuracy',
      caption: `on ${record.options.eval ?? 'labelled data'}, for reporting only`,
      points: ofStudent.map(({ step, accuracy }) => [step, accuracy]),
      style: 'dots',
      reference:
        record.teacherAccuracy === null
          ? undefined
          : { value: record.teacherAccuracy, label: `teacher ${(record.teacherAccuracy * 100).toFixed(2)} %` },
      format: percent,
    });
  }
  const steps = metrics.filter((line) => line.event === 'step');
  for (const name of Object.keys(steps[0]?.losses ?? {}).reverse()) {
    const [title, caption] = lossCaptions[name] ?? [name, 'loss term'];
    charts.push({
      title,
      caption,
      points: steps.map(({ step, losses }) => [step, losses[name]]),
      style: 'trend',
      format: (value) => String(Number(value.toPrecision(3))),
    });
  }
  return charts;
}

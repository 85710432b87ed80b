import { type Classifier, verdictBounds } from '@dafl/core';
import type { MetricsLine } from '../folder/metrics-log.ts';
import type { RunRecord } from '../folder/run-record.ts';
import type { LineChart } from './figures/line-chart.ts';
import { publishedFigure } from './published-figure.ts';

/** What the loss terms are, for people who see them for the first time. */
const lossCaptions: Readonly<Record<string, readonly [title: string, caption: string]>> = {
  oneHot: ['One-hot', 'low: the teacher is sure of each image'],
  informationEntropy: ['Information entropy', 'lowest where all classes come equally often'],
  activation: ['Activation', 'low: images excite the features'],
  reconstruction: ['Reconstruction', 'low: images have the recorded activations'],
  batchNormStatistics: ['Batch-norm statistics', 'low: images have the statistics of the training data'],
  adversarial: ['Adversarial', 'low: images on which the student errs'],
  batchNorm: ['Batch-norm statistics', 'low: images have the statistics of the training data'],
  label: ['Label', 'low: the teacher sees the class that each image was made for'],
  distillation: ['Distillation', 'low: the student follows the teacher'],
};

const percent = (value: number): string => `${Number((value * 100).toFixed(2))} %`;
const number = (value: number): string => String(Number(value.toPrecision(3)));

/**
 * The curves of a run: the student's accuracy, where it was measured, and each loss term, the student's own first.
 *
 * @param classifier The teacher's.
 */
export function curveCharts(
  record: RunRecord,
  metrics: readonly MetricsLine[],
  { classes, inputShape }: Classifier,
): LineChart[] {
  const charts: LineChart[] = [];
  const ofStudent = metrics
    .filter((line) => line.event === 'evaluation')
    .filter(({ network }) => network === 'student');
  if (ofStudent.length > 0) {
    const { teacherAccuracy, options } = record;
    const published = publishedFigure(options);
    charts.push({
      title: 'Accuracy',
      caption: `on ${options.eval ?? 'labelled data'}, for reporting only`,
      xName: 'step',
      yName: 'accuracy',
      lines: [{ name: 'student', points: ofStudent.map(({ step, accuracy }) => [step, accuracy]) }],
      style: 'dots',
      references: [
        ...(teacherAccuracy === null ? [] : [{ value: teacherAccuracy, label: `teacher ${percent(teacherAccuracy)}` }]),
        ...(published === null
          ? []
          : [{ value: published.accuracy, label: `published ${percent(published.accuracy)}` }]),
      ],
      format: percent,
      bounds: [0, 1],
    });
  }
  const verdicts = metrics.filter((line) => line.event === 'verdict');
  // One point is no curve; it stands beside the other figures.
  if (verdicts.length > 1) {
    const { good, poor } = verdictBounds({ channels: inputShape[2], classes });
    charts.push({
      title: 'Judged without data',
      caption: "names the teacher's class, on pictures that it did not learn from",
      xName: 'step',
      yName: 'agreement',
      lines: [{ name: 'student', points: verdicts.map(({ step, agreement }) => [step, agreement]) }],
      style: 'dots',
      references: [
        { value: good, label: `good from ${percent(good)}` },
        { value: poor, label: `poor below ${percent(poor)}` },
      ],
      format: percent,
      bounds: [0, 1],
    });
  }
  const steps = metrics.filter((line) => line.event === 'step');
  // Not every step has every term: some begin later, or come now and then.
  for (const name of new Set(steps.flatMap(({ losses }) => Object.keys(losses).reverse()))) {
    const [title, caption] = lossCaptions[name] ?? [name, 'loss term'];
    const floor = -Math.log10(classes);
    charts.push({
      title,
      caption,
      xName: 'step',
      yName: 'loss',
      lines: [
        {
          name: title,
          points: steps.flatMap(({ step, losses }) => (name in losses ? [[step, losses[name]] as const] : [])),
        },
      ],
      style: 'trend',
      references:
        name === 'informationEntropy'
          ? [{ value: floor, label: `least for ${classes} classes: ${number(floor)}` }]
          : [],
      format: number,
    });
  }
  return charts;
}

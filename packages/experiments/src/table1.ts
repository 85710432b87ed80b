import { metadataVariants } from '@dafl/methods';
import type { Experiment, ExperimentRow } from './experiment.ts';

const FIVE_SEEDS = [1, 2, 3, 4, 5];

/** What a family of networks has published; null where nothing is. */
interface Published {
  readonly backpropagation: number;
  readonly originalData: number;
  readonly noise: number;
  readonly usps: number;
  /** The best of the four variants. */
  readonly metadata: number;
  readonly dafl: number;
}

const training = { data: 'mnist', epochs: 12, shift: 2 };

/** The rows of one teacher and its student. */
function family(
  id: string,
  label: string,
  networks: { readonly teacher: string; readonly student: string; readonly studentArchitecture: string },
  published: Published,
  seeds: readonly number[],
): ExperimentRow[] {
  const { teacher, student, studentArchitecture } = networks;
  const common = { teacher, student, eval: 'mnist' };
  const row = (
    name: string,
    text: string,
    figure: number | null,
    options: Readonly<Record<string, unknown>>,
    rowSeeds = seeds,
  ): ExperimentRow => ({
    id: `${id}-${name}`,
    label: `${label}: ${text}`,
    published: figure,
    seeds: rowSeeds,
    task: { kind: 'distill', options: { ...common, ...options } },
  });
  return [
    {
      id: `${id}-backpropagation`,
      label: `${label}: student, standard backpropagation`,
      published: published.backpropagation,
      seeds,
      task: { kind: 'train', options: { ...training, architecture: studentArchitecture } },
    },
    row('original-data', 'student, original data', published.originalData, { method: 'original-data', data: 'mnist' }),
    row('noise', 'student, normal noise', published.noise, { method: 'noise' }),
    row('usps', 'student, USPS', published.usps, { method: 'alternative-data', data: 'data:usps' }),
    {
      id: `${id}-metadata`,
      label: `${label}: metadata`,
      published: null,
      seeds: [1],
      task: { kind: 'record', teacher, data: 'mnist' },
      isHidden: true,
    },
    ...metadataVariants.map((metadataVariant) =>
      row(
        metadataVariant,
        `student, metadata, ${metadataVariant.replaceAll('-', ' ')}`,
        metadataVariant === 'spectral-layer-pairs' ? published.metadata : null,
        { method: 'metadata', metadata: `row:${id}-metadata`, metadataVariant },
        [1],
      ),
    ),
    row('dafl-fast', 'student, DAFL, fast preset', published.dafl, { method: 'dafl' }),
  ];
}

/** MNIST: every way to a student that the paper compares. */
export const table1: Experiment = {
  name: 'table1',
  title: 'MNIST, test accuracy of the last step',
  source: 'Chen et al., ICCV 2019, table 1',
  rows: [
    {
      id: 'lenet5-teacher',
      label: 'LeNet-5: teacher',
      published: 98.91,
      seeds: [1],
      task: { kind: 'evaluate', model: 'lenet5-mnist', data: 'mnist' },
    },
    ...family(
      'lenet5',
      'LeNet-5',
      { teacher: 'lenet5-mnist', student: 'half', studentArchitecture: 'lenet5-half' },
      {
        backpropagation: 98.65,
        originalData: 98.91,
        noise: 88.01,
        usps: 94.56,
        metadata: 92.47,
        dafl: 98.2,
      },
      FIVE_SEEDS,
    ),
    {
      id: 'lenet5-dafl-random-start',
      label: 'LeNet-5: student, DAFL, fast preset, from random weights',
      published: 98.2,
      seeds: [1, 2, 3],
      task: {
        kind: 'distill',
        options: { teacher: 'lenet5-mnist', student: 'half', eval: 'mnist', method: 'dafl', initialization: 'random' },
      },
    },
    {
      id: 'lenet5-dafl-paper',
      label: 'LeNet-5: student, DAFL, paper preset, 3,600 steps',
      published: 98.2,
      seeds: [1],
      task: {
        kind: 'distill',
        // 30 of the official 200 epochs: two hours of one core.
        options: { teacher: 'lenet5-mnist', student: 'half', eval: 'mnist', preset: 'paper', steps: 3600 },
      },
    },
    {
      id: 'hintonnet-teacher',
      label: 'HintonNet: teacher',
      published: 98.39,
      seeds: [1],
      task: { kind: 'train', options: { ...training, architecture: 'hintonnet', learningRate: 1e-3 } },
    },
    ...family(
      'hintonnet',
      'HintonNet',
      { teacher: 'row:hintonnet-teacher', student: 'hintonnet-800', studentArchitecture: 'hintonnet-800' },
      {
        backpropagation: 98.11,
        originalData: 98.39,
        noise: 87.58,
        usps: 93.99,
        metadata: 91.24,
        dafl: 97.91,
      },
      [1],
    ),
  ],
};

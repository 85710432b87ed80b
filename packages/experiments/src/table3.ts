import type { Experiment, ExperimentRow } from './experiment.ts';

/** ResNet-34 to ResNet-18 as the paper trains them: for those with a GPU. */
function paperScale(data: 'cifar10' | 'cifar100', label: string, published: readonly number[]): ExperimentRow[] {
  const training = {
    data: `data:${data}`,
    optimizer: 'sgd',
    learningRate: 0.1,
    momentum: 0.9,
    weightDecay: 5e-4,
    batchSize: 128,
    epochs: 200,
    shift: 4,
    horizontalFlip: true,
  };
  const [teacher, backpropagation, originalData, noise, dafl] = published;
  const common = { teacher: `row:${data}-paper-teacher`, student: 'resnet18', eval: `data:${data}` };
  const row = (id: string, text: string, figure: number, task: ExperimentRow['task']): ExperimentRow => ({
    id: `${data}-paper-${id}`,
    label: `${label}, paper scale: ${text}`,
    published: figure,
    seeds: [1],
    task,
  });
  return [
    row('teacher', 'ResNet-34', teacher, { kind: 'train', options: { ...training, architecture: 'resnet34' } }),
    row('backpropagation', 'ResNet-18, standard backpropagation', backpropagation, {
      kind: 'train',
      options: { ...training, architecture: 'resnet18' },
    }),
    row('original-data', 'ResNet-18, original data', originalData, {
      kind: 'distill',
      options: {
        ...common,
        method: 'original-data',
        data: `data:${data}`,
        shift: 4,
        horizontalFlip: true,
        steps: 78_000,
      },
    }),
    row('noise', 'ResNet-18, normal noise', noise, { kind: 'distill', options: { ...common, method: 'noise' } }),
    row('dafl', 'ResNet-18, DAFL', dafl, {
      kind: 'distill',
      options: {
        ...common,
        preset: 'paper',
        batchSize: 1024,
        latentSize: 1000,
        generatorLearningRate: 0.02,
        studentLearningRate: 2e-3,
        oneHotWeight: 0.05,
        steps: 60_000,
      },
    }),
  ];
}

const CPU_TEACHER = 'cifar10-airbench';
/** At most half of the teacher's multiply-accumulates, a little less than `low-rank` alone would take. */
const LOW_RANK = 'low-rank-0.49';
const common = { teacher: `fixture:${CPU_TEACHER}`, eval: 'data:cifar10' };

/** CIFAR-10 and CIFAR-100. */
export const table3: Experiment = {
  name: 'table3',
  title: 'CIFAR, test accuracy of the last step',
  source: 'Chen et al., ICCV 2019, table 3',
  rows: [
    {
      id: 'cifar10-cpu-teacher',
      label: 'CIFAR-10, CPU scale: airbench at 3/4 of the width',
      published: null,
      seeds: [1],
      task: { kind: 'evaluate', model: `fixture:${CPU_TEACHER}`, data: 'data:cifar10' },
    },
    {
      id: 'cifar10-cpu-low-rank',
      label: 'CIFAR-10, CPU scale: low-rank student of half the operations, before distillation',
      published: null,
      seeds: [1],
      task: { kind: 'evaluate', model: common.teacher, student: LOW_RANK, data: common.eval },
    },
    {
      id: 'cifar10-cpu-dafl',
      label: 'CIFAR-10, CPU scale: the same student, DAFL',
      published: null,
      seeds: [1],
      task: {
        kind: 'distill',
        options: {
          ...common,
          student: LOW_RANK,
          generatorWidths: [64, 64, 32],
          generatorContrast: 1.2,
          generatorBrightness: 0,
          activationWeight: 0.1,
          batchNormStatisticsWeight: 5,
          adversarialWeight: 0.1,
          temperature: 2,
          studentSteps: 2,
          replayBatches: 100,
          steps: 600,
        },
      },
    },
    ...paperScale('cifar10', 'CIFAR-10', [95.58, 93.92, 94.34, 14.89, 92.22]),
    ...paperScale('cifar100', 'CIFAR-100', [77.84, 76.53, 76.87, 1.44, 74.47]),
  ],
};

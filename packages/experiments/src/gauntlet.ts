import type { Experiment, ExperimentRow, Task } from './experiment.ts';
import type { ImageChange } from './change-images.ts';
import type { GauntletNetwork } from './gauntlet-networks.ts';

/** A teacher that the default is tried on. */
export interface GauntletTeacher {
  readonly id: string;
  readonly label: string;
  /**
   * Whether defaults may be chosen by this teacher (on images that are held out of the training data), or whether it is
   * only reported on. Declared before the first run, and kept.
   */
  readonly use: 'tuning' | 'reporting';
  /** Sources of images, joined: `mnist`, or references to folders that the user gives. */
  readonly sources: readonly string[];
  readonly change?: ImageChange;
  /** What is trained, or a built-in teacher, or a change of another teacher of the gauntlet with the same data. */
  readonly make:
    | { readonly teacher: string }
    | {
        readonly network: string | GauntletNetwork;
        readonly training: Readonly<Record<string, unknown>>;
      }
    | { readonly of: string; readonly logitFactor: number }
    | { readonly of: string; readonly folds: true };
  /** Whether batch norms are folded after the training. */
  readonly folds?: boolean;
}

const mnist = { sources: ['mnist'] };
const digits = { epochs: 12, shift: 2 };
const fashionPixels = { mean: 0.286, standardDeviation: 0.353 };

/** Half of the teachers for tuning, half only for reporting. */
export const gauntletTeachers: readonly GauntletTeacher[] = [
  { id: 'mnist', label: 'LeNet-5, MNIST (lenet5-mnist)', use: 'tuning', ...mnist, make: { teacher: 'lenet5-mnist' } },
  {
    id: 'fashion',
    label: 'LeNet-5, Fashion-MNIST',
    use: 'tuning',
    sources: ['data:fashion'],
    make: { network: 'lenet5', training: { epochs: 12 } },
  },
  {
    id: 'usps',
    label: 'LeNet-5, USPS',
    use: 'tuning',
    sources: ['data:usps'],
    make: { network: 'lenet5', training: { epochs: 20, shift: 1 } },
  },
  {
    id: 'smoothed',
    label: 'LeNet-5, MNIST, label smoothing 0.1',
    use: 'tuning',
    ...mnist,
    make: { network: 'lenet5', training: { ...digits, labelSmoothing: 0.1 } },
  },
  {
    id: 'logits-thousandth',
    label: 'lenet5-mnist, logits x0.001',
    use: 'tuning',
    ...mnist,
    make: { of: 'mnist', logitFactor: 0.001 },
  },
  {
    id: 'logits-30',
    label: 'lenet5-mnist, logits x30',
    use: 'tuning',
    ...mnist,
    make: { of: 'mnist', logitFactor: 30 },
  },
  {
    id: 'joined',
    label: 'CNN with strides, 36x36, MNIST and Fashion-MNIST dark on light, 20 classes, batch norm folded',
    use: 'tuning',
    sources: ['mnist', 'data:fashion'],
    change: { inverts: true },
    make: {
      network: {
        kind: 'strided',
        inputShape: [36, 36, 1],
        classes: 20,
        widths: [16, 32, 64],
        mean: 0.8,
        standardDeviation: 0.33,
      },
      training: { epochs: 8 },
    },
    folds: true,
  },
  {
    id: 'cifar',
    label: 'residual CNN, 32x32 colour, CIFAR-10, batch norm kept',
    use: 'tuning',
    sources: ['data:cifar10'],
    make: {
      network: {
        kind: 'residual',
        inputShape: [32, 32, 3],
        classes: 10,
        widths: [16, 32, 64],
        mean: 0.473,
        standardDeviation: 0.251,
      },
      training: { epochs: 6, shift: 2, horizontalFlip: true, learningRate: 4e-3 },
    },
  },
  {
    id: 'shifted',
    label: 'LeNet-5, MNIST, shifts of 2',
    use: 'reporting',
    ...mnist,
    make: { network: 'lenet5', training: digits },
  },
  {
    id: 'inverted',
    label: 'LeNet-5, MNIST dark on light',
    use: 'reporting',
    ...mnist,
    change: { inverts: true },
    make: { network: 'lenet5', training: { ...digits, shift: 0 } },
  },
  {
    id: 'parity',
    label: 'LeNet-5, MNIST, even or odd, 2 classes',
    use: 'reporting',
    ...mnist,
    change: { labels: [0, 1, 0, 1, 0, 1, 0, 1, 0, 1] },
    make: { network: 'lenet5', training: digits },
  },
  {
    id: 'logits-hundredth',
    label: 'lenet5-mnist, logits x0.01',
    use: 'reporting',
    ...mnist,
    make: { of: 'mnist', logitFactor: 0.01 },
  },
  {
    id: 'logits-100',
    label: 'lenet5-mnist, logits x100',
    use: 'reporting',
    ...mnist,
    make: { of: 'mnist', logitFactor: 100 },
  },
  {
    id: 'pairs',
    label: 'CNN with strides, 28x56, two digits side by side, 100 classes, batch norm kept',
    use: 'reporting',
    ...mnist,
    change: { pairs: true },
    make: {
      network: {
        kind: 'strided',
        inputShape: [28, 56, 1],
        classes: 100,
        widths: [16, 32, 64, 128],
        mean: 0.13,
        standardDeviation: 0.31,
      },
      training: { epochs: 3 },
    },
  },
  {
    id: 'large',
    label: 'CNN with strides, 64x64, Fashion-MNIST dark on light, batch norm folded',
    use: 'reporting',
    sources: ['data:fashion'],
    change: { inverts: true },
    make: {
      network: {
        kind: 'strided',
        inputShape: [64, 64, 1],
        classes: 10,
        widths: [8, 16, 32, 64],
        mean: 0.71,
        standardDeviation: 0.35,
      },
      training: { epochs: 3 },
    },
    folds: true,
  },
  {
    id: 'colours',
    label: 'residual CNN, 28x28 colour, MNIST in random colours, batch norm folded',
    use: 'reporting',
    ...mnist,
    change: { colours: true },
    make: {
      network: {
        kind: 'residual',
        inputShape: [28, 28, 3],
        classes: 10,
        widths: [8, 16, 32],
        mean: 0.5,
        standardDeviation: 0.25,
      },
      training: { epochs: 5 },
    },
    folds: true,
  },
  {
    id: 'cifar-folded',
    label: 'residual CNN, 32x32 colour, CIFAR-10, batch norm folded',
    use: 'reporting',
    sources: ['data:cifar10'],
    make: { of: 'cifar', folds: true },
  },
  {
    id: 'mobile',
    label: 'inverted residuals with ReLU6, 28x28, Fashion-MNIST, batch norm kept',
    use: 'reporting',
    sources: ['data:fashion'],
    make: {
      network: {
        kind: 'inverted-residual',
        inputShape: [28, 28, 1],
        classes: 10,
        widths: [8, 16, 24],
        ...fashionPixels,
      },
      training: { epochs: 6 },
    },
  },
  {
    id: 'group-norm',
    label: 'residual CNN with group norm and SiLU, 28x28, Fashion-MNIST',
    use: 'reporting',
    sources: ['data:fashion'],
    make: {
      network: { kind: 'group-norm', inputShape: [28, 28, 1], classes: 10, widths: [8, 16, 32], ...fashionPixels },
      training: { epochs: 4 },
    },
  },
  {
    id: 'transformer',
    label: 'vision transformer of three blocks, 28x28, Fashion-MNIST',
    use: 'reporting',
    sources: ['data:fashion'],
    make: {
      network: { kind: 'transformer', inputShape: [28, 28, 1], classes: 10, widths: [32, 32, 32], ...fashionPixels },
      training: { epochs: 8 },
    },
  },
];

const SEEDS = [1, 2, 3];

/** The rows of one teacher; what they need stands before them. */
function rowsOf(teacher: GauntletTeacher): ExperimentRow[] {
  const { id, label, sources, change, make } = teacher;
  const row = (part: string, text: string, task: Task, seeds: readonly number[] = [1]): ExperimentRow => ({
    id: part === '' ? id : `${id}-${part}`,
    label: `${label}: ${text}`,
    published: null,
    seeds,
    task,
    isHidden: part === 'data' || part === 'trained',
  });
  const isPlain = change === undefined && sources.length === 1;
  const data = isPlain ? sources[0] : `row:${id}-data`;
  const rows: ExperimentRow[] = [];
  if (!isPlain) rows.push(row('data', 'data', { kind: 'derive', sources, change: change ?? {} }));
  if ('of' in make) {
    const model = make.of === 'mnist' ? 'lenet5-mnist' : `row:${make.of}`;
    const { of: _, ...alteration } = make;
    rows.push(row('', 'teacher', { kind: 'alter', model, ...alteration }));
  } else if ('network' in make) {
    const { network, training } = make;
    const options = { ...training, data };
    const task: Task =
      typeof network === 'string'
        ? { kind: 'train', options: { ...options, architecture: network } }
        : { kind: 'train', options, network };
    const trained = teacher.folds === true ? 'trained' : '';
    rows.push(row(trained, 'teacher', task));
    if (teacher.folds === true)
      rows.push(row('', 'teacher', { kind: 'alter', model: `row:${id}-trained`, folds: true }));
  }
  const common = { teacher: 'teacher' in make ? make.teacher : `row:${id}`, student: 'half', eval: data };
  const student = (part: string, text: string, options: object, seeds = SEEDS): void =>
    void rows.push(row(part, text, { kind: 'distill', options: { ...common, ...options } }, seeds));
  // The same student, on the data that it is to do without. Scaled teachers are the same classifier.
  if (!('logitFactor' in make)) {
    const recipe = { steps: 3000, batchSize: 256, temperature: 4, studentLearningRate: 2e-3, initialization: 'auto' };
    student('real', 'student, real data', { method: 'original-data', data, ...recipe }, [1]);
  }
  student('default', 'student, default', {});
  if (id === 'mnist' || id === 'fashion')
    student('random', 'student from random weights, default', { initialization: 'random' });
  student('dafl', 'student, DAFL, fast preset', { method: 'dafl' }, [1]);
  return rows;
}

/** Teachers that no default was made for. */
export const gauntlet: Experiment = {
  name: 'gauntlet',
  title: 'The default on teachers of many kinds, test accuracy of the last step',
  source: 'nothing: the real-data student is the mark',
  rows: gauntletTeachers.flatMap(rowsOf),
};

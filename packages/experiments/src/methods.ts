import type { Experiment, ExperimentRow } from './experiment.ts';

const common = { teacher: 'lenet5-mnist', student: 'half', eval: 'mnist', initialization: 'random' };

function row(method: string, text: string, seeds: readonly number[] = [1], options: object = {}): ExperimentRow {
  return {
    id: method,
    label: `${method}: ${text}`,
    published: null,
    seeds,
    task: { kind: 'distill', options: { ...common, method: method.replace(/-plain$/, ''), ...options } },
  };
}

/** Every method that needs no data, on one teacher, and a student that has all to learn. */
export const methods: Experiment = {
  name: 'methods',
  title: 'Methods without data, LeNet-5 on MNIST, half student from random weights, test accuracy of the last step',
  source: 'nothing: each is run by its own recipe here, not by that of its publication',
  rows: [
    row('procedural', 'pictures drawn by rules', [1, 2, 3]),
    row('pool', 'a pool that begins with pictures', [1, 2, 3, 4, 5]),
    row('pool-plain', 'a pool of generated images alone', [1], { pictures: 0 }),
    row('dafl', 'a generator, fast preset', [1, 2, 3]),
    row('nayer', 'noisy layers, random embeddings'),
    row('deep-inversion', 'trained pixels'),
    row('dfq', 'a generator with batch-norm statistics, of which this teacher has none'),
    row('dfad', 'an adversarial generator, L1 of logits'),
    row('zskt', 'an adversarial generator of any values, attention'),
    row('noise', 'normal noise'),
  ],
};

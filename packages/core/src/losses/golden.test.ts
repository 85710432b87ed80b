import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { describe, expect, it } from 'vitest';
import golden from '../../../../test-fixtures/golden/losses.json' with { type: 'json' };
import { mean, sum } from '../autodiff/operations/reduction.ts';
import { multiply } from '../autodiff/operations/element-wise.ts';
import { logSoftmax } from '../autodiff/operations/softmax.ts';
import { Tape, type Value } from '../autodiff/tape.ts';
import type { Tensor } from '../backend.ts';
import { activationLoss } from './activation.ts';
import { adversarialLoss } from './adversarial.ts';
import { attentionLoss, attentionMap } from './attention.ts';
import { batchNormDistance } from './batch-norm-distance.ts';
import { crossEntropy } from './cross-entropy.ts';
import { distillationLoss } from './distillation.ts';
import { informationEntropyLoss } from './information-entropy.ts';
import { jensenShannonLoss } from './jensen-shannon.ts';
import { oneHotLoss } from './one-hot.ts';
import { totalVariationLoss } from './total-variation.ts';

interface GoldenArray {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

interface GoldenCase {
  readonly name: string;
  readonly loss: string;
  readonly options: {
    readonly temperature?: number;
    readonly masked?: boolean;
    readonly share?: number;
    readonly norm?: 'l1' | 'l2';
  };
  readonly inputs: Readonly<Record<string, GoldenArray>>;
  readonly output: GoldenArray;
  readonly outputGradient: GoldenArray;
  readonly gradients: Readonly<Record<string, GoldenArray>>;
}

type Compute = (
  tape: Tape,
  values: Record<string, Value>,
  options: GoldenCase['options'],
  labels: Tensor,
  given: (name: string) => Tensor,
) => Value;

const losses: Record<string, Compute> = {
  oneHot: (tape, { teacherLogits }) => oneHotLoss(tape, teacherLogits),
  informationEntropy: (tape, { teacherLogits }) => informationEntropyLoss(tape, teacherLogits),
  activation: (tape, { features }) => activationLoss(tape, features),
  distillation: (tape, { studentLogits, teacherLogits }, options) =>
    distillationLoss(tape, studentLogits, teacherLogits, options),
  crossEntropy: (tape, { logits }, _, labels) => crossEntropy(tape, logits, labels),
  logSoftmax: (tape, { logits }) => logSoftmax(tape, logits),
  adversarial: (tape, { teacherLogits, studentLogits }, { masked = false }) =>
    adversarialLoss(tape, teacherLogits, studentLogits, { masked }),
  jensenShannon: (tape, { teacherLogits, studentLogits }, { temperature }) =>
    jensenShannonLoss(tape, teacherLogits, studentLogits, temperature),
  batchNormDistance: (tape, { input }, { share = 0 }, _, given) => {
    const observed = { input, runningMean: given('runningMean'), runningVariance: given('runningVariance') };
    return batchNormDistance(tape, observed, { moments: given('past'), share }).distance;
  },
  totalVariation: (tape, { images }, { norm = 'l1' }) => totalVariationLoss(tape, images, norm),
  attention: (tape, { student, teacher }) =>
    attentionLoss(tape, attentionMap(tape, student), attentionMap(tape, teacher)),
};

const cases: readonly GoldenCase[] = golden.cases as unknown as readonly GoldenCase[];

describe.each(['float64', 'float32'] as const)(
  'losses and their gradients as PyTorch computes them, %s',
  (precision) => {
    it.each(cases.map((entry) => [`${entry.loss}: ${entry.name}`, entry] as const))('%s', async (_, entry) => {
      const backend = createCpuBackend({ precision });
      const tolerance = golden.tolerance[precision];
      const upload = ({ values, shape }: GoldenArray) => backend.tensor(Float64Array.from(values), shape);
      const tape = new Tape(backend);
      const leaves = Object.fromEntries(
        Object.keys(entry.gradients).map((name) => [name, tape.leaf(upload(entry.inputs[name]))]),
      );
      const { labels } = entry.inputs;
      const output = losses[entry.loss](
        tape,
        leaves,
        entry.options,
        backend.tensor(Int32Array.from(labels?.values ?? []), labels?.shape ?? [0]),
        (name) => upload(entry.inputs[name]),
      );
      expect(output.shape).toEqual(entry.output.shape);
      expectClose(await backend.read(output.tensor), entry.output.values, tolerance);

      const weighted = sum(tape, multiply(tape, output, tape.own(upload(entry.outputGradient))));
      const gradients = tape.gradients(weighted, Object.values(leaves));
      for (const [index, expected] of Object.values(entry.gradients).entries()) {
        expect(gradients[index].shape).toEqual(expected.shape);
        expectClose(await backend.read(gradients[index]), expected.values, tolerance);
      }
      await backend.close();
    });
  },
);

describe('logits of 1e4, float32', () => {
  // Far beyond what a float32 exponential can hold.
  it.each([
    'oneHot',
    'informationEntropy',
    'distillation',
    'crossEntropy',
    'logSoftmax',
    'adversarial',
    'jensenShannon',
  ])('%s: stays finite', async (name) => {
    const backend = createCpuBackend();
    const tape = new Tape(backend);
    const upload = (...values: number[]) => backend.tensor(Float32Array.from(values), [2, 3]);
    const logits = tape.leaf(upload(1e4, -1e4, 0, -1e4, 1e4, 9e3));
    const others = tape.leaf(upload(-1e4, 1e4, 0, -1e4, 0, 1e4));
    const values = { teacherLogits: logits, studentLogits: others, logits };
    const labels = backend.tensor(Int32Array.of(1, 0), [2]);
    const loss = losses[name](tape, values, {}, labels, () => labels);
    const gradients = tape.gradients(mean(tape, loss), [logits, others]);
    for (const tensor of gradients) expect((await backend.read(tensor)).every(Number.isFinite)).toBe(true);
    await backend.close();
  });
});

import { createCpuBackend } from '@dafl/backend-cpu';
import { afterEach, expect, it } from 'vitest';
import type { Conv2dOptions, Pool2dOptions, Shape } from '../../backend.ts';
import { DaflError } from '../../errors.ts';
import { Tape, type Value } from '../tape.ts';
import { batchMatMul } from './batch-mat-mul.ts';
import { batchNorm } from './batch-norm.ts';
import { channelMoments } from './channel-moments.ts';
import { conv2d } from './conv2d.ts';
import { add } from './element-wise.ts';
import { largest } from './largest.ts';
import { concat, pad, reshape, slice, transpose } from './layout.ts';
import { matMul } from './mat-mul.ts';
import { averagePool2d, maxPool2d, upsampleNearest2d } from './pooling.ts';
import { mean, sum } from './reduction.ts';
import { softmaxDivergence } from './softmax-divergence.ts';
import { transposedConv2d } from './transposed-conv2d.ts';
import { upsampleConv2d } from './upsample-conv2d.ts';

const backend = createCpuBackend();
afterEach(() => expect(backend.memory().tensors).toBe(0));

const none = { top: 0, bottom: 0, left: 0, right: 0 };
const plain: Conv2dOptions = { strides: [1, 1], padding: none, dilations: [1, 1], groups: 1 };
const window: Pool2dOptions = { windowSize: [2, 2], strides: [2, 2], padding: none };
const below = { ...none, left: -1 };
const image: Shape = [1, 4, 4, 2];

it.each<[string, (tape: Tape, of: (...shape: number[]) => Value) => unknown]>([
  ["add as 'right' must broadcast with [2]: current shape is [3]", (tape, of) => add(tape, of(2), of(3))],
  [
    "add as 'input' must have 0 to 6 axes: current shape is [1, 1, 1, 1, 1, 1, 1]",
    (tape, of) => add(tape, of(1, 1, 1, 1, 1, 1, 1), of()),
  ],
  [
    "reshape as 'shape' must hold the 4 elements of [2, 2]: current shape is [-1, -4]",
    (tape, of) => reshape(tape, of(2, 2), [-1, -4]),
  ],
  [
    "transpose as 'permutation' must hold each axis of [2, 3] once: current value is [0, 0]",
    (tape, of) => transpose(tape, of(2, 3), [0, 0]),
  ],
  [
    "pad as 'paddings' must be two integers >= 0 for each axis of [2]: current value is [0, -1]",
    (tape, of) => pad(tape, of(2), [[0, -1]]),
  ],
  ["slice as 'begin' must lie in [4]: current value is [-1]", (tape, of) => slice(tape, of(4), [-1], [2])],
  ["slice as 'size' must end in [4] from [3] on: current value is [2]", (tape, of) => slice(tape, of(4), [3], [2])],
  ["slice as 'begin' must lie in [4, 4]: current value is [0]", (tape, of) => slice(tape, of(4, 4), [0], [2])],
  [
    "concat as 'axis' must be an axis of [2, 2]: current value is [-1]",
    (tape, of) => concat(tape, [of(2, 2), of(2, 2)], -1),
  ],
  [
    "concat as 'inputs' must agree with [2, 2] but in axis 0: current shape is [2, 3]",
    (tape, of) => concat(tape, [of(2, 2), of(2, 3)], 0),
  ],
  ["concat as 'inputs' must hold at least one value: current value is []", (tape) => concat(tape, [], 0)],
  ["sum as 'axes' must be ascending axes of [2, 3]: current value is [-1]", (tape, of) => sum(tape, of(2, 3), [-1])],
  [
    "mean as 'axes' must be ascending axes of [2, 3]: current value is [1, 0]",
    (tape, of) => mean(tape, of(2, 3), [1, 0]),
  ],
  [
    "largest as 'axes' must be ascending axes of [2, 3]: current value is [2]",
    (tape, of) => largest(tape, of(2, 3), [2]),
  ],
  [
    "matMul as 'right' must have shape [3, columns]: current shape is [2, 3]",
    (tape, of) => matMul(tape, of(2, 3), of(2, 3)),
  ],
  [
    "batchMatMul as 'right' must have shape [2, 3, columns]: current shape is [1, 3, 4]",
    (tape, of) => batchMatMul(tape, of(2, 1, 3), of(1, 3, 4)),
  ],
  [
    "conv2d as 'bias' must have shape [5]: current shape is [4]",
    (tape, of) => conv2d(tape, of(...image), of(3, 3, 2, 5), of(4), plain),
  ],
  [
    "conv2d as 'filter' must fit into the padded 4x4: current value is [5, 1]",
    (tape, of) => conv2d(tape, of(...image), of(5, 1, 2, 5), null, plain),
  ],
  [
    "conv2d as 'dilations' must be two integers >= 1: current value is [0, 1]",
    (tape, of) => conv2d(tape, of(...image), of(3, 3, 2, 5), null, { ...plain, dilations: [0, 1] }),
  ],
  [
    "conv2d as 'padding' must be four integers >= 0: current value is [0, 0, -1, 0]",
    (tape, of) => conv2d(tape, of(...image), of(3, 3, 2, 5), null, { ...plain, padding: below }),
  ],
  [
    "transposedConv2d as 'outputShape' must be convolved to [1, 4, 4, 2]: current shape is [1, 5, 5, 3]",
    (tape, of) => transposedConv2d(tape, of(...image), of(3, 3, 3, 2), [1, 5, 5, 3], plain),
  ],
  [
    "upsampleConv2d as 'filter' must have shape [3, 3, 2, outputChannels]: current shape is [3, 3, 4, 2]",
    (tape, of) => upsampleConv2d(tape, of(...image), of(3, 3, 4, 2), null),
  ],
  [
    "maxPool2d as 'strides' must be two integers >= 1: current value is [0, 2]",
    (tape, of) => maxPool2d(tape, of(...image), { ...window, strides: [0, 2] }),
  ],
  [
    "averagePool2d as 'padding' must be below the window of 2x2: current value is [2, 0, 0, 0]",
    (tape, of) => averagePool2d(tape, of(...image), { ...window, padding: { ...none, top: 2 }, countsPadding: true }),
  ],
  [
    "upsampleNearest2d as 'factors' must be two integers >= 1: current value is [2, 0.5]",
    (tape, of) => upsampleNearest2d(tape, of(...image), [2, 0.5]),
  ],
  [
    "batchNorm as 'scale' must have shape [2]: current shape is [3]",
    (tape, of) => batchNorm(tape, of(...image), of(3), null, 1),
  ],
  [
    "batchNorm as 'offset' must have shape [2]: current shape is []",
    (tape, of) => batchNorm(tape, of(...image), null, of(), 1),
  ],
  ["channelMoments as 'input' must have 2 to 6 axes: current shape is [3]", (tape, of) => channelMoments(tape, of(3))],
  [
    "softmaxDivergence as 'target' must have shape [2, 3]: current shape is [2, 4]",
    (tape, of) => softmaxDivergence(tape, of(2, 3), of(2, 4)),
  ],
])('refuses: Cannot compute %s', (message, compute) => {
  const tape = new Tape(backend);
  const run = () => compute(tape, (...shape) => tape.own(backend.fill(shape, 1)));
  expect(run).toThrow(new DaflError('SHAPE', `Cannot compute ${message}`));
  tape.dispose();
});

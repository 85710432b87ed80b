import type { AdamStepOptions } from '@dafl/core';
import { SPECIAL_VALUES } from './_special-values.ts';
import type { PooledBuffer } from './buffer-pool.ts';
import type { CommandQueue } from './command-queue.ts';
import { elementKernel, ELEMENTS_PER_WORKGROUP } from './kernel.ts';

/** The arrays of one Adam update, old and new. */
export interface AdamBuffers {
  readonly parameter: PooledBuffer;
  readonly gradient: PooledBuffer;
  readonly firstMoment: PooledBuffer;
  readonly secondMoment: PooledBuffer;
  readonly newParameter: PooledBuffer;
  readonly newFirstMoment: PooledBuffer;
  readonly newSecondMoment: PooledBuffer;
}

/** adamStep of the contract, in one pass. */
export function runAdam(queue: CommandQueue, buffers: AdamBuffers, count: number, options: AdamStepOptions): void {
  const { stepSize, beta1, beta2, secondMomentCorrection, epsilon } = options;
  queue.run({
    key: 'adam',
    build: () =>
      elementKernel({
        uniforms: {
          stepSize: 'f32',
          beta1: 'f32',
          rest1: 'f32',
          beta2: 'f32',
          rest2: 'f32',
          correction: 'f32',
          epsilon: 'f32',
        },
        reads: { parameter: 'f32', gradient: 'f32', firstMoment: 'f32', secondMoment: 'f32' },
        writes: { newParameter: 'f32', newFirstMoment: 'f32', newSecondMoment: 'f32' },
        declarations: SPECIAL_VALUES,
        perElement: `
      let g = gradient[i];
      let m = u.beta1 * firstMoment[i] + u.rest1 * g;
      let v = u.beta2 * secondMoment[i] + u.rest2 * g * g;
      newFirstMoment[i] = m;
      newSecondMoment[i] = v;
      newParameter[i] = parameter[i] - u.stepSize * m / (squareRoot(v) / u.correction + u.epsilon);`,
      }),
    reads: [buffers.parameter, buffers.gradient, buffers.firstMoment, buffers.secondMoment],
    writes: [buffers.newParameter, buffers.newFirstMoment, buffers.newSecondMoment],
    uniforms: {
      count,
      stepSize,
      beta1,
      // In float64: 1 - 0.999 has few digits in float32.
      rest1: 1 - beta1,
      beta2,
      rest2: 1 - beta2,
      correction: secondMomentCorrection,
      epsilon,
    },
    workgroups: Math.ceil(count / ELEMENTS_PER_WORKGROUP),
  });
}

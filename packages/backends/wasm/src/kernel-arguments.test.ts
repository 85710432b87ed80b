import { describe, expect, expectTypeOf, it } from 'vitest';
import { type KernelValues, layOutArguments } from './kernel-arguments.ts';

describe('layOutArguments', () => {
  it('gives the shared arguments, then the own ones, in the order of their declaration', () => {
    expect(layOutArguments('leakyRelu')).toEqual([
      ['count', 'integer'],
      ['chunkSize', 'integer'],
      ['input', 'address'],
      ['output', 'address'],
      ['slope', 'float'],
    ]);
    expect(layOutArguments('oneHot').map(([name]) => name)).toEqual(['indices', 'output', 'count', 'depth']);
  });
});

describe('KernelValues', () => {
  it('has each argument of a kernel and no other', () => {
    expectTypeOf<KernelValues<'gelu'>>().toEqualTypeOf<{
      readonly count: number;
      readonly chunkSize: number;
      readonly input: number;
      readonly output: number;
    }>();
  });

  it('has the arguments of each of several kernels', () => {
    expectTypeOf<KernelValues<'packPanels' | 'packDots'>>().toEqualTypeOf<KernelValues<'packDots'>>();
  });
});

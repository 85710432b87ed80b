import { type Graph, shrink } from '@dafl/core';
import { createArchitecture } from '@dafl/models';
import { expect, it } from 'vitest';
import { describeWidth } from './describe-width.ts';

it('is silent where a student is as small as it was to be, or no share of its teacher', () => {
  for (const name of ['lenet5', 'resnet20'] as const) {
    const teacher = createArchitecture(name);
    for (const share of [0.25, 0.5, 0.9]) expect(describeWidth(share, teacher, shrink(teacher, share))).toBe(null);
    expect(describeWidth('low-rank', teacher, teacher)).toBe(null);
  }
});

it('tells where most layers kept their width, and which', () => {
  // What is added to the picture is as wide as that.
  const conv = (name: string, input: string, filters: number) =>
    ({
      kind: 'conv2d',
      name,
      inputs: [input],
      filters,
      kernelSize: [3, 3],
      strides: [1, 1],
      padding: { top: 1, bottom: 1, left: 1, right: 1 },
      dilations: [1, 1],
      groups: 1,
      useBias: false,
    }) as const;
  const stages = ['a', 'b', 'c', 'd'].flatMap((name, index) => [
    conv(name, index === 0 ? 'input' : `${'abcd'[index - 1]}.sum`, 24),
    { kind: 'add', name: `${name}.sum`, inputs: [name, index === 0 ? 'input' : `${'abcd'[index - 1]}.sum`] } as const,
  ]);
  const teacher: Graph = {
    name: 'net',
    inputShape: [8, 8, 24],
    nodes: [
      ...stages,
      conv('last', 'd.sum', 4),
      { kind: 'globalAveragePool2d', name: 'pool', inputs: ['last'] },
      { kind: 'dense', name: 'logits', inputs: ['pool'], units: 5, useBias: true },
    ],
    outputs: { logits: 'logits', features: 'pool' },
  };
  expect(describeWidth('half', teacher, shrink(teacher, 0.5))).toBe(
    "The student is hardly smaller than its teacher: it has 98 % of the parameters and 98 % of the multiply-accumulates: 'a', 'b', 'c' and 1 more must keep their width",
  );
});

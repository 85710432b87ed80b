import { type Graph, shrink } from '@dafl/core';
import { createArchitecture } from '@dafl/models';
import { expect, it } from 'vitest';
import { describeWidth } from './describe-width.ts';

it('is silent where a student is as small as it was to be, or no share of its teacher', () => {
  for (const name of ['lenet5', 'resnet20'] as const) {
    const teacher = createArchitecture(name);
    for (const share of [0.25, 0.5, 0.9])
      expect(describeWidth(share, { wideGraph: teacher, graph: shrink(teacher, share) })).toBe(null);
    expect(describeWidth('low-rank', { graph: teacher })).toBe(null);
  }
});

it('tells where most layers kept their width, and which', () => {
  // What is added to the picture is as wide as that.
  const dense = (name: string, input: string, units: number) =>
    ({ kind: 'dense', name, inputs: [input], units, useBias: false }) as const;
  const stages = ['a', 'b', 'c', 'd'].flatMap((name, index, names) => {
    const before = index === 0 ? 'flat' : `${names[index - 1]}.sum`;
    return [dense(name, before, 24), { kind: 'add', name: `${name}.sum`, inputs: [name, before] } as const];
  });
  const teacher: Graph = {
    name: 'net',
    inputShape: [1, 1, 24],
    nodes: [
      { kind: 'flatten', name: 'flat', inputs: ['input'], order: 'hwc' },
      ...stages,
      dense('last', 'd.sum', 4),
      dense('logits', 'last', 5),
    ],
    outputs: { logits: 'logits', features: 'last' },
  };
  expect(describeWidth('half', { wideGraph: teacher, graph: shrink(teacher, 0.5) })).toBe(
    "The student is hardly smaller than its teacher: it has 98 % of the parameters and 98 % of the multiply-accumulates: 'a', 'b', 'c' and 1 more must keep their width",
  );
});

import {
  createRandomStream,
  describeModel,
  inheritWeights,
  initializeWeights,
  shrink,
  validateModel,
} from '@dafl/core';
import { expect, it } from 'vitest';
import { gauntletTeachers } from './gauntlet.ts';
import { gauntletGraph } from './gauntlet-networks.ts';

const networks = gauntletTeachers.flatMap(({ id, make }) =>
  'network' in make && typeof make.network === 'object' ? [[id, make.network] as const] : [],
);

it.each(networks)('makes a network of %s whose half is narrow and starts from it', (_, network) => {
  const teacher = initializeWeights(gauntletGraph(network), createRandomStream(1, 'weights'));
  validateModel(teacher);
  const half = shrink(teacher.graph, 0.5);
  expect(describeModel(half).parameters).toBeLessThan(0.35 * describeModel(teacher.graph).parameters);
  validateModel(inheritWeights(teacher, half));
});

import { expect, it } from 'vitest';
import { hintFactor } from './hint-factor.ts';

const hints = ['first', 'second', 'norm'].map((node) => ({ node, channels: [0], width: 1 }));

it.each<[string, Record<string, number>, number]>([
  ['nothing was fitted', {}, 1],
  ['the layers of hints were not', { logits: 0.01 }, 1],
  ['they fit as usual', { first: 0.1, second: 0.3 }, 1],
  ['they fit badly', { first: 0.5, second: 0.9 }, 1],
  ['they fit better', { first: 0, second: 0.25, logits: 9 }, 2.56],
  ['they fit well', { first: 0, second: 0.1 }, 4],
  ['they fit exactly', { first: 0 }, 4],
])('where %s', (_, errors, expected) => {
  expect(hintFactor(new Map(Object.entries(errors)), hints)).toBeCloseTo(expected, 9);
});

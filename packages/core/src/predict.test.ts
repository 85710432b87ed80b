import { expectClose } from '@dafl/conformance';
import { describe, expect, it } from 'vitest';
import { argMaxRows, softmaxRows } from './predict.ts';

describe('argMaxRows', () => {
  it('gives the first largest of each row', () => {
    expect([...argMaxRows([1, 3, 2, 5, 5, 4, -2, -1, -1], 3)]).toEqual([1, 0, 1]);
    expect(argMaxRows([], 3).length).toBe(0);
  });
});

describe('softmaxRows', () => {
  it('gives probabilities, whatever the size of the logits', () => {
    const rows = softmaxRows([0, Math.log(3), 1000, 0, -1000, -1000], 2);
    expectClose(rows, [0.25, 0.75, 1, 0, 0.5, 0.5], { absolute: 0, relative: 1e-7 });
  });
});

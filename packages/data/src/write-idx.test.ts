import { expect, it } from 'vitest';
import { parseIdx } from './parse-idx.ts';
import { writeIdx } from './write-idx.ts';

it.each([[[300]], [[2, 3, 4]], [[2, 3, 4, 3]]])('writes what can be read again, of shape %j', (shape) => {
  const data = Uint8Array.from({ length: shape.reduce((total, size) => total * size, 1) }, (_, index) => index % 256);
  expect(parseIdx(writeIdx({ shape, data }))).toEqual({ shape, data });
});

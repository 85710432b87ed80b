/**
 * Data set files: bytes in, images out, in any runtime.
 *
 * @module
 */
export { parseCifar } from './parse-cifar.ts';
export { type IdxArray, imageSetFromIdx, parseIdx } from './parse-idx.ts';

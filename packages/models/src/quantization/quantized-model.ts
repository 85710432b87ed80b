import type { Model } from '@dafl/core';

/** How a value is held in eight bits without a sign: `(byte - zeroPoint) x scale`. */
export interface ByteScale {
  /** > 0. */
  readonly scale: number;
  /** The byte that stands for 0: an integer in 0..255. */
  readonly zeroPoint: number;
}

/** What a quantised model has beside its weights. */
export interface Quantization {
  /** Of the kernels, by node: `[filters]` or `[units]`, > 0. A weight is a whole multiple of it, -127..127. */
  readonly kernelScales: ReadonlyMap<string, Float32Array>;
  /** Of the values that layers read and give, by node or `'input'`. */
  readonly byteScales: ReadonlyMap<string, ByteScale>;
}

/**
 * A model in eight bits: kernels and biases already hold the values that their integers stand for, so that it runs as any
 * other does, but that its activations are exact.
 */
export interface QuantizedModel {
  readonly model: Model;
  readonly quantization: Quantization;
}

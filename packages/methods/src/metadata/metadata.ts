/** Ways to use recorded activations; see `recordMetadata`. */
export type MetadataVariant = 'top-layer' | 'all-layers' | 'spectral-all-layers' | 'spectral-layer-pairs';

/** All variants, the simplest first. */
export const metadataVariants: readonly MetadataVariant[] = [
  'top-layer',
  'all-layers',
  'spectral-all-layers',
  'spectral-layer-pairs',
];

/** Which units of a layer are recorded. */
export interface RecordedLayer {
  /** Name of a convolution or dense node; its output before the activation function is what is recorded. */
  readonly node: string;
  /** Maps are averaged over windows of this size first; null for vectors. */
  readonly poolSize: readonly [height: number, width: number] | null;
  /** Places of the recorded units among those of the pooled, flattened output, ascending. */
  readonly units: Uint32Array;
  /** Mean of each unit over all recorded images, shape `[units]`. */
  readonly mean: Float32Array;
  /** Standard deviation of each unit, > 0, shape `[units]`. */
  readonly deviation: Float32Array;
}

/**
 * Some layers, seen through a linear map: coefficients = basisᵀ × standardised units, and for each class what their
 * distribution is.
 */
export interface RecordedView {
  readonly variant: MetadataVariant;
  /** Places in `Metadata.layers`. Their units are joined in this order. */
  readonly layers: readonly number[];
  /** Shape `[units, coefficients]`; null: the units themselves. */
  readonly basis: Float32Array | null;
  readonly coefficients: number;
  /** Shape `[classes, coefficients]`. */
  readonly mean: Float32Array;
  /**
   * A factor of each class's covariance (Cholesky), shape `[classes, coefficients, coefficients]`, or the standard
   * deviations, shape `[classes, coefficients]`.
   */
  readonly spread: { readonly kind: 'factor' | 'deviation'; readonly data: Float32Array };
}

/** What is kept of the training data of a teacher: how its activations are distributed, for each class. */
export interface Metadata {
  readonly classes: number;
  /** Images that were recorded. */
  readonly images: number;
  readonly layers: readonly RecordedLayer[];
  readonly views: readonly RecordedView[];
}

/**
 * What DAFL is measured against: distillation methods, as plug-ins for `distill` of `@dafl/core`, and standard training.
 *
 * @module
 */
export { augment, type AugmentationOptions } from './augment.ts';
export { imageSet, type ImageSetMethodOptions } from './image-set.ts';
export { deepInversion, type DeepInversionOptions } from './deep-inversion.ts';
export { dfad } from './dfad.ts';
export { dfq } from './dfq.ts';
export type { GeneratorMethodOptions } from './_generator-session.ts';
export { nayer, type NayerOptions } from './nayer.ts';
export { zskt, type ZsktOptions } from './zskt.ts';
export type { InversionWeights } from './_invert.ts';
export type { PoolOptions } from './_pool-session.ts';
export { pool, type PoolMethodOptions } from './pool.ts';
export { noise, type NoiseOptions } from './noise.ts';
export {
  type Metadata,
  type MetadataVariant,
  metadataVariants,
  type RecordedLayer,
  type RecordedView,
} from './metadata/metadata.ts';
export { reconstruction, type ReconstructionOptions } from './metadata/reconstruction.ts';
export { decomposeSymmetric, type SymmetricDecomposition } from './metadata/decompose-symmetric.ts';
export { recordMetadata, type RecordMetadataOptions } from './metadata/record-metadata.ts';
export { train, type TrainEvent, type TrainOptions } from './train.ts';

/**
 * The distillation methods that DAFL is measured against, as plug-ins for `distill` of `@dafl/core`.
 *
 * @module
 */
export { imageSet, type ImageSetMethodOptions } from './image-set.ts';
export { noise, type NoiseOptions } from './noise.ts';
export {
  type Metadata,
  type MetadataVariant,
  metadataVariants,
  type RecordedLayer,
  type RecordedView,
} from './metadata/metadata.ts';
export { reconstruction, type ReconstructionOptions } from './metadata/reconstruction.ts';
export { recordMetadata, type RecordMetadataOptions } from './metadata/record-metadata.ts';

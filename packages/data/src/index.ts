/**
 * Data set files: bytes in, images out, in any runtime.
 *
 * @module
 */
export { collectImages, type CollectImagesOptions } from './collect-images.ts';
export { decodeImage, type DecodedImage } from './decode-image.ts';
export { matchChannels } from './match-channels.ts';
export { parseCifar } from './parse-cifar.ts';
export { type IdxArray, imageSetFromIdx, parseIdx } from './parse-idx.ts';
export { unpackTar } from './unpack-tar.ts';
export { writeIdx } from './write-idx.ts';

/**
 * What every backend is built on: the life of its tensors, and the shapes that kernels give. `TensorBackend` of
 * `@dafl/core` is the contract.
 *
 * @module
 */
export { type Storage, StoredTensor } from './backend-base/stored-tensor.ts';
export { TensorStore, type TensorStoreOptions } from './backend-base/tensor-store.ts';
export {
  broadcastShapes,
  broadcastStrides,
  convolvedShape,
  formatShape,
  isSameShape,
  joinedShape,
  paddedShape,
  pooledShape,
  productShape,
  reducedShape,
  sizeOf,
  stridesOf,
} from './shape.ts';

export { createNodeBackend, type NodeBackendOptions } from './create-node-backend.ts';
export { findTensorflow, tensorflowFolder, type TensorflowLocation } from './load-tensorflow.ts';
export { setupTensorflow, type TensorflowSetup, type TensorflowSetupOptions } from './setup-tensorflow.ts';

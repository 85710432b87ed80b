/** All kernels: `generated/run-chunk.ts` finds them here by their names. */
export * from './adam';
export * from './batch-norm';
export * from './convolution';
export * from './element-wise';
export * from './gemm';
export * from './layout';
export * from './pooling';
export * from './reduction';
export * from './softmax';
export * from './upsample-convolution';

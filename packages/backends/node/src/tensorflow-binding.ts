/** What an attribute of a TensorFlow operation is, by the numbers that the binding exports under these names. */
export interface TensorflowConstants {
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
}

/** One attribute of an operation, as the binding reads it. */
export interface OperationAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: string | number | boolean | readonly number[];
}

/** A result of an operation. */
export interface OperationOutput {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/**
 * The native addon of `@tensorflow/tfjs-node` and `@tensorflow/tfjs-node-gpu`: TensorFlow's eager C API on tensors that
 * are named by numbers. One process has one; its tensors are the process's.
 */
export interface TensorflowBinding extends TensorflowConstants {
  /** Shares the array's memory with the tensor, or copies it where it is not aligned. */
  createTensor(shape: readonly number[], dataType: number, data: Float32Array | Int32Array): number;
  deleteTensor(id: number): void;
  /** Waits for the tensor and copies it out. */
  tensorDataSync(id: number): Float32Array | Int32Array;
  executeOp(
    name: string,
    attributes: readonly OperationAttribute[],
    inputs: readonly number[],
    outputCount: number,
  ): OperationOutput[];
  isUsingGpuDevice(): boolean;
  /** Version of the library, such as `2.21.0`. */
  readonly TF_Version: string;
}

import type { SafetensorsDataType } from '../safetensors.ts';

/** A tensor of a file, whose values are not read yet. */
export interface ParameterTensor {
  readonly dataType: SafetensorsDataType;
  readonly shape: readonly number[];
  /** The elements in rows, little-endian. */
  readonly bytes: () => Uint8Array;
}

/** The weights of a network as PyTorch names them, without the network. */
export interface StateDict {
  readonly tensors: ReadonlyMap<string, ParameterTensor>;
  /** What was found on the way, in sentences. */
  readonly notes: readonly string[];
  readonly metadata: ReadonlyMap<string, string>;
  /** Whether the tensors stand in the order of the network's layers. */
  readonly isOrdered: boolean;
}

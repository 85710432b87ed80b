/** Bytes of the element types that are known here. Those smaller than a byte (F4, F6) are not. */
const bytesOfTypes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;

/** Element type of a tensor in a safetensors file. */
export type SafetensorsDataType = keyof typeof bytesOfTypes;

/** Bytes of one element, by type. */
export const safetensorsElementBytes: ReadonlyMap<string, number> = new Map(Object.entries(bytesOfTypes));

/** One tensor of a safetensors file. */
export interface SafetensorsTensor {
  readonly dataType: SafetensorsDataType;
  /** Integers >= 0; `[]` is a scalar. */
  readonly shape: readonly number[];
  /** The elements as the file holds them: row-major, little-endian. */
  readonly bytes: Uint8Array;
}

/** What a safetensors file holds. */
export interface SafetensorsFile {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, SafetensorsTensor>;
}

/** The header's key that is no tensor. */
export const METADATA_KEY = '__metadata__';

/** Largest header that is read or written. The format itself allows 100,000,000 bytes. */
export const LARGEST_HEADER_BYTES: number = 8 * 1024 * 1024;

/** Most tensors that are read or written. */
export const MOST_TENSORS = 10_000;

/**
 * Number of elements of a shape.
 *
 * @returns Undefined where a size is no integer >= 0 or the product can't be counted exactly.
 */
export function countElements(shape: readonly unknown[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return undefined;
    count *= size;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

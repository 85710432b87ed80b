import type { HostTensor } from '@dafl/core';
import type { ByteScale } from '../../quantization/quantized-model.ts';
import { onnxDataType } from './_onnx-messages.ts';
import type { OnnxGraphBuilder } from './_onnx-graph-builder.ts';

/** How a kernel is stored as integers. */
export interface KernelQuantization {
  /** One for each filter or unit. */
  readonly scales: Float32Array;
  /** Whether what the layer gives is brought to bytes. */
  readonly givesBytes: boolean;
}

/**
 * Writes a kernel as integers. The bias stays as it is: it is a whole multiple of what runtimes bring it to, and some
 * refuse one that is stored as integers.
 *
 * @param kernel As the file holds it; `axis` is the one of its filters or units.
 * @returns The kernel's name in float32.
 */
export function emitQuantizedKernel(
  builder: OnnxGraphBuilder,
  node: string,
  { values: { shape, data }, axis }: { values: HostTensor; axis: number },
  { scales, givesBytes }: KernelQuantization,
): string {
  const name = `${node}.kernel`;
  const filters = scales.length;
  const behind = shape.slice(axis + 1).reduce((total, length) => total * length, 1);
  const bytes = Int8Array.from(data, (value, index) =>
    Math.round(value / scales[Math.floor(index / behind) % filters]),
  );
  const parameters = [
    builder.tensor(`${name}:bytes`, onnxDataType.int8, shape, new Uint8Array(bytes.buffer)),
    builder.floats(`${name}:scales`, { shape: [filters], data: scales }),
  ];
  // ONNX Runtime computes a matrix product with integers only where its zero points are named; the last one stays in
  // float32, as its result is not brought to bytes.
  if (shape.length === 2 && givesBytes)
    parameters.push(builder.tensor(`${name}:zero-points`, onnxDataType.int8, [filters], new Uint8Array(filters)));
  return builder.step('DequantizeLinear', parameters, name, { axis });
}

/** Brings a value to bytes and back. @returns The name under which it is read. */
export function emitBytes(builder: OnnxGraphBuilder, value: string, { scale, zeroPoint }: ByteScale): string {
  const parameters = [
    builder.scalar(`${value}:scale`, scale),
    builder.tensor(`${value}:zero-point`, onnxDataType.uint8, [], Uint8Array.of(zeroPoint)),
  ];
  const bytes = builder.step('QuantizeLinear', [value, ...parameters], `${value}:bytes`);
  return builder.step('DequantizeLinear', [bytes, ...parameters], `${value}:read`);
}

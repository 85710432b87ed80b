import type { Shape, Size2d } from '@dafl/core';
import { KERNEL_UPSAMPLE, KERNEL_UPSAMPLE_GRADIENT } from './kernel-ids.ts';
import { CHUNK_ELEMENTS, type KernelRunner } from './kernel-runner.ts';
import type { WasmTensor } from './wasm-tensor.ts';

/** `upsampleNearest2d` of the contract. */
export function runUpsample(runner: KernelRunner, x: WasmTensor, result: WasmTensor, factors: Size2d): void {
  runRows(runner, KERNEL_UPSAMPLE, x.address, result.address, x.shape, factors);
}

/** `upsampleNearest2dGradient` of the contract. */
export function runUpsampleGradient(runner: KernelRunner, g: WasmTensor, result: WasmTensor, factors: Size2d): void {
  runRows(runner, KERNEL_UPSAMPLE_GRADIENT, g.address, result.address, result.shape, factors);
}

function runRows(
  runner: KernelRunner,
  kernel: number,
  from: number,
  to: number,
  smallShape: Shape,
  factors: Size2d,
): void {
  const [batch, height, width, channels] = smallShape as readonly [number, number, number, number];
  const rowSize = width * channels * factors[0] * factors[1];
  const rowsPerChunk = Math.max(1, Math.floor(CHUNK_ELEMENTS / Math.max(1, rowSize)));
  runner.run(kernel, Math.ceil((batch * height) / rowsPerChunk), batch * height * rowSize, [
    from,
    to,
    batch * height,
    width,
    channels,
    ...factors,
    rowsPerChunk,
  ]);
}

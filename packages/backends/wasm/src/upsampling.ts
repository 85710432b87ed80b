import type { Shape, Size2d } from '@dafl/core';
import type { SharedValues } from './kernel-arguments.ts';
import { CHUNK_ELEMENTS, type KernelRunner } from './kernel-runner.ts';
import type { WasmTensor } from './wasm-tensor.ts';

/** `upsampleNearest2d` of the contract. */
export function runUpsample(runner: KernelRunner, x: WasmTensor, result: WasmTensor, factors: Size2d): void {
  const { chunks, work, rows } = planRows(x.shape, factors);
  runner.run('upsample', chunks, work, { ...rows, input: x.address, output: result.address });
}

/** `upsampleNearest2dGradient` of the contract. */
export function runUpsampleGradient(runner: KernelRunner, g: WasmTensor, result: WasmTensor, factors: Size2d): void {
  const { chunks, work, rows } = planRows(result.shape, factors);
  const addresses = { outputGradient: g.address, inputGradient: result.address };
  runner.run('upsampleGradient', chunks, work, { ...rows, ...addresses });
}

function planRows(
  smallShape: Shape,
  factors: Size2d,
): { readonly chunks: number; readonly work: number; readonly rows: SharedValues<'upsampling'> } {
  const [batch, height, width, channels] = smallShape as readonly [number, number, number, number];
  const [factorDown, factorAcross] = factors;
  const rows = batch * height;
  const rowSize = width * channels * factorDown * factorAcross;
  const rowsPerChunk = Math.max(1, Math.floor(CHUNK_ELEMENTS / Math.max(1, rowSize)));
  return {
    chunks: Math.ceil(rows / rowsPerChunk),
    work: rows * rowSize,
    rows: { rows, width, channels, factorDown, factorAcross, rowsPerChunk },
  };
}

import type { KernelRunner } from './kernel-runner.ts';
import type { WasmTensor } from './wasm-tensor.ts';

/** `softmaxDivergence` of the contract. */
export function runSoftmaxDivergence(
  runner: KernelRunner,
  logits: WasmTensor,
  target: WasmTensor,
  divergence: WasmTensor,
  logitsGradient: WasmTensor,
): void {
  const [batch, classes] = logits.shape;
  const rowsPerChunk = Math.max(1, Math.floor(2048 / Math.max(1, classes)));
  // Three transcendental functions an element, each some eight times as long as the rest.
  runner.run('softmaxDivergence', Math.ceil(batch / rowsPerChunk), logits.size * 24, {
    logits: logits.address,
    target: target.address,
    divergence: divergence.address,
    logitsGradient: logitsGradient.address,
    rows: batch,
    classes,
    rowsPerChunk,
  });
}

import type { AdamStepOptions } from '@dafl/core';
import { KERNEL_ADAM } from './kernel-ids.ts';
import { asFloat, CHUNK_ELEMENTS, type KernelRunner } from './kernel-runner.ts';
import type { WasmTensor } from './wasm-tensor.ts';

/** `adamStep` of the contract: what it reads and what it writes, in the order of its arguments and its result. */
export function runAdam(
  runner: KernelRunner,
  inputs: readonly [parameter: WasmTensor, gradient: WasmTensor, firstMoment: WasmTensor, secondMoment: WasmTensor],
  outputs: readonly [parameter: WasmTensor, firstMoment: WasmTensor, secondMoment: WasmTensor],
  options: AdamStepOptions,
): void {
  const [{ size }] = inputs;
  runner.runElements(KERNEL_ADAM, size, size * 4, [
    ...inputs.map(({ address }) => address),
    ...outputs.map(({ address }) => address),
    size,
    CHUNK_ELEMENTS,
    asFloat(options.stepSize),
    asFloat(options.beta1),
    asFloat(1 - options.beta1),
    asFloat(options.beta2),
    asFloat(1 - options.beta2),
    asFloat(options.secondMomentCorrection),
    asFloat(options.epsilon),
  ]);
}

import type { AdamStepOptions } from '@dafl/core';
import type { KernelRunner } from './kernel-runner.ts';
import type { WasmTensor } from './wasm-tensor.ts';

/** `adamStep` of the contract; the inputs stand in the order of its arguments. */
export function runAdam(
  runner: KernelRunner,
  [parameter, gradient, firstMoment, secondMoment]: readonly [WasmTensor, WasmTensor, WasmTensor, WasmTensor],
  outputs: { readonly parameter: WasmTensor; readonly firstMoment: WasmTensor; readonly secondMoment: WasmTensor },
  options: AdamStepOptions,
): void {
  const { size } = parameter;
  runner.runElements('adam', size, size * 4, {
    parameter: parameter.address,
    gradient: gradient.address,
    firstMoment: firstMoment.address,
    secondMoment: secondMoment.address,
    newParameter: outputs.parameter.address,
    newFirstMoment: outputs.firstMoment.address,
    newSecondMoment: outputs.secondMoment.address,
    stepSize: options.stepSize,
    beta1: options.beta1,
    oneMinusBeta1: 1 - options.beta1,
    beta2: options.beta2,
    oneMinusBeta2: 1 - options.beta2,
    secondMomentCorrection: options.secondMomentCorrection,
    epsilon: options.epsilon,
  });
}

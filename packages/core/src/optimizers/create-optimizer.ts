import type { Variable } from '../autodiff/variable.ts';
import type { TensorBackend } from '../backend.ts';
import { createAdam } from './adam.ts';
import type { Optimizer, OptimizerOptions } from './optimizer.ts';
import { createSgd } from './sgd.ts';

/** Makes the optimizer that `options` names, for these variables. */
export function createOptimizer(
  backend: TensorBackend,
  variables: readonly Variable[],
  options: OptimizerOptions,
): Optimizer {
  return options.kind === 'adam' ? createAdam(backend, variables, options) : createSgd(backend, variables, options);
}

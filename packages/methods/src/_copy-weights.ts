import type { Network } from '@dafl/core';

/** Gives a network the weights of another of the same graph; both go on by themselves. */
export function copyWeights(from: Network, to: Network): void {
  for (const [name, { tensor, shape }] of from.variables) {
    to.variables.get(name)!.assign(to.backend.reshape(tensor, shape));
  }
}

import type { HostTensor } from '@dafl/core';
import type { KerasLayer } from './keras-topology.ts';

/**
 * The stored weights of a model's layers. Weights are asked for by the names that Keras gives them, in its order:
 * `a|b` is called a or b, and `a?` may be absent.
 */
export interface WeightScope {
  /** The weights of a layer; `refuse` ends the reading of the layer. */
  of(layer: KerasLayer, names: readonly string[], refuse: (reason: string) => never): readonly HostTensor[];
  /** Of the layers of a model that is a layer. */
  inside(layer: KerasLayer): WeightScope;
}

/** What a name asks for. */
export interface WantedWeight {
  readonly names: readonly string[];
  readonly isOptional: boolean;
}

/** Parses a name. */
export function wantedWeight(name: string): WantedWeight {
  return { names: name.replace('?', '').split('|'), isOptional: name.endsWith('?') };
}

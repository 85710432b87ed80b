import type { Graph } from '@dafl/core';
import { airbench } from './airbench.ts';
import { lenet5 } from './lenet5.ts';

/** What an architecture may be asked for, whatever it is. */
export interface ArchitectureOptions {
  /** Number of classes, an integer >= 2. Default: the architecture's own. */
  readonly classes?: number;
  /** Name of the graph. Default: the architecture's. */
  readonly name?: string;
}

/** A network that can be had by name, without weights. */
export interface Architecture {
  /** One line for listings. */
  readonly description: string;

  /** @throws {DaflError} `USAGE` if an option is out of range. */
  create(options?: ArchitectureOptions): Graph;
}

/**
 * The built-in architectures by name.
 *
 * @example
 * ```ts
 * [...architectures.keys()]; // ['lenet5', 'lenet5-half']
 * ```
 */
export const architectures: ReadonlyMap<string, Architecture> = new Map<string, Architecture>([
  ['lenet5', { description: 'LeNet-5 for 32x32 images of one channel', create: (options) => lenet5(options) }],
  [
    'lenet5-half',
    { description: 'LeNet-5 at half the width', create: (options) => lenet5({ ...options, width: 0.5 }) },
  ],
  [
    'airbench',
    { description: 'airbench94 for 32x32 images of three channels', create: (options) => airbench(options) },
  ],
  [
    'airbench-0.75',
    {
      description: 'airbench94 at three quarters of the width',
      create: (options) => airbench({ ...options, width: 0.75 }),
    },
  ],
]);

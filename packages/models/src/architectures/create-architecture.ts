import { fail, type Graph, showValue } from '@dafl/core';
import { architectures, type ArchitectureOptions } from './architectures.ts';

/**
 * The graph of a built-in architecture.
 *
 * @param name A key of `architectures`.
 * @throws {DaflError} `USAGE` if there is none of that name or an option is out of range.
 * @example
 * ```ts
 * createArchitecture('lenet5', { classes: 26 }).name; // 'lenet5'
 * ```
 */
export function createArchitecture(name: string, options: ArchitectureOptions = {}): Graph {
  const architecture = architectures.get(name);
  if (architecture === undefined) {
    fail({
      cannot: 'create architecture',
      as: `its name must be one of [${[...architectures.keys()].join(', ')}]`,
      value: showValue(name),
    });
  }
  return architecture.create(options);
}

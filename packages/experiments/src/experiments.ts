import type { Experiment } from './experiment.ts';
import { gauntlet } from './gauntlet.ts';
import { methods } from './methods.ts';
import { table1 } from './table1.ts';
import { table2 } from './table2.ts';
import { table3 } from './table3.ts';

/** All experiments by name. */
export const experiments: ReadonlyMap<string, Experiment> = new Map(
  [gauntlet, methods, table1, table2, table3].map((experiment) => [experiment.name, experiment]),
);

import type { ImageChange } from './change-images.ts';
import type { GauntletNetwork } from './gauntlet-networks.ts';

/** Data that a user must give: its row is skipped where it is missing. */
export type DataName = 'usps' | 'fashion' | 'cifar10' | 'cifar100';

/**
 * What one row runs. Texts in options may be references, which are put in place before the run: `data:usps` (a folder
 * that the user gave) and `row:teacher` (the file that another row's run of the first seed made).
 */
export type Task =
  | {
      readonly kind: 'evaluate';
      readonly model: string;
      /** In place of the model, what a student of it starts as. */
      readonly student?: string;
      readonly data: string;
    }
  /** Makes a data set of others. */
  | { readonly kind: 'derive'; readonly sources: readonly string[]; readonly change: ImageChange }
  /** Makes a classifier of another. */
  | { readonly kind: 'alter'; readonly model: string; readonly folds?: boolean; readonly logitFactor?: number }
  | {
      readonly kind: 'train';
      readonly options: Readonly<Record<string, unknown>>;
      /** In place of an architecture. */
      readonly network?: GauntletNetwork;
    }
  | { readonly kind: 'record'; readonly teacher: string; readonly data: string }
  | { readonly kind: 'distill'; readonly options: Readonly<Record<string, unknown>> };

/** One row of a table. */
export interface ExperimentRow {
  /** Unique in its experiment; letters, digits and `-`. */
  readonly id: string;
  readonly label: string;
  /** Accuracy in percent, or null where none is published. */
  readonly published: number | null;
  readonly seeds: readonly number[];
  readonly task: Task;
  /** Not shown in the table: others need what it makes. */
  readonly isHidden?: boolean;
}

/** A table of runs. */
export interface Experiment {
  readonly name: string;
  readonly title: string;
  /** Where the published figures stand. */
  readonly source: string;
  readonly rows: readonly ExperimentRow[];
}

import type { CheckpointPart } from '../checkpoint.ts';
import type { AnsweredBatch } from './method.ts';

/** What the batches of a bank may take together; the newest stays whatever it takes. */
export const MOST_REPLAY_BYTES: number = 2 ** 29;

/** The last synthetic batches, for the student to learn from more than once; bounded in bytes. */
export interface ReplayBank {
  /** Batches that were added and are still there. */
  readonly size: number;
  /** Takes ownership of a batch; the oldest go when the bank is full. */
  add(batch: AnsweredBatch): void | Promise<void>;
  /** The batch at `index`, 0 being the oldest. It stays the bank's, until the next `release` at least. */
  at(index: number): AnsweredBatch;
  /** Tells that batches given by `at` are no longer read. */
  release(): void;
  parts(): CheckpointPart[];
  /** Puts the parts of a checkpoint in the place of what the bank holds. */
  restore(parts: readonly CheckpointPart[]): Promise<void>;
  dispose(): void;
}

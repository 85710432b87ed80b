import type { Machine } from '../machine/machine.ts';
import type { TrainingOptions } from '../options/training-options.ts';

/** The record beside a trained model. */
export interface TrainingRecord {
  readonly format: 'dafl-training';
  readonly version: 1;
  /** What trains it again. */
  readonly command: string;
  readonly options: TrainingOptions;
  readonly seed: number;
  /** Of the last epoch, 0..1. */
  readonly accuracy: number | null;
  /** What the accuracy was measured on. */
  readonly evaluation: { readonly on: 'validation' | 'test'; readonly count: number };
  readonly evaluations: readonly { readonly epoch: number; readonly step: number; readonly accuracy: number }[];
  readonly steps: number;
  readonly seconds: number;
  readonly backend: string;
  readonly peakMemoryBytes: number;
  readonly machine: Machine;
  readonly versions: Readonly<Record<'dafl' | 'node', string>>;
  /** Of the model file. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

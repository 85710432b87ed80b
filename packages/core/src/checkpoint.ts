import type { HostTensor } from './model/model.ts';

/** A part of a checkpoint that never changes once it exists, so that it is stored once however many checkpoints name it. */
export interface CheckpointPart {
  /** Unique in its run. */
  readonly id: string;
  /** Its tensors by name. Valid until the iterator that gave the checkpoint goes on. */
  read(): Promise<ReadonlyMap<string, HostTensor>>;
}

/** All that a run needs to go on as if it had never stopped. */
export interface Checkpoint {
  readonly version: 1;
  /** Steps done. */
  readonly step: number;
  /** What the run was started with; a checkpoint resumes only a run of the same fingerprint. */
  readonly fingerprint: string;
  /** Positions of random streams, optimizer steps and the like, by name. */
  readonly counters: Readonly<Record<string, number>>;
  /** Weights, moments and averages, by name. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
  /** Replayed batches. */
  readonly parts: readonly CheckpointPart[];
}

/** The entries whose name starts with `prefix`, without it. */
export function tensorsUnder(tensors: ReadonlyMap<string, HostTensor>, prefix: string): Map<string, HostTensor> {
  return new Map(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
}

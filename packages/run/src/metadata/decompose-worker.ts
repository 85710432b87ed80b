/**
 * Decomposes one matrix in a thread of its own, so that the thread which waits for it hears signals.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { decomposeSymmetric } from '@dafl/methods';

const { matrix, size } = workerData as { readonly matrix: Float64Array; readonly size: number };
parentPort!.postMessage(decomposeSymmetric(matrix, size));

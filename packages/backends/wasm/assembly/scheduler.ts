/**
 * Hands the chunks of one kernel at a time to whichever thread is free.
 *
 * All threads share this block of memory (byte offsets from SCHEDULER, each counter on a cache line of its own):
 *
 *     0    generation: raised with every launch; idle workers wait for it to change
 *     64   remaining: chunks not yet taken; counts down, and below zero when threads ask in vain
 *     128  unfinished: chunks not yet done
 *     192  sleepers: workers in memory.atomic.wait32
 *     256  kernel, chunkCount, closing: written before `remaining` is
 *     320  arguments of the kernel
 *
 * A thread takes a chunk by lowering `remaining`. One that comes late, for a launch that is over, either finds nothing
 * left or takes a chunk of the launch that runs by then; both are right, as it reads kernel and arguments only after it
 * holds a chunk, and no launch can end before its chunks are done.
 */
import { ARGUMENTS_ADDRESS } from '../src/kernel-sizes';
import { runChunk } from './generated/run-chunk';

/** Low addresses are no tensor's: the heap begins behind them. */
export const SCHEDULER: usize = ARGUMENTS_ADDRESS - 320;
const GENERATION: usize = SCHEDULER;
const REMAINING: usize = SCHEDULER + 64;
const UNFINISHED: usize = SCHEDULER + 128;
const SLEEPERS: usize = SCHEDULER + 192;
const KERNEL: usize = SCHEDULER + 256;
const CHUNK_COUNT: usize = SCHEDULER + 260;
const CLOSING: usize = SCHEDULER + 264;
const ARGUMENTS: usize = ARGUMENTS_ADDRESS;

/** Rounds that an idle worker spins before it sleeps, and the caller before it yields: roughly 50 microseconds. */
const SPIN_ROUNDS: i32 = 60_000;

/** Nanoseconds that a caller that may block gives way to a worker that the system took off its core. */
const YIELD_NANOSECONDS: i64 = 50_000;

/** Which thread this instance runs on: 0 is the caller. Every instance has its own copy of the global. */
export let threadIndex: i32 = 0;

/** Takes chunks until none is left. */
function takeChunks(): void {
  for (;;) {
    const ticket = atomic.sub<i32>(REMAINING, 1);
    if (ticket <= 0) return;
    runChunk(load<i32>(KERNEL), ARGUMENTS, load<i32>(CHUNK_COUNT) - ticket);
    atomic.sub<i32>(UNFINISHED, 1);
  }
}

/** Runs all chunks of `kernel` on the calling thread. For work too small to share. */
export function runAlone(kernel: i32, chunkCount: i32): void {
  for (let chunk = 0; chunk < chunkCount; chunk++) runChunk(kernel, ARGUMENTS, chunk);
}

/**
 * Runs `kernel` on all threads and returns when every chunk is done.
 *
 * @param mayBlock Whether the caller may wait (not on a browser's main thread). It spins first in any case.
 */
export function runShared(kernel: i32, chunkCount: i32, mayBlock: bool): void {
  store<i32>(KERNEL, kernel);
  store<i32>(CHUNK_COUNT, chunkCount);
  atomic.store<i32>(UNFINISHED, chunkCount);
  atomic.store<i32>(REMAINING, chunkCount);
  atomic.add<i32>(GENERATION, 1);
  if (atomic.load<i32>(SLEEPERS) > 0) atomic.notify(GENERATION, -1);
  takeChunks();
  let rounds = 0;
  for (;;) {
    const unfinished = atomic.load<i32>(UNFINISHED);
    if (unfinished <= 0) return;
    if (++rounds >= SPIN_ROUNDS && mayBlock) {
      // The core may be the one that the other thread needs.
      atomic.wait<i32>(UNFINISHED, unfinished, YIELD_NANOSECONDS);
    }
  }
}

/** The life of worker number `index`: returns once `closeWorkers` was called. */
export function runWorker(index: i32): void {
  threadIndex = index;
  let seen = 0;
  for (;;) {
    let rounds = 0;
    let generation = atomic.load<i32>(GENERATION);
    while (generation == seen) {
      if (++rounds >= SPIN_ROUNDS) {
        atomic.add<i32>(SLEEPERS, 1);
        atomic.wait<i32>(GENERATION, seen, -1);
        atomic.sub<i32>(SLEEPERS, 1);
      }
      generation = atomic.load<i32>(GENERATION);
    }
    seen = generation;
    if (atomic.load<i32>(CLOSING)) return;
    takeChunks();
  }
}

/** Makes every worker return from `runWorker`. */
export function closeWorkers(): void {
  atomic.store<i32>(CLOSING, 1);
  atomic.add<i32>(GENERATION, 1);
  atomic.notify(GENERATION, -1);
}

/**
 * A process that runs steps on one backend and talks in lines, as bench/pytorch-step.py does. The first line of stdin is
 * the setup as JSON; then come `step N`, `matmul`, `memory` and `end`, each but the last answered by a line of JSON.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createStepBenchmark } from '@dafl/run/benchmark';
import { daflVersion, peakMemoryBytes, selectBackend } from '@dafl/run';
import type { BackendSetup } from './list-contestants.ts';

function answer(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

/** The most memory that this program has taken; the system's own figure may include what its parent took. */
function peakBytes(): number {
  if (process.platform !== 'linux') return peakMemoryBytes();
  const [, kibibytes] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return kibibytes === undefined ? peakMemoryBytes() : Number(kibibytes) * 1024;
}

async function main(lines: AsyncIterator<string>): Promise<void> {
  const { case: benchmark, ...options } = JSON.parse((await lines.next()).value as string) as BackendSetup;
  const { backend } = await selectBackend(options);
  try {
    const run = await createStepBenchmark(backend, benchmark);
    answer({
      description: backend.description,
      versions: { dafl: daflVersion(), node: process.versions.node },
      multiplyAccumulates: run.count.multiplyAccumulates,
    });
    for (;;) {
      const [command, parameter] = ((await lines.next()).value ?? 'end').split(' ');
      if (command === 'step') answer(await run.step(Number(parameter)));
      else if (command === 'matmul') answer(await run.measureMatMul());
      else if (command === 'memory') answer({ peakMemoryBytes: peakBytes() });
      else break;
    }
    await run.close();
  } finally {
    await backend.close();
  }
}

const input = createInterface({ input: process.stdin });
try {
  await main(input[Symbol.asyncIterator]());
} catch (error) {
  // The parent says itself that the backend cannot run here.
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  answer({ error: reason instanceof Error ? reason.message : String(reason) });
} finally {
  input.close();
  // Whatever a backend keeps running, such as a device's queue, must not keep the process.
  process.exit();
}

/** `runPair` as a process: the backend's name comes in, one line of JSON goes out. */
import process from 'node:process';
import type { TestedBackendName } from './backends.ts';
import { runPair } from './run-pair.ts';

const outcome = await runPair(process.argv[2] as TestedBackendName);
// Dawn keeps Node running.
process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit());

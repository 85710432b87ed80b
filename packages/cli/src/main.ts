#!/usr/bin/env node
import * as nodeModule from 'node:module';
import { unfitRuntime } from './unfit-runtime.ts';

// Before anything is loaded that an older Node does not understand.
const reason = unfitRuntime(process.versions);
if (reason === undefined) {
  // Deno caches compiled code by itself and has no such function, which an import by name would stumble over.
  (nodeModule as Partial<typeof nodeModule>).enableCompileCache?.();

  const { runCli } = await import('./run-cli.ts');
  const { processTerminal } = await import('./terminal.ts');

  process.exitCode = await runCli(process.argv.slice(2), processTerminal());
} else {
  process.stderr.write(`error: ${reason}\n`);
  process.exitCode = 1;
}

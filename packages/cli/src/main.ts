#!/usr/bin/env node
import * as nodeModule from 'node:module';

// Deno caches compiled code by itself and has no such function, which an import by name would stumble over.
(nodeModule as Partial<typeof nodeModule>).enableCompileCache?.();

const { runCli } = await import('./run-cli.ts');
const { processTerminal } = await import('./terminal.ts');

process.exitCode = await runCli(process.argv.slice(2), processTerminal());

import { z } from 'zod';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';

export const serveCommand: Command = defineCommand({
  name: 'serve',
  description: 'Serve distillations over HTTP. Other machines need the token in the environment variable DAFL_TOKEN.',
  arguments: z.strictObject({
    host: z.string().min(1).default('127.0.0.1').describe('Address to listen on').meta({ placeholder: 'address' }),
    port: z.int().min(0).max(65_535).default(8080).describe('Port; 0 for any that is free'),
    dataFolder: z
      .string()
      .min(1)
      .default('dafl-server')
      .describe('Folder of jobs and uploads')
      .meta({ placeholder: 'folder' }),
    allowedHosts: z
      .array(z.string())
      .optional()
      .describe('Further names under which clients reach the server, with commas between: that of a proxy before it'),
    allowedOrigins: z
      .array(z.string())
      .optional()
      .describe("Origins of other sites' pages that may use the server: https://studio.example"),
  }),
  // Each job gets 7 s to write its checkpoint.
  graceMs: 15_000,
  examples: ['dafl serve', 'DAFL_TOKEN=... dafl serve --host 0.0.0.0 --port 8080'],
  async run(values, { terminal, isJson, isVerbose, signal }) {
    const { serve } = await import('@dafl/server');
    const { dataFolder } = values;
    const token = terminal.environment.DAFL_TOKEN;
    const server = await serve({
      ...values,
      token: token === '' ? undefined : token,
      signal,
      onError: (error) => terminal.alert(`error: ${describe(error, isVerbose)}\n`),
    });
    terminal.out(
      isJson
        ? `${JSON.stringify({ event: 'listening', url: server.url, dataFolder })}\n`
        : `Listening on ${server.url}, jobs in ${dataFolder}. curl ${server.url} lists what it does, Ctrl-C stops it\n`,
    );
    await server.closed;
    return exitCodes.done;
  },
});

function describe(error: unknown, isVerbose: boolean): string {
  if (!(error instanceof Error)) return String(error);
  return isVerbose ? (error.stack ?? error.message) : error.message;
}

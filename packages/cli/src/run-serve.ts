import { serve } from '@dafl/server';
import type { CommandContext, FlagValues } from './command.ts';
import { exitCodes } from './exit-code.ts';
import { integerFlag } from './integer-flag.ts';

/** Runs `dafl serve` until it is interrupted. @returns The exit code. */
export async function runServe(
  values: FlagValues,
  { terminal, isJson, isVerbose, signal }: CommandContext,
): Promise<number> {
  const { host = '127.0.0.1', dataFolder = 'dafl-server', allowedHosts, allowedOrigins } = values;
  const port = integerFlag('serve', values, 'port', { least: 0, most: 65_535 }) ?? 8080;
  const token = terminal.environment.DAFL_TOKEN;
  const server = await serve({
    host: String(host),
    port,
    dataFolder: String(dataFolder),
    token: token === '' ? undefined : token,
    allowedHosts: allowedHosts as string[] | undefined,
    allowedOrigins: allowedOrigins as string[] | undefined,
    signal,
    onError: (error) => terminal.err(`error: ${describe(error, isVerbose)}\n`),
  });
  terminal.out(
    isJson
      ? `${JSON.stringify({ event: 'listening', url: server.url, dataFolder })}\n`
      : `Listening on ${server.url}, jobs in ${String(dataFolder)}. Ctrl-C stops\n`,
  );
  await server.closed;
  return exitCodes.done;
}

function describe(error: unknown, isVerbose: boolean): string {
  if (!(error instanceof Error)) return String(error);
  return isVerbose ? (error.stack ?? error.message) : error.message;
}

import { serve } from '@dafl/server';
import type { CommandContext, FlagValues } from './command.ts';
import { exitCodes } from './exit-code.ts';
import { UsageError } from './usage-error.ts';

/** Runs `dafl serve` until it is interrupted. @returns The exit code. */
export async function runServe(
  values: FlagValues,
  { terminal, isJson, isVerbose, signal }: CommandContext,
): Promise<number> {
  const { host = '127.0.0.1', port = 8080, dataFolder = 'dafl-server', allowedHosts, allowedOrigins } = values;
  if (!Number.isInteger(port) || Number(port) < 0 || Number(port) > 65_535) {
    throw new UsageError(
      `Cannot run 'dafl serve' as 'port' must be an integer >= 0 and <= 65535: current value is ${JSON.stringify(port)}`,
    );
  }
  const token = terminal.environment.DAFL_TOKEN;
  const server = await serve({
    host: String(host),
    port: Number(port),
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

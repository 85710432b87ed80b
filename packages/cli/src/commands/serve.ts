import type { Command, CommandContext, FlagValues } from '../command.ts';
import { parseNumber } from '../flag.ts';

const splitList = (text: string): string[] => text.split(',').map((item) => item.trim());

export const serveCommand: Command = {
  name: 'serve',
  description: 'Serve distillations over HTTP. Other machines need the token in the environment variable DAFL_TOKEN.',
  flags: [
    { name: 'host', key: 'host', placeholder: 'address', description: 'Address to listen on', default: '127.0.0.1' },
    {
      name: 'port',
      key: 'port',
      placeholder: 'number',
      description: 'Port; 0 for any that is free',
      default: 8080,
      parse: parseNumber,
    },
    {
      name: 'data-folder',
      key: 'dataFolder',
      placeholder: 'folder',
      description: 'Folder of jobs and uploads',
      default: 'dafl-server',
    },
    {
      name: 'allowed-hosts',
      key: 'allowedHosts',
      placeholder: 'list',
      description: 'Further names under which clients reach the server, with commas between: that of a proxy before it',
      parse: splitList,
    },
    {
      name: 'allowed-origins',
      key: 'allowedOrigins',
      placeholder: 'list',
      description: "Origins of other sites' pages that may use the server: https://studio.example",
      parse: splitList,
    },
  ],
  // Each job gets 7 s to write its checkpoint.
  graceMs: 15_000,
  examples: ['dafl serve', 'DAFL_TOKEN=... dafl serve --host 0.0.0.0 --port 8080'],
  run: async (values: FlagValues, _operands, context: CommandContext) =>
    await (await import('../run-serve.ts')).runServe(values, context),
};

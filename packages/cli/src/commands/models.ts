import { z } from 'zod';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { formatCount, formatPercent, formatTable } from '../format.ts';

export const modelsCommand: Command = defineCommand({
  name: 'models',
  description: 'List the built-in teachers and architectures.',
  arguments: z.strictObject({}),
  examples: ['dafl models', 'dafl models --json'],
  async run(_, { terminal, isJson }) {
    const { listModels } = await import('../list-models.ts');
    const { teachers, architectures } = await listModels();
    if (isJson) {
      terminal.out(`${JSON.stringify({ event: 'result', teachers, architectures })}\n`);
      return exitCodes.done;
    }
    const head = ['name', 'input', 'classes', 'parameters'];
    const row = ({ name, inputShape, classes, parameters }: (typeof architectures)[number]): string[] => [
      name,
      inputShape.join(' x '),
      String(classes),
      formatCount(parameters),
    ];
    const options = { right: [2, 3], indent: '  ' };
    terminal.out(
      `${terminal.style('bold', 'Teachers')}: dafl distill <name>\n` +
        formatTable(
          [
            [...head, 'accuracy', ''],
            ...teachers.map((teacher) => [
              ...row(teacher),
              `${formatPercent(teacher.accuracy)} on ${teacher.data}`,
              teacher.description,
            ]),
          ],
          options,
        ) +
        `\n${terminal.style('bold', 'Architectures')}: --student <name>, dafl train --architecture <name>; for your classes and images, where these differ\n` +
        formatTable([[...head, ''], ...architectures.map((each) => [...row(each), each.description])], options),
    );
    return exitCodes.done;
  },
});

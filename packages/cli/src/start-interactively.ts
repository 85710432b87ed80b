import { existsSync } from 'node:fs';
import { cancel, confirm, intro, isCancel, log, outro, select, text } from '@clack/prompts';
import { estimateRun, findLocalMnist, formatBytes, parseDistillationOptions } from '@dafl/run';
import { isAddress, writeCommand } from '@dafl/run/options';
import { architectures, listTeachers } from '@dafl/models';
import type { CommandContext, GivenValues } from './command.ts';
import { distillCommand } from './commands/distill.ts';
import { exitCodes } from './exit-code.ts';
import { flagOf } from './flag-of.ts';
import { formatCount, formatSeconds } from './format.ts';

/** How long the estimate may take. */
const PROBE_MS = 1_500;

/**
 * Asks for a teacher, a student and data, tells what the run will take, and runs it: for `dafl` by itself on a terminal.
 *
 * @returns The exit code; 130 if it was left with Ctrl-C.
 */
export async function startInteractively(context: CommandContext): Promise<number> {
  const { terminal, signal } = context;
  intro('dafl: a small student from a trained classifier, without its data');
  const given = await ask(context);
  log.step('Measuring a few steps');
  const { backend, seconds, steps, peakMemoryBytes } = await estimateRun(parseDistillationOptions(given), {
    signal,
    probeMs: PROBE_MS,
    onWarning: ({ message }) => log.warn(message),
  });
  log.info(
    `About ${formatSeconds(seconds)}: ${formatCount(steps)} steps on ${backend}, ${formatBytes(peakMemoryBytes)} of memory`,
  );
  log.info(`The same without questions: ${describeCommand(given)}`);
  if (!(await answerOf(confirm({ message: 'Start?' })))) {
    outro('Nothing was written');
    return exitCodes.done;
  }
  outro('Ctrl-C stops it; it can go on later');
  terminal.err('\n');
  return await distillCommand.run(given, context);
}

async function ask({ terminal }: CommandContext): Promise<GivenValues> {
  const teacher = await askTeacher();
  const student = await askStudent(isAddress(teacher));
  const data = await askData();
  const hasMnist =
    data !== 'mnist' || (await findLocalMnist('test', { environment: terminal.environment })) !== undefined;
  if (!hasMnist) log.info('MNIST is downloaded first: 1.6 MB');
  return { teacher, student, ...(data === undefined ? {} : { eval: data }) };
}

async function askTeacher(): Promise<string> {
  const chosen = await answerOf(
    select({
      message: 'Which classifier is to be made small?',
      options: [
        ...listTeachers().map((name) => ({ value: name, label: name, hint: 'built in' })),
        { value: 'file', label: 'A model file', hint: '.onnx, .pt, .safetensors' },
        { value: 'address', label: 'A model that only answers', hint: 'http://host/v2/models/NAME' },
      ],
    }),
  );
  if (chosen === 'file') return await askPath('Path of the model file');
  if (chosen !== 'address') return chosen;
  return await answerOf(
    text({
      message: 'Its address',
      placeholder: 'http://host/v2/models/NAME',
      validate: (value = '') => (isAddress(value) ? undefined : 'Must begin with http:// or https://'),
    }),
  );
}

async function askStudent(isEndpoint: boolean): Promise<string> {
  const forms = [
    { value: 'half', label: 'Half of its widths', hint: 'a quarter of the parameters' },
    { value: 'quarter', label: 'A quarter of its widths' },
    { value: 'low-rank', label: 'Its own convolutions, each in two parts', hint: 'the closest to it' },
  ];
  const named = { value: 'architecture', label: 'Another architecture' };
  const kind = isEndpoint
    ? named.value
    : await answerOf(select({ message: 'What is the student to be?', options: [...forms, named] }));
  if (kind !== named.value) return kind;
  const options = [...architectures].map(([name, { description }]) => ({
    value: name,
    label: name,
    hint: description,
  }));
  return await answerOf(select({ message: 'Which architecture?', options, maxItems: 10 }));
}

async function askData(): Promise<string | undefined> {
  const chosen = await answerOf(
    select({
      message: 'Are there labelled images to measure its accuracy on? It learns nothing from them',
      options: [
        { value: 'none', label: 'No', hint: 'it is judged without data' },
        { value: 'mnist', label: 'MNIST' },
        { value: 'folder', label: 'A folder', hint: 'a folder of pictures for each class, IDX or CIFAR files' },
      ],
    }),
  );
  if (chosen === 'folder') return await askPath('Path of the folder');
  return chosen === 'none' ? undefined : chosen;
}

async function askPath(message: string): Promise<string> {
  return await answerOf(
    text({ message, validate: (path = '') => (path !== '' && existsSync(path) ? undefined : `There is no '${path}'`) }),
  );
}

/** What was answered. @throws `AbortError` if Ctrl-C or Escape was pressed. */
async function answerOf<Answer>(prompt: Promise<Answer>): Promise<Exclude<Answer, symbol>> {
  const answer = await prompt;
  if (isCancel(answer)) {
    cancel('Nothing was written');
    AbortSignal.abort().throwIfAborted();
  }
  return answer as Exclude<Answer, symbol>;
}

function describeCommand({ teacher, ...others }: GivenValues): string {
  return writeCommand(
    ['dafl', 'distill', String(teacher)],
    Object.entries(others).map(([key, value]) => [flagOf(key), value]),
  );
}

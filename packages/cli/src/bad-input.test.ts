import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeModel } from '@dafl/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tinyData, tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { parseEvents, runDafl } from './_run-dafl.ts';

let home: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'dafl-bad-input-'));
  const bytes = writeModel(tinyTeacher());
  const changed = Uint8Array.from(bytes);
  changed[changed.length - 2] ^= 64;
  const files: Record<string, Uint8Array | string> = {
    'tiny.safetensors': bytes,
    'short.safetensors': bytes.subarray(0, bytes.length - 100),
    'changed.safetensors': changed,
    'page.safetensors': '<!DOCTYPE html><html><body>Sign in to go on</body></html>',
    'text.safetensors': 'This is no model, but a text that is long enough to be one.',
    'four.safetensors': writeModel(tinyTeacher({ classes: 4, name: 'four' })),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(home, name), content);
  mkdirSync(join(home, 'made', 'student'), { recursive: true });
  writeFileSync(join(home, 'made', 'student', 'student.safetensors'), bytes);
  mkdirSync(join(home, 'classes', 'ant'), { recursive: true });
  mkdirSync(join(home, 'taken'));
  writeFileSync(join(home, 'taken', 'run.json'), '{}');
  mkdirSync(join(home, 'data', 'mnist'), { recursive: true });
  for (const [name, content] of tinyData()) writeFileSync(join(home, 'data', 'mnist', name), content);
});
afterAll(() => rmSync(home, { recursive: true }));

const fast = ['--backend', 'cpu', '--steps', '1', '--batch-size', '8', '--generator-widths', '4,4,2', '--out', 'out'];
const distill = (teacher: string, ...more: string[]): string[] => ['distill', '--teacher', teacher, ...fast, ...more];

/** A text stands for itself and nothing more. */
function toPattern(message: string | RegExp): RegExp {
  return typeof message === 'string' ? new RegExp(`^${message.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`) : message;
}

describe('is told in one line, with its exit code, and leaves nothing behind', () => {
  test.each<[string, string[], number, string | RegExp]>([
    [
      'a missing file',
      distill('none.onnx'),
      3,
      "Cannot read 'none.onnx' as it must be a model file or one of [lenet5-mnist]: no such file",
    ],
    [
      'a folder for a file',
      distill('.'),
      3,
      "Cannot read '.' as it must be a model file or one of [lenet5-mnist]: a folder without model.json",
    ],
    [
      'a run for its student',
      ['predict', 'made', 'picture.png'],
      3,
      `Cannot read 'made' as it must be a model file or one of [lenet5-mnist]: a run, whose student is '${join('made', 'student', 'student.safetensors')}'`,
    ],
    [
      'an address for a file',
      ['inspect', 'http://localhost:9/v2/models/x'],
      3,
      "Cannot read 'http://localhost:9/v2/models/x' as it must be a model file or one of [lenet5-mnist]: an address, which only the teacher of a distillation can be",
    ],
    [
      'a run among classes',
      [...distill('tiny.safetensors', '--eval', 'classes'), '--out', join('classes', 'run')].filter(
        (word, index, all) => word !== 'out' && !(word === '--out' && all[index + 1] === 'out'),
      ),
      2,
      `Cannot write to '${join('classes', 'run')}' as '--eval' must not hold it, as its folders are classes: current value is classes`,
    ],
    [
      'a name of another format',
      ['train', '--data', 'data', '--out', 'out.onnx'],
      2,
      "Cannot write 'out.onnx' as the file of a trained model must be named .safetensors (dafl convert makes other formats of it): current value is 'out.onnx'",
    ],
    [
      'a wheel that is not there',
      ['doctor', '--setup-tensorflow', 'none.whl'],
      2,
      /^Cannot set TensorFlow up as ('none\.whl' must exist: give a tensorflow|the system must be Linux|a C\+\+ compiler must)/,
    ],
    [
      'no teacher',
      ['distill', ...fast],
      2,
      "Cannot run 'dafl distill' as '<teacher>' must be given: current value is none. Type dafl distill <teacher>: a model file, or a built-in one that 'dafl models' lists",
    ],
    [
      'an unknown flag',
      distill('tiny.safetensors', '--stpes', '5'),
      2,
      "Cannot run 'dafl distill' as each flag must be known: current value is '--stpes'. Did you mean '--steps'?",
    ],
    [
      'a flag without its value',
      ['distill', '--teacher'],
      2,
      "Cannot run 'dafl distill' as '--teacher' must have a value: current value is none",
    ],
    [
      'a surplus word',
      distill('tiny.safetensors', 'extra'),
      2,
      "Cannot run 'dafl distill' as nothing must stand without a flag: current value is 'extra'",
    ],
    [
      'a value out of range',
      distill('tiny.safetensors', '--steps', '0'),
      2,
      "Cannot run 'dafl distill' as '--steps' must be an integer >= 1: current value is 0",
    ],
    [
      'a value of another kind',
      ['distill', '--teacher', 'tiny.safetensors', '--backend', 'cpu', '--time-budget', '30', '--out', 'out'],
      2,
      "Cannot run 'dafl distill' as '--time-budget' must be a time such as 90s, 5m or 1h: current value is '30'",
    ],
    ...['abc', '0', '-3', '65'].map((threads): [string, string[], number, string] => [
      `${threads} threads`,
      ['evaluate', '--model', 'tiny.safetensors', '--data', 'data', '--threads', threads],
      2,
      `Cannot run 'dafl evaluate' as '--threads' must be an integer >= 1 and <= 64: current value is ${threads === 'abc' ? "'abc'" : threads}`,
    ]),
    [
      'no replay, and more updates than one',
      distill('tiny.safetensors', '--method', 'dafl', '--replay-batches', '0'),
      2,
      "Cannot distill as '--student-steps' must be 1 where '--replay-batches' is 0: current value is 16, the preset's",
    ],
    [
      'a web page for a model',
      distill('page.safetensors'),
      3,
      /^Cannot read 'page\.safetensors' as a model as .*: current format is an HTML page$/,
    ],
    [
      'an unknown command',
      ['distil'],
      2,
      "Cannot run dafl as the command must be one of [distill, estimate, demo, train, record, evaluate, models, inspect, predict, convert, quantize, samples, runs, runs compare, serve, experiment, bench, completion, doctor]: current value is 'distil'. Did you mean 'distill'?",
    ],
    [
      'a report, which is no command',
      ['report', 'made'],
      2,
      /current value is 'report'\. distill and train write the report by themselves: report\.html in the folder of the run, or beside the model$/,
    ],
    [
      "a command's flag before it",
      ['--steps', '5', 'distill', 'tiny.safetensors'],
      2,
      "Cannot run dafl as a flag before the command must be one of [--json, --quiet, --no-images, --verbose, --help-all, -q, --help, -h, --version, -V]: current value is '--steps'. Flags of a command stand after it",
    ],
    [
      'a missing operand',
      ['inspect'],
      2,
      "Cannot run 'dafl inspect' as '<model>' must be given: current value is none. Type dafl inspect <model>",
    ],
    ['a text for a model', distill('text.safetensors'), 3, /^Cannot read 'text\.safetensors' as /],
    [
      'a truncated model',
      distill('short.safetensors'),
      3,
      /^Cannot read 'short\.safetensors' as safetensors as it must hold the \d+ bytes that its header names: current value is \d+ \(cut off there\)$/,
    ],
    ['a corrupted model', distill('changed.safetensors'), 3, /^Cannot read 'changed\.safetensors' as a model as /],
    [
      'a student with other classes',
      distill('tiny.safetensors', '--student', 'four.safetensors'),
      3,
      "Cannot distill 'tiny' into 'four' as the student must have 3 classes: current value is 4",
    ],
    [
      'a missing student',
      distill('tiny.safetensors', '--student', 'hlaf'),
      3,
      /^Cannot read 'hlaf' as it must be a model file or one of \[half, quarter, low-rank, lenet5, lenet5-half.*\]: no such file\. Did you mean 'half'\?$/,
    ],
    [
      'a folder without data',
      distill('tiny.safetensors', '--eval', 'none'),
      3,
      "Cannot read data from 'none' as it must be 'mnist', a folder or a .tar.gz: no such folder",
    ],
    [
      'data with another hash',
      distill('tiny.safetensors', '--eval', 'mnist'),
      3,
      /^Cannot use '.*t10k-images-idx3-ubyte' as MNIST as its SHA-256 must be 0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7: current value is [0-9a-f]{64}\. Delete the file to have it downloaded again$/,
    ],
    [
      'a folder that holds another run',
      ['distill', '--teacher', 'tiny.safetensors', '--backend', 'cpu', '--out', 'taken'],
      2,
      "Cannot write to 'taken' as it must not hold another run: current content is 'run.json'. Choose another folder",
    ],
    [
      'a folder without a run to go on with',
      ['distill', '--resume', 'data'],
      2,
      "Cannot resume 'data' as it must hold a run: run.json is missing",
    ],
    [
      'a record that is none',
      ['distill', '--resume', 'taken'],
      3,
      "Cannot read 'taken/run.json' as it must be the record of a run, version 1: current content is another",
    ],
    [
      'flags that exclude each other',
      ['distill', '--resume', 'data', '--seeds', '2'],
      2,
      "Cannot run 'dafl distill' as --resume and --seeds must not be given both: current value is both",
    ],
    [
      'a time budget for a run that goes on',
      ['distill', '--resume', 'data', '--time-budget', '5m'],
      2,
      "Cannot run 'dafl distill' as --resume and --time-budget must not be given both: current value is both",
    ],
    [
      'steps and a time, before any is measured',
      ['distill', 'tiny.safetensors', '--steps', '3', '--time-budget', '5s', '--out', 'out'],
      2,
      "Cannot distill as '--steps' and '--time-budget' must not be given both: current value is both",
    ],
    [
      'more seeds than there are',
      ['distill', 'tiny.safetensors', '--seed', '4294967295', '--seeds', '2', '--out', 'out'],
      2,
      "Cannot run 'dafl distill' as '--seeds' must be at most 1 from --seed 4294967295 on: current value is 2",
    ],
    [
      'a latent vector that fits nowhere',
      distill('tiny.safetensors', '--latent-size', '1e15'),
      2,
      "Cannot run 'dafl distill' as '--latent-size' must be an integer >= 1 and <= 65536: current value is 1000000000000000",
    ],
    [
      'an option that would change nothing',
      distill('tiny.safetensors', '--evaluate-every', '2'),
      2,
      "Cannot distill as '--evaluate-every' must not be given where '--eval' names no images, as it would change nothing: current value is 2",
    ],
    [
      'momentum for adam',
      ['train', '--data', 'data', '--momentum', '0.9', '--out', 'out.safetensors'],
      2,
      "Cannot train with the optimizer 'adam' as '--momentum' must not be given (it is an option of sgd): current value is 0.9",
    ],
    [
      'how a built-in teacher takes pixels',
      ['inspect', 'lenet5-mnist', '--input-size', '64'],
      2,
      "Cannot use 'lenet5-mnist' as '--input-size' must not be given for a built-in teacher, which says so itself: current value is [64]",
    ],
    [
      'the folder of a run for its options',
      ['distill', '--config', 'taken'],
      3,
      `Cannot read 'taken' as it must be a JSON file with options: current value is a run, whose options are '${join('taken', 'run.json')}'`,
    ],
    [
      'a configuration that is no JSON',
      ['distill', '--config', 'text.safetensors'],
      3,
      /^Cannot read 'text\.safetensors' as it must be JSON: /,
    ],
  ])('%s', async (_, parameters, code, message) => {
    const outcome = await runDafl(parameters, { cwd: home, environment: { DAFL_DATA_DIR: join(home, 'data') } });
    const [line, ...rest] = outcome.stderr.split('\n');
    expect(rest).toEqual(['']);
    expect(line.replace(/^error: /, '')).toMatch(toPattern(message));
    expect(line).toMatch(/^error: /);
    expect(outcome).toMatchObject({ code, stdout: '' });
    expect(existsSync(join(home, 'out'))).toBe(false);
    expect(readdirSync(join(home, 'taken'))).toEqual(['run.json']);
  });
});

test('under --json the error is an event as well', async () => {
  const { code, stdout, stderr } = await runDafl([...distill('none.onnx'), '--json'], { cwd: home });
  const message = "Cannot read 'none.onnx' as it must be a model file or one of [lenet5-mnist]: no such file";
  expect(code).toBe(3);
  expect(parseEvents(stdout)).toEqual([{ event: 'error', code: 'MODEL', message }]);
  expect(stderr).toBe(`error: ${message}\n`);
});

test('only --verbose shows where it came from', async () => {
  const { stderr } = await runDafl([...distill('none.onnx'), '--verbose'], { cwd: home });
  expect(stderr).toMatch(/\n {4}at .*load-model/);
  expect(stderr).toContain('caused by Error: ENOENT');
});

const canMount = process.platform === 'linux' && process.getuid?.() === 0;

// Only root may mount a small disk to fill.
describe.runIf(canMount)('a full disk', () => {
  test('keeps the last checkpoint, says what to do, and the run goes on once there is room', async () => {
    const disk = join(home, 'disk');
    mkdirSync(disk);
    const mount = (options: string) => spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk]).status === 0;
    // A container may forbid even root to mount.
    if (!mount('size=160k')) return;
    try {
      const out = join(disk, 'run');
      const flags = [
        '--backend',
        'cpu',
        '--steps',
        '40',
        '--batch-size',
        '16',
        '--generator-widths',
        '8,8,4',
        '--sample-every',
        '0',
        '--checkpoint-every',
        '4',
      ];
      const full = await runDafl(['distill', '--teacher', join(home, 'tiny.safetensors'), ...flags, '--out', out]);
      expect(full.code).toBe(4);
      expect(full.stderr).toMatch(
        /\nerror: Cannot write '.*' as the disk must have room: current error is ENOSPC\. Free some space \(.* free\), then go on with --resume \S*run\n$/,
      );
      const left = readdirSync(out, { recursive: true }).map(String);
      expect(left.filter((name) => name.endsWith('.tmp') || name.endsWith('.lock'))).toEqual([]);
      expect(left.some((name) => /step-\d+\.safetensors$/.test(name))).toBe(true);
      expect(spawnSync('mount', ['-o', 'remount,size=8m', disk]).status).toBe(0);
      const resumed = await runDafl(['distill', '--resume', out, '--json']);
      expect(resumed.code).toBe(0);
      const whole = await runDafl([
        'distill',
        '--teacher',
        join(home, 'tiny.safetensors'),
        ...flags,
        '--out',
        join(home, 'whole'),
        '--json',
      ]);
      const sha256 = (stdout: string) => parseEvents(stdout).at(-1)?.studentSha256;
      expect(sha256(resumed.stdout)).toBe(sha256(whole.stdout));
      expect(readFileSync(join(out, 'run.json'), 'utf8')).toContain('"state": "finished"');
    } finally {
      spawnSync('umount', [disk]);
    }
  });
});

test.runIf(existsSync('/dev/full')).each(['models', 'models --json', 'inspect lenet5-mnist'])(
  'output that its disk does not take is an error, not a stack: dafl %s',
  (line) => {
    const full = openSync('/dev/full', 'w');
    const main = join(import.meta.dirname, 'main.ts');
    const { status, stderr } = spawnSync(process.execPath, [main, ...line.split(' ')], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    closeSync(full);
    expect(stderr).toBe(
      'error: Cannot write the output as the file that it goes to must take it: current error is ENOSPC: no space left on device, write\n',
    );
    expect(status).toBe(4);
  },
);

test('what a command has written by a flag elsewhere may be named by it too', async () => {
  const model = join(home, 'tiny.safetensors');
  for (const parameters of [
    ['convert', model, '--out', join(home, 'by-flag.onnx')],
    ['convert', model, join(home, 'by-place.onnx')],
    ['quantize', model, '--out', join(home, 'by-flag.int8.onnx'), '--backend', 'cpu'],
    ['quantize', model, join(home, 'by-place.int8.onnx'), '--backend', 'cpu'],
  ]) {
    expect(await runDafl(parameters)).toMatchObject({ code: 0 });
  }
  for (const end of ['onnx', 'int8.onnx'])
    expect(readFileSync(join(home, `by-flag.${end}`)).equals(readFileSync(join(home, `by-place.${end}`)))).toBe(true);
});

test('a file whose name begins as flags do is told how it is given', async () => {
  writeFileSync(join(home, '-tiny.safetensors'), writeModel(tinyTeacher()));
  const { code, stderr } = await runDafl(['inspect', '-tiny.safetensors'], { cwd: home });
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr:
      "error: Cannot run 'dafl inspect' as each flag must be known: current value is '-tiny.safetensors'. A file of this name is given as ./-tiny.safetensors\n",
  });
  expect(await runDafl(['inspect', './-tiny.safetensors'], { cwd: home })).toMatchObject({ code: 0 });
});

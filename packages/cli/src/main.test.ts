import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeModel, writeOnnx } from '@dafl/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tinyData, tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { isPlain, parseEvents, runDafl } from './_run-dafl.ts';

let home: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'dafl-cli-'));
  writeFileSync(join(home, 'tiny.safetensors'), writeModel(tinyTeacher()));
  mkdirSync(join(home, 'data'));
  for (const prefix of ['train', 't10k']) {
    for (const [name, content] of tinyData({ prefix })) writeFileSync(join(home, 'data', name), content);
  }
});
afterAll(() => rmSync(home, { recursive: true }));

const small = [
  '--backend',
  'cpu',
  '--batch-size',
  '8',
  '--latent-size',
  '4',
  '--generator-widths',
  '4,4,2',
  '--replay-batches',
  '4',
  '--student-steps',
  '2',
];
const distill = (out: string, ...more: string[]): string[] => [
  'distill',
  '--teacher',
  'tiny.safetensors',
  ...small,
  '--out',
  out,
  ...more,
];
const run = (parameters: string[], options: object = {}) => runDafl(parameters, { cwd: home, ...options });

describe('dafl distill', () => {
  test('--json: a line for each event on stdout, the result last', async () => {
    const { code, stdout, stderr } = await run(distill('json', '--steps', '4', '--eval', 'data', '--json'));
    expect(code).toBe(0);
    const events = parseEvents(stdout);
    expect(events[0]).toMatchObject({ event: 'prepared', folder: 'json', steps: 4 });
    expect(events.filter(({ event }) => event === 'step')).toHaveLength(4);
    expect(events.find(({ event }) => event === 'samples')).not.toHaveProperty('images');
    expect(events.at(-1)).toMatchObject({
      event: 'result',
      accuracy: expect.any(Number) as number,
      agreement: expect.any(Number) as number,
      seconds: expect.any(Number) as number,
      steps: 4,
      backend: 'cpu (pure TypeScript, float32)',
      seed: 0,
      files: { student: join('json', 'student', 'student.safetensors'), report: join('json', 'report.html') },
    });
    expect(events.at(-1)).not.toHaveProperty('student');
    expect(isPlain(stdout + stderr)).toBe(true);
    expect(existsSync(join(home, 'json', 'student', 'student.safetensors'))).toBe(true);
  });

  test('off a terminal: plain progress on stderr, a summary on stdout', async () => {
    const { code, stdout, stderr } = await run(distill('plain', '--steps', '4'));
    expect(code).toBe(0);
    expect(isPlain(stdout + stderr)).toBe(true);
    expect(stderr).toMatch(
      /^Backend: cpu \(pure TypeScript, float32\), as asked for\nMethod: dafl, as 'latentSize' is an option of dafl\ntiny -> tiny-half, seed 0, 4 steps, starting from the teacher's strongest channels\n/,
    );
    expect(stderr).toMatch(/\nstep 4\/4 {2}done {2}distillation /);
    expect(stdout).toMatch(
      /^tiny-half: agrees with its teacher on [\d.]+ % of fresh synthetic images\nThat is no accuracy: for one, name labelled images with --eval\nJudged without data: [^\n]+ as [^\n]+ on \d+ % of \d+ pictures that it did not learn from/,
    );
    expect(stdout).toContain('plain/student/student.safetensors');
    expect(stdout).toMatch(/\nNext: dafl evaluate plain\/student\/student\.safetensors --data <folder>\n$/);
  });

  test.each([
    [{ FORCE_COLOR: '1' }, false],
    [{ NO_COLOR: '1' }, true],
    [{}, true],
  ])('colours with %j', async (environment, plain) => {
    const { stdout } = await run(distill(`colour-${JSON.stringify(environment).length}`, '--steps', '1'), {
      environment,
    });
    expect(isPlain(stdout)).toBe(plain);
  });

  test('run.json repeats a run, --seed then makes another', async () => {
    const sha256 = async (...parameters: string[]) =>
      parseEvents((await run([...parameters, '--json'])).stdout).at(-1)?.studentSha256;
    const first = await sha256(...distill('first', '--steps', '3', '--seed', '4', '--temperature', '2'));
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(await sha256('distill', '--config', 'first/run.json', '--out', 'again')).toBe(first);
    expect(await sha256('distill', '--config', 'first/run.json', '--out', 'other', '--seed', '5')).not.toBe(first);
  });

  test('--seeds runs several and sums up', async () => {
    const { code, stdout } = await run(
      distill('seeds', '--steps', '2', '--seed', '3', '--seeds', '3', '--eval', 'data', '--json'),
    );
    expect(code).toBe(0);
    const results = parseEvents(stdout).filter(({ event }) => event === 'result');
    expect(results).toHaveLength(4);
    const accuracies = results.slice(0, 3).map(({ accuracy }) => accuracy as number);
    const mean = accuracies.reduce((total, value) => total + value, 0) / 3;
    expect(results[3]).toMatchObject({
      accuracy: mean,
      mean,
      minimum: Math.min(...accuracies),
      maximum: Math.max(...accuracies),
      seeds: [3, 4, 5].map((seed, index) => ({
        seed,
        accuracy: accuracies[index],
        folder: join('seeds', `seed-${seed}`),
      })),
    });
    expect(readdirSync(join(home, 'seeds'))).toEqual(['report.html', 'seed-3', 'seed-4', 'seed-5', 'seeds.json']);
    const text = await run(distill('seeds-text', '--steps', '1', '--seeds', '2'));
    expect(text.stdout).toMatch(
      /Agreement with the teacher \(no accuracy\) over 2 seeds\n {2}seed 0: .*\n {2}seed 1: .*\n {2}mean .* %, sd .* %, min .* %, max .* %\n$/,
    );
  });

  test('--time-budget fits the steps to the time, and run.json repeats them', async () => {
    const { code, stdout, stderr } = await run(distill('budget', '--time-budget', '1s', '--json'));
    expect(code).toBe(0);
    const events = parseEvents(stdout);
    const result = events.at(-1) as { event: string; steps: number; studentSha256: string };
    expect(stderr).toContain('Measuring how many steps fit 1.0 s\n');
    const { steps } = events.find(({ event }) => event === 'prepared') as { event: string; steps: number };
    expect(stderr).toContain(`Planned for ${steps} steps; the time decides\n`);
    const repeated = await run(['distill', '--config', 'budget/run.json', '--out', 'budget-again', '--json']);
    const { studentSha256 } = result;
    expect(parseEvents(repeated.stdout).at(-1)).toMatchObject({ steps: result.steps, studentSha256 });
  });

  test('without --out the run gets a folder of its own', async () => {
    const parameters = ['distill', '--teacher', 'tiny.safetensors', ...small, '--steps', '1'];
    await run(parameters);
    await run(parameters);
    expect(readdirSync(join(home, 'runs'))).toEqual(['tiny-half', 'tiny-half-2']);
  });
});

describe('interruption', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s finishes the step, writes a checkpoint and says how to go on',
    async (signal) => {
      const out = `stopped-${signal}`;
      let isSent = false;
      const stopped = await run(distill(out, '--steps', '60', '--json'), {
        onOutput: (text: string, kill: (signal: NodeJS.Signals) => void) => {
          if (isSent || !text.includes('"step":3,')) return;
          isSent = true;
          kill(signal);
        },
      });
      expect(stopped.code).toBe({ SIGINT: 130, SIGTERM: 143 }[signal]);
      const events = parseEvents(stopped.stdout);
      expect(events.slice(-2)).toMatchObject([{ event: 'checkpoint' }, { event: 'interrupted', folder: out }]);
      expect(stopped.stderr).toMatch(
        new RegExp(
          `Stopping in good order\\. Once more to stop at once\\n(.*\\n)*Interrupted after step \\d+ of 60\\. Go on with\\n {2}dafl distill --resume ${out}\\n$`,
        ),
      );
      expect(existsSync(join(home, out, 'run.lock'))).toBe(false);
      const resumed = await run(['distill', '--resume', out, '--json']);
      expect(resumed.code).toBe(0);
      const whole = await run(distill(`whole-${signal}`, '--steps', '60', '--json'));
      expect(parseEvents(resumed.stdout).at(-1)?.studentSha256).toBe(parseEvents(whole.stdout).at(-1)?.studentSha256);
      const again = await run(['distill', '--resume', out]);
      expect(again.code).toBe(0);
      expect(again.stdout).toContain(`The run in '${out}' had ended already; nothing was computed`);
    },
  );

  test('--resume goes on with all of --seeds', async () => {
    const seeds = (out: string) => distill(out, '--steps', '30', '--seeds', '3', '--json');
    let heard = '';
    let isSent = false;
    const stopped = await run(seeds('seeds-stopped'), {
      onOutput: (text: string, kill: (signal: NodeJS.Signals) => void) => {
        heard += text;
        const starts = heard.split('"event":"start"');
        if (isSent || starts.length < 3 || !starts[2].includes('"step":3,')) return;
        isSent = true;
        kill('SIGINT');
      },
    });
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain('Go on with\n  dafl distill --resume seeds-stopped\n');
    expect(existsSync(join(home, 'seeds-stopped', 'seed-2'))).toBe(false);
    const refused = await run(seeds('seeds-stopped'));
    expect(refused.stderr).toContain("it must not hold other runs: current content is 'seeds.json'");
    const resumed = await run(['distill', '--resume', 'seeds-stopped', '--json']);
    expect(resumed.code).toBe(0);
    const students = (stdout: string) =>
      (parseEvents(stdout).at(-1)!.seeds as { seed: number; studentSha256: string }[]).map(
        ({ seed, studentSha256 }) => [seed, studentSha256],
      );
    expect(students(resumed.stdout)).toEqual(students((await run(seeds('seeds-whole'))).stdout));
    expect(students(resumed.stdout)).toHaveLength(3);
  });

  test('a killed run goes on to the same student', async () => {
    const killed = await run(distill('killed', '--steps', '60', '--checkpoint-every', '3'), {
      onOutput: (text: string, kill: (signal: NodeJS.Signals) => void) => {
        if (text.includes('step 15/60')) kill('SIGKILL');
      },
    });
    expect(killed.code).toBeNull();
    expect(existsSync(join(home, 'killed', 'run.lock'))).toBe(true);
    const resumed = await run(['distill', '--resume', 'killed', '--json']);
    const whole = await run(distill('not-killed', '--steps', '60', '--json'));
    expect(parseEvents(resumed.stdout).find(({ event }) => event === 'start')?.resumedAt).toBeGreaterThan(0);
    expect(parseEvents(resumed.stdout).at(-1)?.studentSha256).toBe(parseEvents(whole.stdout).at(-1)?.studentSha256);
  });

  test('the second one stops at once', async () => {
    const out = await run(distill('twice', '--steps', '4000'), {
      onOutput: (text: string, kill: (signal: NodeJS.Signals) => void) => {
        // Both before the step under way ends.
        if (text.startsWith('step ')) for (const signal of ['SIGTERM', 'SIGINT'] as const) kill(signal);
      },
    });
    expect([130, 143]).toContain(out.code);
  });
});

describe('the other commands', () => {
  test('dafl train, evaluate and inspect', async () => {
    const trained = await run([
      'train',
      '--architecture',
      'tiny.safetensors',
      '--data',
      'data',
      '--epochs',
      '2',
      '--batch-size',
      '8',
      '--backend',
      'cpu',
      '--out',
      'trained.safetensors',
    ]);
    expect(trained.code).toBe(0);
    expect(trained.stdout).toMatch(/^[\d.]+ % on the test images, 6 steps in /);
    const record = JSON.parse(readFileSync(join(home, 'trained.json'), 'utf8')) as {
      command: string;
      accuracy: number;
    };
    expect(record.command).toBe(
      'dafl train --architecture tiny.safetensors --data data --epochs 2 --batch-size 8 --backend cpu --out trained.safetensors',
    );

    const evaluated = await run([
      'evaluate',
      '--model',
      'trained.safetensors',
      '--data',
      'data',
      '--backend',
      'cpu',
      '--json',
    ]);
    expect(parseEvents(evaluated.stdout)).toMatchObject([{ event: 'result', accuracy: record.accuracy, count: 24 }]);
    const text = await run(['evaluate', '--model', 'trained.safetensors', '--data', 'data', '--backend', 'cpu']);
    expect(text.stdout).toMatch(/^tiny: [\d.]+ % of 24 test images of data, .*\n\n {2}class {2}images/);

    const inspected = await run(['inspect', 'trained.safetensors']);
    expect(inspected.stdout.replace(/SHA-256 .*/, 'SHA-256 ...')).toMatchInlineSnapshot(`
      "tiny: 3 classes, input 8 x 8 x 1

        layer     kind        output     parameters    share  multiply-adds    share  role
        conv      conv2d      4 x 4 x 4          40  17.02 %            576  75.00 %
        relu      activation  4 x 4 x 4
        features  flatten     64                                                      features
        logits    dense       3                 195  82.98 %            192  25.00 %  logits
                                                235                     768

      Pixels in 0..1, then (pixel - [0.5]) / [0.5]; other sizes are resized (bilinear)
      Weights 940 B, file 2.0 kB, SHA-256 ...
      "
    `);
    const json = await run(['inspect', 'trained.safetensors', '--json']);
    expect(parseEvents(json.stdout)).toMatchObject([{ event: 'result', name: 'tiny', classes: 3, parameters: 235 }]);
  });

  test('dafl samples looks into a model, by methods that need no run', async () => {
    const draw = (...flags: string[]) =>
      run([
        'samples',
        'tiny.safetensors',
        '--per-class',
        '2',
        '--out',
        'known.png',
        '--synthesis-steps',
        '2',
        ...flags,
      ]);
    for (const method of ['deep-inversion', 'pool', 'nayer']) {
      expect(await draw('--method', method)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(new RegExp(`^known\\.png: \\d images, made by ${method}\\n$`)) as string,
      });
    }
    expect(await draw()).toMatchObject({
      code: 2,
      stderr:
        "error: Cannot draw samples as '--synthesis-steps' must come with --method, which it belongs to: current value is 2\n",
    });
    // As every command that reads a model: what its file leaves open can be said, and is told.
    const { graph, weights } = tinyTeacher();
    writeFileSync(join(home, 'open.onnx'), writeOnnx({ graph: { ...graph, preprocessing: undefined }, weights }));
    const open = (...flags: string[]) =>
      run(['samples', 'open.onnx', '--method', 'pool', '--synthesis-steps', '1', '--out', 'open.png', ...flags]);
    expect((await open()).stderr).toMatch(/^note: .*--mean/m);
    const said = await open('--mean', '0.5', '--std', '0.5');
    expect(said.code).toBe(0);
    expect(said.stderr).not.toContain('note:');
  });

  test('dafl samples draws from the last checkpoint of a run', async () => {
    await run(distill('sampled', '--steps', '4', '--checkpoint-every', '2'));
    const drawn = await run(['samples', 'sampled', '--seed', '3', '--per-class', '4', '--out', 'drawn.png']);
    expect(drawn).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^drawn\.png: \d+ images, of the run's method after step 4\n$/) as string,
    });
    const first = readFileSync(join(home, 'drawn.png'));
    await run(['samples', 'sampled', '--seed', '3', '--per-class', '4', '--out', 'drawn.png']);
    expect(readFileSync(join(home, 'drawn.png')).equals(first)).toBe(true);
    await run(['samples', 'sampled', '--seed', '4', '--per-class', '4', '--out', 'drawn.png']);
    expect(readFileSync(join(home, 'drawn.png')).equals(first)).toBe(false);
    // A run without checkpoints keeps the state that it ended with.
    await run(distill('unsaved', '--steps', '3', '--checkpoint-every', '0'));
    expect((await run(['samples', 'unsaved', '--out', 'unsaved.png'])).stdout).toMatch(
      /of the run's method after step 3\n$/,
    );
    expect(await run(['samples', 'data'])).toMatchObject({
      code: 2,
      stderr: "error: Cannot draw samples of 'data' as it must hold a run: run.json is missing\n",
    });
  });

  test('dafl demo replaces an earlier demo, and nothing else', async () => {
    for (const seed of ['0', '1']) {
      const { code, stdout } = await run(['demo', '--steps', '1', '--seed', seed, '--json']);
      expect(code).toBe(0);
      expect(parseEvents(stdout).at(-1)).toMatchObject({ event: 'result', seed: Number(seed), folder: 'dafl-demo' });
    }
    // As like a demo as can be.
    const mine = ['distill', '--teacher', 'lenet5-mnist', '--student', 'half', '--steps', '1', '--out', 'mine'];
    expect(await run(mine)).toMatchObject({ code: 0 });
    expect(await run(['demo', '--steps', '1', '--out', 'mine'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        "error: Cannot run the demo in 'mine' as it must hold nothing else than an earlier demo: current content is another run. Choose another folder with --out\n",
      ) as string,
    });
  });

  test('dafl serve answers until it is stopped', async () => {
    const answers: Promise<number>[] = [];
    const served = await run(['serve', '--port', '0', '--data-folder', 'served'], {
      onOutput: (text: string, kill: (signal: NodeJS.Signals) => void) => {
        const url = /Listening on (http:\S+),/.exec(text)?.[1];
        if (url === undefined) return;
        const answer = fetch(`${url}/v2/health/ready`).then(({ status }) => status);
        answers.push(answer);
        void answer.finally(() => kill('SIGINT'));
      },
    });
    expect(served.code).toBe(0);
    expect(await Promise.all(answers)).toEqual([200]);
    expect((await run(['serve', '--host', '0.0.0.0', '--port', '0'])).code).toBe(2);
  });

  test('dafl doctor', async () => {
    const { code, stdout } = await run(['doctor', '--json']);
    expect(code).toBe(0);
    expect(parseEvents(stdout)).toMatchObject([
      {
        event: 'result',
        backends: [{ name: 'node' }, { name: 'webgpu' }, { name: 'wasm' }, { name: 'cpu', isAvailable: true }],
        machine: { cores: expect.any(Number) as number },
      },
    ]);
  });

  test('dafl --version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });
});

test('dafl --help loads neither core nor a backend', () => {
  const main = new URL('./main.ts', import.meta.url);
  const script = `process.argv = ['node', 'dafl', '--help']; const { registerHooks } = await import('node:module');
    registerHooks({ load(url, context, next) { process._rawDebug(url); return next(url, context); } }); await import('${main.href}');`;
  const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(status).toBe(0);
  expect(stderr).toContain('/cli/src/run-cli.ts');
  expect(stderr).not.toMatch(/\/(core|backends|models|run|server)\/src\/|\/zod\//);
});

describe('dafl record and the method metadata', () => {
  const metadata = ['--method', 'metadata', '--metadata', 'metadata.safetensors', '--batch-size', '6', '--steps', '1'];

  test('what was recorded of a teacher makes a student of it, and of no other', async () => {
    const recorded = ['record', '--teacher', 'tiny.safetensors', '--data', 'data', '--out', 'metadata.safetensors'];
    const first = await run([...recorded, '--backend', 'cpu', '--json']);
    expect(first).toMatchObject({ code: 0 });
    expect(parseEvents(first.stdout).at(-1)).toMatchObject({ event: 'result', images: 24 });
    expect(await run([...recorded, '--backend', 'cpu'])).toMatchObject({ code: 2 });

    const distilled = ['distill', '--teacher', 'tiny.safetensors', '--backend', 'cpu', ...metadata, '--json'];
    const { code, stdout } = await run([...distilled, '--out', 'from-metadata']);
    expect(code).toBe(0);
    expect(parseEvents(stdout).at(-1)).toMatchObject({ event: 'result', steps: 1 });

    const other = ['distill', '--teacher', 'lenet5-mnist', '--backend', 'cpu', ...metadata, '--out', 'refused'];
    const refused = await run(other);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toMatch(/it must be recorded of the teacher, whose SHA-256 is/);
  });
});

test('dafl estimate tells what a run will take and writes nothing', async () => {
  const before = readdirSync(home);
  const { code, stdout } = await run([
    'estimate',
    '--teacher',
    'tiny.safetensors',
    ...small,
    '--steps',
    '40',
    '--eval',
    'data',
    '--json',
  ]);
  expect(code).toBe(0);
  const estimate = parseEvents(stdout).at(-1) as Record<string, number>;
  expect(estimate).toMatchObject({ event: 'result', steps: 40, teacher: 'tiny', student: 'tiny-half' });
  expect(estimate.preparationSeconds).toBeGreaterThan(0);
  expect(estimate.seconds).toBeGreaterThan(estimate.preparationSeconds + 40 * estimate.secondsPerStep * 0.99);
  expect(estimate.peakMemoryBytes).toBeGreaterThan(1e6);
  expect(readdirSync(home)).toEqual(before);
});

test.each(['--version', '--help', '', 'completion bash', 'models', 'predict --help', 'nothing', 'runs'])(
  'dafl %s --json writes lines of JSON and nothing else',
  async (line) => {
    const { stdout } = await run([...line.split(' ').filter(Boolean), '--json']);
    const events = parseEvents(stdout);
    expect(events.map(({ event }) => event)).toEqual([expect.stringMatching(/^(version|commands|error|result|help)$/)]);
  },
);

import { createCpuBackend } from '@dafl/backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { quarterImages, tinyGraph, trainTinyTeacher } from './_testing/tiny-classifier.ts';
import { watchBackend } from './_testing/watch-backend.ts';
import { activationNode, normNode } from './_testing/nodes.ts';
import { collectEvents, runToResult, tinyDafl, tinyRun } from './_testing/tiny-run.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { DistillEvent } from './distill-event.ts';
import { distill, type DistillOptions } from './distill.ts';
import { DaflError } from './errors.ts';
import { evaluate } from './evaluate.ts';
import { dafl } from './methods/dafl.ts';
import type { Method } from './methods/method.ts';
import { procedural } from './methods/procedural.ts';
import { inheritWeights } from './model/inherit-weights.ts';
import { initializeWeights } from './model/initialize-weights.ts';
import type { Graph, HostTensor, Model } from './model/model.ts';
import { createNetwork } from './model/network.ts';
import { shrink } from './model/shrink.ts';
import { createRandomStream } from './random.ts';

const backend = createCpuBackend();
let teacher: Model;
beforeAll(async () => {
  teacher = await trainTinyTeacher(backend);
});

const live = (): number => backend.memory().tensors;

/** What a checkpoint holds once it was written down. */
async function store(checkpoint: Checkpoint): Promise<Checkpoint> {
  const parts = await Promise.all(
    checkpoint.parts.map(async (part) => {
      const tensors: ReadonlyMap<string, HostTensor> = await part.read();
      return { id: part.id, read: () => Promise.resolve(tensors) };
    }),
  );
  return { ...checkpoint, parts };
}

/** Runs to the end, with a stored checkpoint of every step. */
async function runWithCheckpoints(
  options: DistillOptions,
): Promise<{ events: DistillEvent[]; checkpoints: Checkpoint[] }> {
  const events: DistillEvent[] = [];
  const checkpoints: Checkpoint[] = [];
  for await (const event of distill({ ...options, checkpointEvery: 1 })) {
    if (event.event === 'checkpoint') checkpoints.push(await store(event.checkpoint));
    else events.push(event);
  }
  return { events, checkpoints };
}

/** Everything that a checkpoint must carry: replay, dropout, an adversary. */
function everything(changes: Partial<DistillOptions> = {}): DistillOptions {
  const options = tinyRun(backend, teacher, {
    steps: 6,
    dafl: { replay: { batches: 3, studentSteps: 2 }, adversarialWeight: 0.1 },
    ...changes,
  });
  return { ...options, student: { ...tinyGraph([3, 8], 0.25), name: 'tiny-student' } };
}

describe('events', () => {
  it('come in their order', async () => {
    const evaluation = quarterImages(40, 3);
    const options = tinyRun(backend, teacher, {
      steps: 5,
      evaluation,
      sampleEvery: 2,
      evaluateEvery: 2,
      checkpointEvery: 2,
    });
    const events = await collectEvents(options);
    const told = events.filter(({ event }) => event !== 'warning');
    expect(told.map((event) => ('step' in event ? `${event.event} ${event.step}` : event.event))).toEqual([
      'start',
      'evaluation 0',
      'evaluation 0',
      'step 1',
      'step 2',
      'samples 2',
      'evaluation 2',
      'checkpoint 2',
      'step 3',
      'step 4',
      'samples 4',
      'evaluation 4',
      'checkpoint 4',
      'step 5',
      'student 5',
      'checkpoint 5',
      'samples 5',
      'evaluation 5',
      'result 5',
    ]);
    const networks = events.flatMap((event) => (event.event === 'evaluation' ? [event.network] : []));
    expect(networks).toEqual(['teacher', 'student', 'student', 'student', 'student']);
  });

  it('tell who starts', async () => {
    const [start] = await collectEvents(tinyRun(backend, teacher));
    expect(start).toEqual({
      event: 'start',
      method: 'dafl',
      backend: 'cpu (pure TypeScript, float32)',
      seed: 1,
      steps: 3,
      resumedAt: 0,
      teacher: { name: 'tiny', parameters: 380, multiplyAccumulates: 2624 },
      student: { name: 'tiny-student', parameters: 170, multiplyAccumulates: 1856 },
      initialization: 'random',
      isFitted: false,
    });
  });

  it('tell the losses of each step, the time and what is left of it', async () => {
    let now = 0;
    const clock = () => (now += 250);
    const events = await collectEvents(tinyRun(backend, teacher, { clock, dafl: { adversarialWeight: 0.1 } }));
    const steps = events.filter((event) => event.event === 'step');
    expect(steps.map(({ step, steps, seconds, secondsLeft }) => ({ step, steps, seconds, secondsLeft }))).toEqual([
      { step: 1, steps: 3, seconds: 0.25, secondsLeft: 0.5 },
      { step: 2, steps: 3, seconds: 0.5, secondsLeft: 0.25 },
      { step: 3, steps: 3, seconds: 0.75, secondsLeft: 0 },
    ]);
    const names = ['oneHot', 'informationEntropy', 'activation', 'adversarial', 'distillation'];
    for (const { losses, studentImages } of steps) {
      expect(Object.keys(losses)).toEqual(names);
      expect(Object.values(losses).every(Number.isFinite)).toBe(true);
      expect(studentImages).toBe(16);
    }
  });

  it('show samples sorted by class, as pixels, each with its confidence', async () => {
    const options = tinyRun(backend, teacher, { samplesPerClass: 3 });
    const samples = (await collectEvents(options)).find((event) => event.event === 'samples')!;
    expect(samples).toMatchObject({ step: 3, height: 8, width: 8, channels: 1, classes: 4, perClass: 3 });
    const labels = [...samples.labels];
    expect(labels.length).toBeGreaterThan(0);
    expect(labels).toEqual([...labels].sort((a, b) => a - b));
    for (const label of labels) expect(labels.filter((other) => other === label).length).toBeLessThanOrEqual(3);
    expect(samples.confidences.length).toBe(labels.length);
    expect(samples.confidences.every((confidence) => confidence >= 0.25 && confidence <= 1)).toBe(true);
    expect(samples.images.length).toBe(labels.length * 64);
    expect(samples.images.every((pixel) => pixel >= 0 && pixel <= 1)).toBe(true);
  });

  it('warn of a generator that makes one class only', async () => {
    // Only sure answers count, whatever the class.
    const options = tinyRun(backend, teacher, {
      steps: 30,
      dafl: {
        informationEntropyWeight: 0,
        activationWeight: 0,
        generatorSchedule: { kind: 'constant', learningRate: 0.1 },
        generator: { ...tinyDafl.generator, output: { kind: 'pixels', contrast: 4, brightness: -2 } },
      },
    });
    const warnings = (await collectEvents(options)).filter((event) => event.event === 'warning');
    expect(warnings.map(({ code }) => code)).toContain('MISSING_CLASSES');
    expect(warnings.every(({ step }) => step === 30)).toBe(true);
  });

  it('end with the student, its agreement and its accuracy', async () => {
    const evaluation = quarterImages(40, 3);
    const events = await collectEvents(tinyRun(backend, teacher, { evaluation }));
    const result = events.at(-1)!;
    expect(result).toMatchObject({ event: 'result', step: 3, steps: 3, seed: 1, backend: backend.description });
    const evaluations = events.filter((event) => event.event === 'evaluation');
    expect(result).toMatchObject({
      teacherAccuracy: evaluations[0].accuracy,
      accuracy: evaluations[1].accuracy,
    });
    const { accuracy, teacherAccuracy } = await runToResult(tinyRun(backend, teacher));
    expect([accuracy, teacherAccuracy]).toEqual([undefined, undefined]);
  });
});

it('learns from the logits behind probabilities, and says so', async () => {
  const { graph } = teacher;
  const { logits } = graph.outputs;
  const sure: Model = {
    ...teacher,
    graph: {
      ...graph,
      nodes: [
        ...graph.nodes,
        activationNode('p', logits, 'softmax'),
        { kind: 'affine', name: 'once', inputs: ['p'], factor: [1], summand: [0] },
      ],
      outputs: { ...graph.outputs, logits: 'once' },
    },
  };
  const events = await collectEvents(tinyRun(backend, sure));
  expect(events).toContainEqual({
    event: 'warning',
    code: 'PROBABILITIES',
    step: 0,
    message: "The logits are what Softmax 'p' at its end reads",
  });
  const plain = await collectEvents(tinyRun(backend, teacher));
  const studentIn = (all: typeof events) => all.find(({ event }) => event === 'student');
  expect(studentIn(events)).toEqual(studentIn(plain));
});

describe('methods of others', () => {
  const plugin = (start: Method['start']): Partial<DistillOptions> => ({
    method: { name: 'plugin', options: {}, start },
  });

  it('leave nothing alive where their start fails', async () => {
    const before = backend.memory().tensors;
    const start: Method['start'] = (context) => {
      context.backend.fill([2], 1);
      throw new Error('cannot start');
    };
    await expect(collectEvents(tinyRun(backend, teacher, plugin(start)))).rejects.toThrow('cannot start');
    expect(backend.memory().tensors).toBe(before);
  });

  it('may take steps of their own, in which the student does not learn', async () => {
    const before = backend.memory().tensors;
    const start: Method['start'] = (context) => {
      const inner = dafl(tinyDafl).start(context);
      return {
        ...inner,
        async step(step) {
          const { batches, losses } = await inner.step(step);
          for (const loss of Object.values(losses)) context.backend.dispose(loss);
          return step === 1 ? { batches: [], losses: {} } : { batches, losses: {} };
        },
      };
    };
    const events = await collectEvents(tinyRun(backend, teacher, plugin(start)));
    const losses = events.flatMap((event) => (event.event === 'step' ? [Object.keys(event.losses)] : []));
    expect(losses).toEqual([['distillation'], [], ['distillation']]);
    expect(events.at(-1)!.event).toBe('result');
    expect(backend.memory().tensors).toBe(before);
  });
});

describe('what a run depends on', () => {
  it('is not what is only looked at', async () => {
    const plain = await runToResult(everything());
    const watched = await runToResult(
      everything({
        evaluation: quarterImages(40, 3),
        evaluateEvery: 1,
        sampleEvery: 2,
        samplesPerClass: 2,
        checkpointEvery: 1,
        clock: () => Math.random(),
      }),
    );
    expect(watched.student).toEqual(plain.student);
    expect(watched.agreement).toBe(plain.agreement);
  });

  it('is the seed', async () => {
    const first = await runToResult(everything());
    expect(await runToResult(everything())).toEqual(first);
    expect((await runToResult(everything({ seed: 2 }))).student.weights).not.toEqual(first.student.weights);
  });

  it('is each part of the training', async () => {
    const { weights } = (await runToResult(tinyRun(backend, teacher))).student;
    for (const training of [
      { temperature: 1 },
      { optimizer: { kind: 'sgd' } },
      { schedule: { kind: 'constant', learningRate: 1e-3 } },
      { initialization: 'auto' },
    ] as const) {
      const student = training.initialization === 'auto' ? { student: shrink(teacher.graph, 0.5) } : {};
      const changed = await runToResult(tinyRun(backend, teacher, { training, ...student }));
      expect(changed.student.weights).not.toEqual(weights);
    }
  });
});

describe('the first weights of the student', () => {
  /** The weights before the first step. */
  async function firstWeights(options: DistillOptions): Promise<[string, ReadonlyMap<string, HostTensor>]> {
    const events = await collectEvents({ ...options, signal: AbortSignal.abort() });
    const start = events.find((event) => event.event === 'start')!;
    const { checkpoint } = events.find((event) => event.event === 'checkpoint')!;
    const own = [...checkpoint.tensors].filter(([name]) => name.startsWith('student/'));
    return [start.initialization, new Map(own.map(([name, tensor]) => [name.slice('student/'.length), tensor]))];
  }

  it('are drawn from the seed, or taken from the teacher', async () => {
    const student = shrink(teacher.graph, 0.5);
    const drawn = initializeWeights(student, createRandomStream(1, 'student weights')).weights;
    const inherited = inheritWeights(teacher, student).weights;
    const first = (initialization: 'random' | 'teacher' | 'auto') =>
      firstWeights(tinyRun(backend, teacher, { student, training: { initialization } }));
    expect(await first('random')).toEqual(['random', drawn]);
    expect(await first('teacher')).toEqual(['teacher', inherited]);
    expect(await first('auto')).toEqual(['teacher', inherited]);
  });

  it('are those that are given, unless random ones are asked for', async () => {
    const student = shrink(teacher.graph, 0.5);
    const studentWeights = initializeWeights(student, createRandomStream(9, 'given')).weights;
    const first = (initialization: 'random' | 'teacher' | 'auto') =>
      firstWeights({ ...tinyRun(backend, teacher, { student, training: { initialization } }), studentWeights });
    expect(await first('teacher')).toEqual(['given', studentWeights]);
    expect(await first('auto')).toEqual(['given', studentWeights]);
    expect((await first('random'))[0]).toBe('random');
  });

  it('belong to the run: others are another one', async () => {
    const student = shrink(teacher.graph, 0.5);
    const run = tinyRun(backend, teacher, { student, steps: 2 });
    const given = (seed: number): DistillOptions => ({
      ...run,
      studentWeights: initializeWeights(student, createRandomStream(seed, 'given')).weights,
    });
    const { checkpoints } = await runWithCheckpoints(given(1));
    await expect(collectEvents({ ...given(2), resume: checkpoints[0] })).rejects.toThrow(/must be of this run/);
  });

  it('are drawn where the student is no narrower form of the teacher, unless that is asked for', async () => {
    const { nodes, ...rest } = tinyGraph([3, 8]);
    const student = {
      ...rest,
      nodes: nodes
        .filter(({ name }) => name !== 'dropout')
        .map((node) => (node.name === 'logits' ? { ...node, inputs: ['hidden.relu'] } : node)),
    };
    const run = (initialization: 'teacher' | 'auto') =>
      tinyRun(backend, teacher, { student, training: { initialization } });
    expect((await firstWeights(run('auto')))[0]).toBe('random');
    const events = await collectEvents(run('auto'));
    expect(events.find(({ event }) => event === 'warning')).toEqual({
      event: 'warning',
      code: 'RANDOM_START',
      step: 0,
      message:
        "The student starts from random weights. Cannot inherit weights of 'tiny' for 'tiny' as the student must have its 8 nodes: current value is 7",
    });
    await expect(collectEvents(run('teacher'))).rejects.toThrow(
      "Cannot inherit weights of 'tiny' for 'tiny' as the student must have its 8 nodes: current value is 7",
    );
    expect(live()).toBe(0);
  });
});

describe("the student's batch norms", () => {
  const normed = (): Model => {
    const nodes = teacher.graph.nodes.flatMap((node): Graph['nodes'] =>
      node.name === 'conv.relu' ? [normNode('norm', 'conv'), { ...node, inputs: ['norm'] }] : [node],
    );
    return initializeWeights({ ...teacher.graph, nodes }, createRandomStream(1, 'normed'));
  };

  it.each(['moving', 'fixed'] as const)('follow its batches or keep what they start with: %s', async (statistics) => {
    const model = normed();
    const options = tinyRun(backend, model, {
      student: model.graph,
      training: { initialization: 'auto', batchNormStatistics: statistics },
    });
    const { student } = await runToResult({ ...options, studentWeights: model.weights });
    const changed = (name: string): boolean =>
      student.weights.get(name)!.data.some((value, index) => value !== model.weights.get(name)!.data[index]);
    expect(changed('norm.runningMean')).toBe(statistics === 'moving');
    expect(changed('norm.runningVariance')).toBe(statistics === 'moving');
    for (const name of ['norm.scale', 'norm.offset', 'conv.kernel']) expect(changed(name)).toBe(true);
  });
});

describe('interruption', () => {
  it('gives a checkpoint of the last whole step and says so', async () => {
    const controller = new AbortController();
    const events: DistillEvent[] = [];
    for await (const event of distill(tinyRun(backend, teacher, { steps: 5, signal: controller.signal }))) {
      events.push(event);
      if (event.event === 'step' && event.step === 2) controller.abort();
    }
    expect(events.map(({ event }) => event)).toEqual(['start', 'step', 'step', 'checkpoint', 'interrupted']);
    expect(events.at(-1)).toEqual({ event: 'interrupted', step: 2, steps: 5 });
    expect(events.at(-2)).toMatchObject({ step: 2, checkpoint: { version: 1, step: 2 } });
    expect(live()).toBe(0);
  });

  it('before the first step gives a checkpoint that is the start', async () => {
    const options = tinyRun(backend, teacher);
    const events = await collectEvents({ ...options, signal: AbortSignal.abort() });
    expect(events.map(({ event }) => event)).toEqual(['start', 'checkpoint', 'interrupted']);
    const { checkpoint } = events.find((event) => event.event === 'checkpoint')!;
    expect((await runToResult({ ...options, resume: checkpoint })).student).toEqual(
      (await runToResult(options)).student,
    );
  });

  it.each([1, 4, 30])(
    'fits and whitens the student anew where that was interrupted, and leaves nothing behind: turn %i',
    async (turns) => {
      const fitted = tinyRun(backend, teacher, {
        student: shrink(teacher.graph, 0.5),
        training: { initialization: 'teacher', fitsLayers: true, whitensInputs: true },
      });
      const controller = new AbortController();
      let left = turns;
      const turn = async (): Promise<void> => void (--left === 0 && controller.abort());
      const events = await collectEvents({ ...fitted, turn, signal: controller.signal });
      expect(events.map(({ event }) => event)).toEqual(['start', 'checkpoint', 'interrupted']);
      expect(events[0]).toMatchObject({ initialization: 'teacher', isFitted: true });
      const { checkpoint } = events.find((event) => event.event === 'checkpoint')!;
      expect(checkpoint.step).toBe(0);
      expect((await runToResult({ ...fitted, resume: checkpoint })).student).toEqual(
        (await runToResult(fitted)).student,
      );
      expect(live()).toBe(0);
    },
  );

  it.each([2, 3, 4])('gives up the first step of a session, however long it takes: turn %i', async (turns) => {
    const method = procedural({ batchSize: 8, studentSteps: 4 });
    const options = tinyRun(backend, teacher, { method });
    const stopIn = async (changes: Partial<DistillOptions>): Promise<DistillEvent[]> => {
      const controller = new AbortController();
      let left = turns;
      const turn = async (): Promise<void> => void (--left === 0 && controller.abort());
      return collectEvents({ ...options, ...changes, turn, signal: controller.signal });
    };
    const whole = await collectEvents({ ...options, checkpointEvery: 1 });
    const { checkpoint } = whole.find((event) => event.event === 'checkpoint')!;
    expect(await stopIn({})).toMatchObject([{ event: 'start' }, { event: 'interrupted', step: 0 }]);
    // In the drawing of the pictures that there were, or in its first step.
    expect((await stopIn({ resume: checkpoint })).at(-1)).toMatchObject({ event: 'interrupted', step: 1 });
    expect(live()).toBe(0);
  });

  it.each(['step', 'checkpoint', 'samples'])(
    'after the last step leaves the reports to resumption: %s',
    async (last) => {
      const options = tinyRun(backend, teacher, { evaluation: quarterImages(40, 3) });
      const whole = await runToResult(options);
      const controller = new AbortController();
      const events: DistillEvent[] = [];
      for await (const event of distill({ ...options, signal: controller.signal })) {
        events.push(event);
        if (event.event === last && 'step' in event && event.step === 3) controller.abort();
      }
      expect(events.at(-1)).toEqual({ event: 'interrupted', step: 3, steps: 3 });
      const { checkpoint } = events.findLast((event) => event.event === 'checkpoint')!;
      expect(checkpoint).toMatchObject({ step: 3, parts: [] });
      expect(await runToResult({ ...options, resume: checkpoint })).toEqual(whole);
      expect(live()).toBe(0);
    },
  );

  it('is heard while a backend computes without ever waiting', async () => {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), 20);
    const events = await collectEvents(tinyRun(backend, teacher, { steps: 100_000, signal: controller.signal }));
    clearTimeout(timer);
    expect(events.at(-1)).toMatchObject({ event: 'interrupted', steps: 100_000 });
  });

  it('writes checkpoints after a time as well, where steps are slow', async () => {
    let now = 0;
    const clock = () => (now += 100);
    const events = await collectEvents(
      tinyRun(backend, teacher, { steps: 12, clock, checkpointEvery: 5, checkpointEveryMs: 150 }),
    );
    const steps = events.flatMap((event) => (event.event === 'checkpoint' ? [event.step] : []));
    expect(steps.length).toBeGreaterThan(3);
    expect(steps.length).toBeLessThan(12);
    const plain = await runToResult(tinyRun(backend, teacher, { steps: 12 }));
    expect(events.at(-1)).toMatchObject({ event: 'result', student: plain.student });
  });

  it('takes the turn that it is given', async () => {
    let turns = 0;
    const turn = async () => void turns++;
    const replay = { batches: 2, studentSteps: 4 };
    await collectEvents(tinyRun(backend, teacher, { turn, steps: 5, dafl: { replay } }));
    expect(turns).toBeGreaterThanOrEqual(5 * (1 + 4));
  });

  it.each(['teacher', 'student'])('ends the evaluation of the %s', async (network) => {
    const controller = new AbortController();
    let isEvaluating = network === 'teacher';
    let turns = 0;
    const options = tinyRun(backend, teacher, {
      evaluation: quarterImages(2_000, 3),
      signal: controller.signal,
      turn: async () => {
        if (isEvaluating && ++turns === 2) controller.abort();
      },
    });
    const events: DistillEvent[] = [];
    for await (const event of distill(options)) {
      events.push(event);
      if (event.event === 'samples') isEvaluating = true;
    }
    expect(events.filter((event) => event.event === 'evaluation' && event.network === network)).toEqual([]);
    expect(events.at(-1)).toMatchObject({ event: 'interrupted', step: network === 'teacher' ? 0 : 3 });
    expect(live()).toBe(0);
  });
});

describe('reporting', () => {
  /** A method whose images cannot be drawn. */
  function unsampled(): Method {
    const method = dafl(tinyDafl);
    return {
      ...method,
      start: (context) => ({
        ...method.start(context),
        sample: () => {
          throw new Error('no room');
        },
      }),
    };
  }

  it('comes after the student, and costs nothing where it fails', async () => {
    const plain = await runToResult(tinyRun(backend, teacher));
    const events = await collectEvents(tinyRun(backend, teacher, { method: unsampled(), sampleEvery: 2 }));
    expect(events.filter(({ event }) => event === 'warning')).toEqual(
      [2, 3].map((step) => ({
        event: 'warning',
        code: 'REPORT_FAILED',
        step,
        message: `Cannot draw samples after step ${step}, and goes on without: no room`,
      })),
    );
    expect(events.at(-1)).toMatchObject({ event: 'result', student: plain.student, agreement: undefined });
    const order = events.map(({ event }) => event);
    expect(order.indexOf('student')).toBeLessThan(order.lastIndexOf('warning'));
    expect(live()).toBe(0);
  });

  it('draws its images once, and none larger than a batch of the method', async () => {
    const counts: number[] = [];
    const watched = (): Method => {
      const method = dafl(tinyDafl);
      return {
        ...method,
        start(context) {
          const session = method.start(context);
          return {
            ...session,
            async sample(random) {
              const drawn = await session.sample(random);
              counts.push(drawn.images.shape[0]);
              return drawn;
            },
          };
        },
      };
    };
    await collectEvents(tinyRun(backend, teacher, { method: watched() }));
    expect(counts).toEqual(Array(32).fill(16));
  });

  it('takes no more tensors at once than a step', async () => {
    const watched = watchBackend(createCpuBackend());
    let ofSteps = 0;
    let ofReports = 0;
    for await (const event of distill(tinyRun(watched.backend, teacher))) {
      const peak = watched.takePeak();
      if (event.event === 'step') ofSteps = Math.max(ofSteps, peak);
      if (event.event === 'samples' || event.event === 'result') ofReports = Math.max(ofReports, peak);
    }
    expect(ofReports).toBeLessThanOrEqual(ofSteps);
  });
});

describe('a length that changes on the way', () => {
  const schedule = { kind: 'cosine', learningRate: 0.01 } as const;
  const methods: [string, () => DistillOptions][] = [
    ['a generator', () => everything({ steps: 8 })],
    [
      'pictures that are drawn by share of the run',
      () => ({
        ...everything({ steps: 8 }),
        method: procedural({ batchSize: 16, studentSteps: 2, pictures: 400 }),
      }),
    ],
  ];
  it.each(methods)('is repeated and resumed bit for bit by its changes: %s', async (_, optionsOf) => {
    const base = optionsOf();
    const options = { ...base, training: { ...base.training, schedule } };
    const replan = (done: number, end: number): number => ({ 2: 12, 5: 7 })[done] ?? end;
    const { events, checkpoints } = await runWithCheckpoints({ ...options, replan });
    const pace = events.findLast((event) => event.event === 'pace')!.pace;
    expect(pace).toEqual([
      { step: 2, end: 12 },
      { step: 5, end: 7 },
    ]);
    const student = (list: DistillEvent[]) => list.find((event) => event.event === 'student')!;
    expect(student(events)).toMatchObject({ step: 7 });
    const repeated = await collectEvents({ ...options, pace });
    expect(student(repeated)).toEqual(student(events));
    for (const checkpoint of checkpoints) {
      const resumed = await collectEvents({ ...options, pace, resume: checkpoint });
      expect(student(resumed)).toEqual(student(events));
    }
    // Two changes, one of which the second checkpoint knows.
    await expect(collectEvents({ ...options, resume: checkpoints[1] })).rejects.toMatchObject({ code: 'CHECKPOINT' });
    expect(await collectEvents(options)).not.toContainEqual(student(events));
    expect(live()).toBe(0);
  });

  it('may end at once', async () => {
    const events = await collectEvents(tinyRun(backend, teacher, { steps: 8, replan: (done) => Math.max(3, done) }));
    expect(events.at(-1)).toMatchObject({ event: 'result', step: 3, steps: 3 });
    const steps = events.filter((event) => event.event === 'step');
    expect(steps.map(({ steps: end }) => end)).toEqual([3, 3, 3]);
    const early = await collectEvents(tinyRun(backend, teacher, { steps: 8, replan: (done) => done }));
    expect(early.filter(({ event }) => event === 'step' || event === 'samples')).toHaveLength(2);
  });
});

describe('whitened inputs', () => {
  it.each([true, false])('are what the optimizer works with, where the training says so: %s', async (whitensInputs) => {
    const { checkpoints } = await runWithCheckpoints(tinyRun(backend, teacher, { training: { whitensInputs } }));
    const last = [...checkpoints.values()].at(-1)!;
    const names = [...last.tensors.keys()].filter((name) => name.endsWith('.whitened/transform'));
    const layers = ['conv', 'hidden', 'logits'].map((layer) => `studentOptimizer/${layer}.whitened/transform`);
    expect(names).toEqual(whitensInputs ? layers : []);
  });
});

describe('batch norms that are folded in the end', () => {
  it('are what a student from random weights learns with, and not what it comes out with', async () => {
    const options = tinyRun(backend, teacher, { judges: true, keeps: 'best', training: { normalizesLayers: true } });
    const { events, checkpoints } = await runWithCheckpoints(options);
    const { student } = events.find((event) => event.event === 'student')!;
    expect(student.graph).toEqual(options.student);
    expect([...student.weights.keys()]).toEqual([
      ...initializeWeights(options.student, createRandomStream(1, '')).weights.keys(),
    ]);
    const norms = [...checkpoints[0].tensors.keys()].filter((name) => /^student\/.*\.runningMean$/.test(name));
    expect(norms).toEqual(['conv', 'hidden'].map((layer) => `student/${layer}/norm.runningMean`));
    // What was measured is what comes out.
    const evaluation = quarterImages(40, 3);
    const result = await runToResult({ ...options, evaluation });
    const network = createNetwork(backend, result.student);
    expect((await evaluate(network, evaluation)).accuracy).toBe(result.accuracy);
    network.dispose();
    expect(live()).toBe(0);
  });

  it('are left out of students that start from weights', async () => {
    const training = { normalizesLayers: true, initialization: 'teacher' } as const;
    const options = tinyRun(backend, teacher, { student: shrink(teacher.graph, 0.5), training });
    const { checkpoints } = await runWithCheckpoints(options);
    expect([...checkpoints[0].tensors.keys()].filter((name) => /^student\/.*norm/.test(name))).toEqual([]);
  });
});

describe('resumption', () => {
  const kinds: [string, () => DistillOptions][] = [
    ['with replay, dropout and an adversary', () => everything()],
    [
      'as in the paper',
      () =>
        tinyRun(backend, teacher, { steps: 4, dafl: { generatorSchedule: { kind: 'constant', learningRate: 0.2 } } }),
    ],
    [
      'two-stage, with SGD',
      () =>
        tinyRun(backend, teacher, {
          steps: 4,
          dafl: { schedule: 'two-stage', generatorOptimizer: { kind: 'sgd', momentum: 0.9, nesterov: true } },
          training: { optimizer: { kind: 'sgd', momentum: 0.9, weightDecay: 5e-4 } },
        }),
    ],
    [
      'fitted layers',
      () =>
        tinyRun(backend, teacher, {
          student: shrink(teacher.graph, 0.5),
          training: { initialization: 'teacher', fitsLayers: true, hintWeight: 1 },
        }),
    ],
    ['whitened inputs', () => tinyRun(backend, teacher, { training: { whitensInputs: true } })],
    ['batch norms that are folded', () => tinyRun(backend, teacher, { training: { normalizesLayers: true } })],
  ];
  it.each(kinds)('gives the same student bit for bit from every checkpoint: %s', async (_, optionsOf) => {
    const options = optionsOf();
    const { events, checkpoints } = await runWithCheckpoints(options);
    expect(checkpoints.map(({ step }) => step)).toEqual(
      Array.from({ length: options.steps }, (_step, index) => index + 1),
    );
    for (const checkpoint of checkpoints) {
      const resumed = await collectEvents({ ...options, resume: checkpoint });
      expect(resumed[0]).toMatchObject({ event: 'start', resumedAt: checkpoint.step });
      // All that follows, losses included, is what followed then.
      const isLast = checkpoint.step === options.steps;
      const expected = events.filter(
        (event) =>
          'step' in event &&
          (event.step > checkpoint.step || (isLast && event.step === checkpoint.step && event.event !== 'step')),
      );
      expect(resumed.slice(1).filter(({ event }) => event !== 'checkpoint')).toEqual(expected);
    }
    expect(live()).toBe(0);
  });

  it('may be interrupted again', async () => {
    const options = everything();
    const expected = (await runToResult(options)).student;
    let resume: Checkpoint | undefined;
    let student: Model | undefined;
    for (let round = 0; round < 7; round++) {
      const controller = new AbortController();
      for await (const event of distill({ ...options, resume, signal: controller.signal })) {
        if (event.event === 'step') controller.abort();
        if (event.event === 'checkpoint') resume = await store(event.checkpoint);
        if (event.event === 'result') student = event.student;
      }
    }
    expect(resume!.step).toBe(6);
    expect(student).toEqual(expected);
  });

  it('names the parts of the bank alike from checkpoint to checkpoint', async () => {
    const { checkpoints } = await runWithCheckpoints(everything());
    expect(checkpoints.map(({ parts }) => parts.map(({ id }) => Number(id.slice('replay-'.length))))).toEqual([
      [0],
      [0, 1],
      [0, 1, 2],
      [1, 2, 3],
      [2, 3, 4],
      [],
    ]);
  });

  it('refuses a checkpoint of another run', async () => {
    const options = everything();
    const { checkpoints } = await runWithCheckpoints({ ...options, steps: 2 });
    const [resume] = checkpoints;
    const other = (changes: Partial<DistillOptions>) => collectEvents({ ...options, steps: 2, ...changes, resume });
    const weights = new Map(teacher.weights);
    const bias = weights.get('logits.bias')!;
    weights.set('logits.bias', { ...bias, data: bias.data.with(0, 0.125) });
    const message = `Cannot resume as the checkpoint must be of this run (same teacher, student, method, options, steps and seed) and of a version that draws the same pictures: current fingerprint is ${resume.fingerprint}`;
    for (const changes of [
      { steps: 3 },
      { seed: 2 },
      { teacher: { graph: teacher.graph, weights } },
      { student: tinyGraph([3, 9], 0.25) },
      { method: dafl(tinyDafl) },
      { training: { ...options.training, temperature: 5 } },
    ]) {
      const failure = await other(changes).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(DaflError);
      expect(failure).toMatchObject({ code: 'CHECKPOINT', message });
    }
    expect(live()).toBe(0);
    // What is only looked at may change.
    const events = await other({ sampleEvery: 1, evaluation: quarterImages(8, 1), clock: () => 1 });
    expect(events.at(-1)!.event).toBe('result');
  });
});

describe('a loss that is no number', () => {
  it.each(['usual', undefined] as const)(
    'of a teacher that overflows is laid to the teacher: %s',
    async (logitScale) => {
      const huge = new Map(
        [...teacher.weights].map(([name, { shape, data }]) => [
          name,
          { shape, data: data.map((value) => value * 1e30) },
        ]),
      );
      const run = tinyRun(
        backend,
        { ...teacher, weights: huge },
        { training: { logitScale, initialization: 'random' } },
      );
      await expect(collectEvents(run)).rejects.toThrow(
        /^Cannot use 'tiny' as its outputs must be finite numbers: current value is (NaN|-?Infinity) for a picture in 0\.\.255\./,
      );
      expect(live()).toBe(0);
    },
  );

  it.each([
    ['distillation', { training: { schedule: { kind: 'constant', learningRate: 1e30 } } }],
    ['oneHot', { dafl: { generatorSchedule: { kind: 'constant', learningRate: 1e38 } } }],
  ] as const)('stops the run, names the %s loss and frees everything', async (name, changes) => {
    const failure = await collectEvents(tinyRun(backend, teacher, { steps: 10, ...changes })).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(DaflError);
    expect((failure as DaflError).code).toBe('NON_FINITE');
    expect((failure as DaflError).message).toMatch(
      new RegExp(
        `^Cannot go on with step \\d+ as the ${name} loss must be finite: current value is (NaN|-?Infinity)\\. Lower the learning rates or the loss weights$`,
      ),
    );
    expect(live()).toBe(0);
  });
});

describe('memory', () => {
  it.each([
    ['with replay', { dafl: { replay: { batches: 8, studentSteps: 2 } } }],
    ['without', {}],
    ['two-stage, adversarial', { dafl: { schedule: 'two-stage', adversarialWeight: 0.1 } }],
  ] as const)('is as much after step 40 as after step 10, and free at the end: %s', async (_, changes) => {
    const counts = new Map<number, number>();
    for await (const event of distill(tinyRun(backend, teacher, { steps: 41, ...changes }))) {
      if (event.event === 'step') counts.set(event.step, live());
    }
    expect(counts.get(10)).toBeGreaterThan(0);
    expect(counts.get(40)).toBe(counts.get(10));
    expect(live()).toBe(0);
  });

  it('is free when the loop is left at any event', async () => {
    const options = everything({
      steps: 3,
      evaluation: quarterImages(8, 3),
      evaluateEvery: 1,
      sampleEvery: 1,
      checkpointEvery: 1,
    });
    const total = (await collectEvents(options)).length;
    for (let position = 0; position < total; position++) {
      let count = 0;
      for await (const event of distill(options)) {
        expect(event).toBeDefined();
        if (count++ === position) break;
      }
      expect(live()).toBe(0);
    }
  });

  it('is free after errors on the way', async () => {
    const evaluation = { ...quarterImages(8, 3), labels: undefined };
    for (const changes of [
      { evaluation },
      { training: { temperature: 0 } },
      { training: { optimizer: { kind: 'adam', beta1: 2 } } },
      { training: { schedule: { kind: 'constant', learningRate: -1 } } },
    ] as const) {
      await expect(collectEvents(tinyRun(backend, teacher, changes))).rejects.toThrow(/^Cannot /);
      expect(live()).toBe(0);
    }
  });
});

describe('options', () => {
  it('refuses a temperature and a learning rate that are not > 0', async () => {
    await expect(collectEvents(tinyRun(backend, teacher, { training: { temperature: 0 } }))).rejects.toThrow(
      "Cannot distill as 'temperature' must be > 0: current value is 0",
    );
    const schedule = { kind: 'constant', learningRate: 0 } as const;
    await expect(collectEvents(tinyRun(backend, teacher, { training: { schedule } }))).rejects.toThrow(
      "Cannot follow schedule as 'learningRate' must be > 0: current value is 0",
    );
  });

  it.each([0, 1.5, -1, Number.NaN])('refuses %d steps', async (steps) => {
    const failure = await collectEvents(tinyRun(backend, teacher, { steps })).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'USAGE',
      message: `Cannot distill as 'steps' must be an integer >= 1: current value is ${steps}`,
    });
  });

  it('refuses a student of other classes or of other images', async () => {
    const { nodes, ...rest } = tinyGraph();
    const fewer = nodes.map((node) => (node.name === 'logits' && node.kind === 'dense' ? { ...node, units: 3 } : node));
    await expect(collectEvents(tinyRun(backend, teacher, { student: { ...rest, nodes: fewer } }))).rejects.toThrow(
      "Cannot distill 'tiny' into 'tiny' as the student must have 4 classes: current value is 3",
    );
    const larger = { ...rest, name: 'large', inputShape: [16, 16, 1], nodes };
    await expect(collectEvents(tinyRun(backend, teacher, { student: larger }))).rejects.toThrow(
      "Cannot distill 'tiny' into 'large' as the student must read images of shape [8, 8, 1]: current value is [16, 16, 1]",
    );
    const preprocessing = { resize: 'bilinear', mean: [0.5], standardDeviation: [1] } as const;
    const shifted = { ...tinyGraph(), preprocessing };
    await expect(collectEvents(tinyRun(backend, teacher, { student: shifted }))).rejects.toThrow(
      "Cannot distill 'tiny' into 'tiny' as the student must read pixels as its teacher does, by mean [0.3] and deviation [0.3]: current value is mean [0.5] and deviation [1]",
    );
  });

  it('refuses a seed that is none', async () => {
    await expect(collectEvents(tinyRun(backend, teacher, { seed: -1 }))).rejects.toThrow(
      "Cannot create random stream as 'seed' must be an integer in 0..4294967295: current value is -1",
    );
    expect(live()).toBe(0);
  });
});

import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { beforeAll, describe, expect, it } from 'vitest';
import { quarterImages, tinyGraph, trainTinyTeacher } from '../_testing/tiny-classifier.ts';
import { runToResult, tinyDafl, tinyRun } from '../_testing/tiny-run.ts';
import { Tape } from '../autodiff/tape.ts';
import { preprocess } from '../data/preprocess.ts';
import { DaflError } from '../errors.ts';
import { generatorGraph } from '../generator.ts';
import { describeClassifier } from '../model/classifier.ts';
import { initializeWeights } from '../model/initialize-weights.ts';
import type { HostTensor, Model } from '../model/model.ts';
import { createNetwork } from '../model/network.ts';
import { argMaxRows, predictLogits } from '../predict.ts';
import { createRandomStream } from '../random.ts';
import { dafl, type DaflOptions } from './dafl.ts';
import type { AnsweredBatch, MethodSession, MethodState } from './method.ts';

// Float32 for what is to be repeated bit for bit, float64 for what is compared with finite differences.
const backend = createCpuBackend();
const precise = createCpuBackend({ precision: 'float64' });
let teacher: Model;
beforeAll(async () => {
  teacher = await trainTinyTeacher(backend);
});

const studentGraph = { ...tinyGraph([3, 8]), name: 'tiny-student' };

/** A session of its own, on float64. */
function startSession(changes: Partial<DaflOptions>, steps = 100): MethodSession {
  return dafl({ ...tinyDafl, ...changes }).start({
    backend: precise,
    teacher: createNetwork(precise, teacher),
    student: createNetwork(precise, initializeWeights(studentGraph, createRandomStream(5, 'student weights'))),
    steps,
    createRandom: (purpose) => createRandomStream(1, purpose),
  });
}

/** Runs one step and reads its losses. */
async function lossesOf(session: MethodSession, step = 0): Promise<Record<string, number>> {
  const { losses } = await session.step(step);
  const values: Record<string, number> = {};
  for (const [name, loss] of Object.entries(losses)) {
    expect(loss.shape).toEqual([]);
    [values[name]] = await precise.read(loss);
    precise.dispose(loss);
  }
  return values;
}

/** The gradient of the generator's total loss at the start, by weights: Adam's first moment is half of it. */
async function gradientsOf(changes: Partial<DaflOptions>): Promise<Map<string, Float64Array>> {
  const session = startSession(changes);
  await lossesOf(session);
  const gradients = new Map<string, Float64Array>();
  for (const [name, { data }] of (await session.state()).tensors) {
    const [, weight, moment] = name.split('/');
    if (moment === 'firstMoment')
      gradients.set(
        weight,
        Float64Array.from(data, (value) => value / 0.5),
      );
  }
  session.dispose();
  return gradients;
}

const silent: Partial<DaflOptions> = {
  oneHotWeight: 0,
  informationEntropyWeight: 0,
  activationWeight: 0,
  adversarialWeight: 0,
};
const weights = { oneHot: 1, informationEntropy: 5, activation: 0.1, adversarial: 0.5 };
type Term = keyof typeof weights;
const terms = Object.keys(weights) as Term[];
const everyTerm: Partial<DaflOptions> = Object.fromEntries(terms.map((term) => [`${term}Weight`, weights[term]]));

describe('a run of 20 steps', () => {
  const run = () => tinyRun(backend, teacher, { steps: 20, dafl: { replay: { batches: 10, studentSteps: 8 } } });

  /** How often two classifiers name the same class of real images. */
  async function agreementOf(first: Model, second: Model): Promise<number> {
    const images = quarterImages(400, 7);
    const classifier = describeClassifier(first.graph);
    const input = backend.tensor(preprocess(images, [...images.labels!.keys()], classifier), [400, 8, 8, 1]);
    const labels: Uint32Array[] = [];
    for (const model of [first, second]) {
      const network = createNetwork(backend, model);
      labels.push(argMaxRows(await predictLogits(network, input), classifier.classes));
      network.dispose();
    }
    backend.dispose(input);
    return labels[0].filter((label, index) => label === labels[1][index]).length / 400;
  }

  it('makes the student agree with the teacher, also on images that neither the run nor the teacher has seen', async () => {
    const options = run();
    const start = initializeWeights(options.student, createRandomStream(options.seed, 'student weights'));
    const result = await runToResult(options);
    const before = await agreementOf(teacher, start);
    const after = await agreementOf(teacher, result.student);
    expect(before).toBeLessThan(0.5);
    expect(after).toBeGreaterThan(0.8);
    expect(result.agreement).toBeGreaterThan(0.8);
  });

  it('gives the same student for the same seed, bit for bit, and another for another seed', async () => {
    const first = await runToResult(run());
    expect(await runToResult(run())).toEqual(first);
    const other = await runToResult({ ...run(), seed: 2 });
    expect(other.student.weights).not.toEqual(first.student.weights);
  });
});

describe('the losses of the generator', () => {
  it('are all there and none is 0', async () => {
    const session = startSession(everyTerm);
    const losses = await lossesOf(session);
    expect(Object.keys(losses)).toEqual(terms);
    for (const loss of Object.values(losses)) expect(Math.abs(loss)).toBeGreaterThan(1e-4);
    session.dispose();
  });

  it('are as unweighted for the record, the adversarial one only where it is wanted', async () => {
    const [every, none] = [startSession(everyTerm), startSession(silent)];
    const { adversarial, ...others } = await lossesOf(every);
    expect(adversarial).toBeLessThan(0);
    expect(await lossesOf(none)).toEqual(others);
    for (const session of [every, none]) session.dispose();
  });

  it.each([...terms, 'total'] as const)(
    'send the gradient of finite differences to the generator: %s',
    async (term) => {
      const chosen = term === 'total' ? terms : [term];
      const options = { ...silent, ...Object.fromEntries(chosen.map((name) => [`${name}Weight`, weights[name]])) };
      const gradients = await gradientsOf(options);
      const session = startSession(options);
      const start = await session.state();

      /** The weighted loss with one weight moved. */
      const lossAt = async (name: string, index: number, value: number): Promise<number> => {
        const tensors = new Map<string, HostTensor>(start.tensors);
        const { shape, data } = tensors.get(`generator/${name}`)!;
        tensors.set(`generator/${name}`, { shape, data: data.with(index, value) });
        await session.restore({ ...start, tensors });
        const losses = await lossesOf(session);
        return chosen.reduce((total, loss) => total + weights[loss] * losses[loss], 0);
      };
      for (const name of ['project.kernel', 'conv1.kernel', 'norm2.scale', 'conv3.bias']) {
        const gradient = gradients.get(name)!;
        const index = gradient.reduce((best, value, at) => (Math.abs(value) > Math.abs(gradient[best]) ? at : best), 0);
        const value = start.tensors.get(`generator/${name}`)!.data[index];
        // Weights are float32 on the way in, so that the distance is what is left of it.
        const [above, below] = [Math.fround(value + 1e-3), Math.fround(value - 1e-3)];
        const numeric = ((await lossAt(name, index, above)) - (await lossAt(name, index, below))) / (above - below);
        expect(Math.abs(numeric)).toBeGreaterThan(1e-6);
        // A thousandth is far for a derivative that bends and for ReLUs of the teacher.
        expectClose([gradient[index]], [numeric], { absolute: 1e-6, relative: 1e-2 });
      }
      session.dispose();
    },
  );

  it('add up by their weights, so that a weight of 0 takes its term away', async () => {
    const every = await gradientsOf(everyTerm);
    const single = await Promise.all(terms.map((term) => gradientsOf({ ...silent, [`${term}Weight`]: weights[term] })));
    for (const [name, gradient] of every) {
      const sum = gradient.map((_, index) => single.reduce((total, part) => total + part.get(name)![index], 0));
      // Moments are stored as float32.
      expectClose(gradient, sum, { absolute: 1e-6, relative: 1e-5 });
    }
    for (const term of terms) {
      const without = await gradientsOf({ ...everyTerm, [`${term}Weight`]: 0 });
      const gradient = without.get('conv1.kernel')!;
      const rest = single.filter((_, index) => terms[index] !== term);
      const sum = gradient.map((_, index) => rest.reduce((total, part) => total + part.get('conv1.kernel')![index], 0));
      expectClose(gradient, sum, { absolute: 1e-6, relative: 1e-5 });
    }
  });

  it('leave the generator as it is when all weights are 0', async () => {
    const session = startSession(silent);
    const before = await session.state();
    await lossesOf(session);
    const after = await session.state();
    expect(after.tensors).toEqual(before.tensors);
    session.dispose();
  });
});

describe('schedules', () => {
  const graph = generatorGraph({ ...tinyDafl.generator, imageSize: [8, 8], channels: 1 });

  /** What the generator of a state makes of the latents after `skipped` batches. */
  async function imagesOf(state: MethodState, skipped: number): Promise<Float64Array> {
    const prefix = 'generator/';
    const own = [...state.tensors].filter(([name]) => name.startsWith(prefix));
    const generator = createNetwork(precise, {
      graph,
      weights: new Map(own.map(([name, tensor]) => [name.slice(prefix.length), tensor])),
    });
    const random = createRandomStream(1, 'latent');
    for (let index = 0; index < skipped; index++) random.normal(16 * 6);
    const tape = new Tape(precise);
    const latent = tape.own(precise.tensor(random.normal(16 * 6), [16, 6]));
    const { images } = generator.forward(tape, latent, { mode: 'training' });
    const values = Float64Array.from(await precise.read(images.tensor));
    tape.dispose();
    generator.dispose();
    return values;
  }

  it('alternating: the student learns from the batch before the update', async () => {
    const session = startSession({ schedule: 'alternating' });
    const before = await session.state();
    const { batches } = await session.step(0);
    expect(batches.length).toBe(1);
    expect(await precise.read(batches[0].images)).toEqual(await imagesOf(before, 0));
    const after = await session.state();
    // 96 latent values are 24 blocks.
    expect(after.counters.latent - before.counters.latent).toBe(24);
    expect(await imagesOf(after, 0)).not.toEqual(await imagesOf(before, 0));
    session.dispose();
  });

  it('two-stage: the student learns from fresh latents and the updated generator', async () => {
    const session = startSession({ schedule: 'two-stage' });
    const before = await session.state();
    const { batches } = await session.step(0);
    const after = await session.state();
    expect(batches.length).toBe(1);
    // The state's weights are float32.
    expectClose(await precise.read(batches[0].images), await imagesOf(after, 1), { absolute: 1e-5, relative: 1e-5 });
    expect(after.counters.latent - before.counters.latent).toBe(48);
    session.dispose();
  });

  it('train the generator alike in the first step', async () => {
    const states = await Promise.all(
      (['alternating', 'two-stage'] as const).map(async (schedule) => {
        const session = startSession({ schedule });
        await lossesOf(session);
        const state = await session.state();
        session.dispose();
        return state.tensors;
      }),
    );
    expect(states[1]).toEqual(states[0]);
  });

  it('lead to different students', async () => {
    const students = await Promise.all(
      (['alternating', 'two-stage'] as const).map(
        async (schedule) => (await runToResult(tinyRun(backend, teacher, { dafl: { schedule } }))).student,
      ),
    );
    expect(students[0].weights).not.toEqual(students[1].weights);
  });
});

describe('replay', () => {
  it('draws the batches of each student step from the last ones', async () => {
    const session = startSession({ replay: { batches: 3, studentSteps: 5 } });
    const drawnFrom = new Set<string>();
    for (let step = 0; step < 6; step++) {
      const { batches, losses } = await session.step(step);
      for (const loss of Object.values(losses)) precise.dispose(loss);
      const { parts } = await session.state();
      expect(parts.length).toBe(Math.min(step + 1, 3));
      expect(parts.at(-1)!.id).toBe(`replay-0000000${step}`);
      const stored = await Promise.all(parts.map(async (part) => ({ id: part.id, tensors: await part.read() })));

      expect(batches.length).toBe(5);
      for (const { images, teacherLogits } of batches as AnsweredBatch[]) {
        expect(images.shape).toEqual([16, 8, 8, 1]);
        expect(teacherLogits.shape).toEqual([16, 4]);
        // The state's values are float32.
        const values = [images, teacherLogits].map(async (tensor) => Float32Array.from(await precise.read(tensor)));
        const [ofImages, ofLogits] = (await Promise.all(values)).map((own) => own.join());
        const found = stored.filter(
          ({ tensors }) =>
            tensors.get('images')!.data.join() === ofImages && tensors.get('teacherLogits')!.data.join() === ofLogits,
        );
        expect(found.length).toBe(1);
        drawnFrom.add(found[0].id);
      }
    }
    // Of six batches few are never drawn.
    expect(drawnFrom.size).toBeGreaterThan(3);
    session.dispose();
  });

  it("gives the teacher's own logits of each batch", async () => {
    const session = startSession({ replay: { batches: 2, studentSteps: 4 } });
    const network = createNetwork(precise, teacher);
    for (let step = 0; step < 3; step++) {
      const { batches, losses } = await session.step(step);
      for (const loss of Object.values(losses)) precise.dispose(loss);
      for (const { images, teacherLogits } of batches as AnsweredBatch[]) {
        expect(await precise.read(teacherLogits)).toEqual(await predictLogits(network, images));
      }
    }
    network.dispose();
    session.dispose();
  });
});

describe('sample', () => {
  it('shows the same latents each time and changes nothing of what follows', async () => {
    const [watched, undisturbed] = [startSession({}), startSession({})];
    const sampled = async (): Promise<ArrayLike<number>> => {
      const { images, teacherLogits } = await watched.sample(createRandomStream(1, 'samples'));
      expect([images.shape, teacherLogits.shape]).toEqual([
        [16, 8, 8, 1],
        [16, 4],
      ]);
      const values = await precise.read(images);
      for (const tensor of [images, teacherLogits]) precise.dispose(tensor);
      return values;
    };
    expect(await sampled()).toEqual(await sampled());
    const first = await lossesOf(watched);
    await sampled();
    const second = await lossesOf(watched, 1);
    expect([first, second]).toEqual([await lossesOf(undisturbed), await lossesOf(undisturbed, 1)]);
    for (const session of [watched, undisturbed]) session.dispose();
  });
});

describe('memory of a session', () => {
  it('is flat, and nothing after dispose', async () => {
    for (const changes of [
      {},
      { schedule: 'two-stage' },
      { ...everyTerm, replay: { batches: 2, studentSteps: 2 } },
    ] as const) {
      const outside = precise.memory().tensors;
      const session = startSession(changes);
      for (let step = 0; step < 2; step++) await lossesOf(session, step);
      const full = precise.memory().tensors;
      for (let step = 2; step < 5; step++) {
        await lossesOf(session, step);
        expect(precise.memory().tensors).toBe(full);
      }
      session.dispose();
      // The teacher and the student of the context are the caller's: 6 weights each.
      expect(precise.memory().tensors - outside).toBe(12);
    }
  });
});

describe('dafl', () => {
  it('is named and tells all its options', () => {
    const method = dafl(tinyDafl);
    expect(method.name).toBe('dafl');
    expect(method.options).toEqual(tinyDafl);
  });

  it('refuses a learning rate that is not > 0', () => {
    expect(() => dafl({ ...tinyDafl, generatorSchedule: { kind: 'constant', learningRate: 0 } })).toThrow(
      "Cannot follow schedule as 'learningRate' must be > 0: current value is 0",
    );
  });

  it.each<[Partial<DaflOptions>, string]>([
    [{ batchSize: 1 }, "'batchSize' must be an integer >= 2: current value is 1"],
    [{ batchSize: 2.5 }, "'batchSize' must be an integer >= 2: current value is 2.5"],
    [{ oneHotWeight: -1 }, "'oneHotWeight' must be >= 0: current value is -1"],
    [{ informationEntropyWeight: Number.NaN }, "'informationEntropyWeight' must be >= 0: current value is NaN"],
    [{ activationWeight: Infinity }, "'activationWeight' must be >= 0: current value is Infinity"],
    [{ adversarialWeight: -0.1 }, "'adversarialWeight' must be >= 0: current value is -0.1"],
    [{ adversarialTemperature: 0 }, "'adversarialTemperature' must be > 0: current value is 0"],
    [{ replay: { batches: 0, studentSteps: 1 } }, "'replay.batches' must be an integer >= 1: current value is 0"],
    [{ replay: { batches: 1, studentSteps: 0 } }, "'replay.studentSteps' must be an integer >= 1: current value is 0"],
  ])('refuses %j', (changes, message) => {
    const create = () => dafl({ ...tinyDafl, ...changes });
    expect(create).toThrow(DaflError);
    expect(create).toThrow(`Cannot use method 'dafl' as ${message}`);
  });
});

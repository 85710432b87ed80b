import { createCpuBackend } from '@dafl/backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { trainTinyTeacher } from './_testing/tiny-classifier.ts';
import { Tape } from './autodiff/tape.ts';
import { attentionMap } from './losses/attention.ts';
import type { StudentLoss } from './losses/student-loss.ts';
import { chooseHints } from './model/choose-hints.ts';
import { inheritChannels } from './model/inherit-weights.ts';
import type { Model } from './model/model.ts';
import { createNetwork, type Network } from './model/network.ts';
import { shrink } from './model/shrink.ts';
import { createOptimizer } from './optimizers/create-optimizer.ts';
import { argMaxRows, predictLogits } from './predict.ts';
import { createRandomStream } from './random.ts';
import { StudentTrainer } from './student-trainer.ts';

const backend = createCpuBackend();
let teacherModel: Model;
beforeAll(async () => {
  teacherModel = await trainTinyTeacher(backend);
});

/** A half student that starts from the teacher's channels, and what trains it. */
function startHalf(
  teacher: Network,
  hintWeight: number,
  { loss, kind = 'adam' }: { readonly loss?: StudentLoss; readonly kind?: 'adam' | 'sgd' } = {},
) {
  const inherited = inheritChannels(teacherModel, shrink(teacherModel.graph, 0.5));
  const hints = hintWeight > 0 ? chooseHints(teacherModel.graph, inherited) : [];
  const student = createNetwork(backend, inherited.model);
  const optimizer = createOptimizer(backend, student.trainableVariables, { kind });
  const training = {
    optimizer: { kind },
    schedule: { kind: 'constant', learningRate: 1e-2 },
    temperature: 2,
    initialization: 'teacher',
    hintWeight,
    loss,
  } as const;
  const dropout = createRandomStream(1, 'dropout');
  const trainer = new StudentTrainer({ teacher, student, optimizer, training, hints, dropout });
  const dispose = (): void => {
    for (const part of [trainer, optimizer, student]) part.dispose();
  };
  return { inherited, student, trainer, dispose };
}

async function weightsOf(student: Network) {
  return [...(await student.toModel()).weights].map(([name, { data }]) => [name, [...data]]);
}

/** Trains a half student that starts from the teacher's channels; tells its weights and its error at the hidden layer. */
async function trainHalf(options: {
  hintWeight: number;
  isAnswered: boolean;
  updates?: number;
  /** Of the training, and of each batch. */
  loss?: StudentLoss;
  batchLoss?: StudentLoss;
  /** What each batch says that its images are. */
  label?: number;
}) {
  const { hintWeight, isAnswered, updates = 30, loss, batchLoss, label } = options;
  const teacher = createNetwork(backend, teacherModel);
  const { inherited, student, trainer, dispose } = startHalf(teacher, hintWeight, { loss });
  const random = createRandomStream(1, 'images');
  for (let update = 0; update < updates; update++) {
    const images = backend.tensor(random.normal(16 * 64), [16, 8, 8, 1]);
    const logits = isAnswered ? await predictLogits(teacher, images) : undefined;
    const teacherLogits = logits === undefined ? undefined : backend.tensor(logits, [16, 4]);
    const labels = label === undefined ? undefined : backend.tensor(new Int32Array(16).fill(label), [16]);
    backend.dispose(trainer.update({ images, teacherLogits, labels, loss: batchLoss }, 1e-2, 0));
    backend.dispose(images);
    if (labels !== undefined) backend.dispose(labels);
    if (teacherLogits !== undefined) backend.dispose(teacherLogits);
  }
  const images = backend.tensor(createRandomStream(2, 'images').normal(64 * 64), [64, 8, 8, 1]);
  const hiddenOf = async (network: Network): Promise<ArrayLike<number>> => {
    const tape = new Tape(backend);
    let hidden: Promise<ArrayLike<number>> = Promise.resolve([]);
    network.forward(tape, tape.constant(images), {
      mode: 'inference',
      observe: ({ name }, _, output) => {
        if (name === 'hidden') hidden = backend.read(output.tensor);
      },
    });
    const values = await hidden;
    tape.dispose();
    return values;
  };
  const ofTeacher = await hiddenOf(teacher);
  const ofStudent = await hiddenOf(student);
  const kept = inherited.channels.get('hidden')!;
  let error = 0;
  for (let row = 0; row < 64; row++) {
    kept.forEach(
      (channel, index) => (error += (ofStudent[row * kept.length + index] - ofTeacher[row * 16 + channel]) ** 2),
    );
  }
  const answers = await predictLogits(student, images);
  const ofLabel = label === undefined ? 0 : argMaxRows(answers, 4).filter((found) => found === label).length / 64;
  const mapsOf = async (network: Network): Promise<ArrayLike<number>> => {
    const tape = new Tape(backend);
    let maps: Promise<ArrayLike<number>> = Promise.resolve([]);
    network.forward(tape, tape.constant(images), {
      mode: 'inference',
      observe: ({ name }, _, output) => {
        if (name === 'pool') maps = backend.read(attentionMap(tape, output).tensor);
      },
    });
    const values = await maps;
    tape.dispose();
    return values;
  };
  const [teacherMaps, studentMaps] = [await mapsOf(teacher), await mapsOf(student)];
  const attention = Array.from(teacherMaps).reduce((sum, value, index) => sum + (value - studentMaps[index]) ** 2, 0);
  const weights = await weightsOf(student);
  backend.dispose(images);
  dispose();
  teacher.dispose();
  expect(backend.memory().tensors).toBe(0);
  return { weights, error, attention, ofLabel };
}

it('asks the teacher where a batch brings no answer, and learns the same', async () => {
  const [asked, given] = [
    await trainHalf({ hintWeight: 0, isAnswered: false }),
    await trainHalf({ hintWeight: 0, isAnswered: true }),
  ];
  expect(asked.weights).toEqual(given.weights);
});

it('keeps inherited channels close to the teacher where hints weigh', async () => {
  const free = await trainHalf({ hintWeight: 0, isAnswered: false });
  const held = await trainHalf({ hintWeight: 10, isAnswered: false });
  expect(held.error).toBeLessThan(free.error * 0.6);
});

it('takes hints from hidden layers only, behind their batch norm', () => {
  const inherited = inheritChannels(teacherModel, shrink(teacherModel.graph, 0.5));
  const hints = chooseHints(teacherModel.graph, inherited);
  expect(hints.map(({ node, channels, width }) => [node, channels.length, width])).toEqual([
    ['conv', 2, 4],
    ['hidden', 8, 16],
  ]);
});

it('weighs hints by one and the distillation loss, and tells that loss alone', async () => {
  const pixels = createRandomStream(1, 'images').normal(16 * 64);
  /** What a model gives at its nodes. */
  const valuesOf = async (model: Model) => {
    const network = createNetwork(backend, model);
    const tape = new Tape(backend);
    const images = tape.own(backend.tensor(pixels, [16, 8, 8, 1]));
    const reads = new Map<string, Promise<ArrayLike<number>>>();
    network.forward(tape, images, {
      mode: 'inference',
      observe: ({ name }, _, output) => void reads.set(name, backend.read(output.tensor)),
    });
    const values = new Map<string, ArrayLike<number>>();
    for (const [name, read] of reads) values.set(name, await read);
    tape.dispose();
    network.dispose();
    return values;
  };
  /** One update with the learning rate 1: the loss that it tells, and by how much each weight changed. */
  const learn = async (hintWeight: number, loss: StudentLoss, progress = 0) => {
    const teacher = createNetwork(backend, teacherModel);
    const { inherited, student, trainer, dispose } = startHalf(teacher, hintWeight, { kind: 'sgd' });
    const images = backend.tensor(pixels, [16, 8, 8, 1]);
    const scalar = trainer.update({ images, loss }, 1, progress);
    const [told] = await backend.read(scalar);
    const { weights } = await student.toModel();
    const change = [...inherited.model.weights].flatMap(([name, { data }]) =>
      Array.from(data, (value, index) => weights.get(name)!.data[index] - value),
    );
    for (const tensor of [images, scalar]) backend.dispose(tensor);
    dispose();
    teacher.dispose();
    return { told, change };
  };
  const expectClose = (change: readonly number[], expected: readonly number[]) => {
    // Weights of a model are float32.
    const tolerance = 1e-6 * Math.max(...expected.map(Math.abs));
    change.forEach((value, index) => expect(Math.abs(value - expected[index])).toBeLessThan(tolerance));
  };

  // By how much the hints alone change the weights, where they weigh 1.
  const [free, held] = [await learn(0, { kind: 'mse' }), await learn(1, { kind: 'mse' })];
  const ofHints = held.change.map((value, index) => (value - free.change[index]) / (1 + free.told));

  // It is the way down the mean over both layers of the relative error on half of the batch.
  const { model, channels } = inheritChannels(teacherModel, shrink(teacherModel.graph, 0.5));
  const ofTeacher = await valuesOf(teacherModel);
  const errorAt = async (share: number) => {
    let position = 0;
    const weights = new Map(
      [...model.weights].map(([name, { shape, data }]) => {
        const moved = data.map((value) => value + share * ofHints[position++]);
        return [name, { shape, data: moved }];
      }),
    );
    const ofStudent = await valuesOf({ ...model, weights });
    const errors = ['conv', 'hidden'].map((node) => {
      const kept = channels.get(node)!;
      const width = kept.length * 2;
      const all = Array.from(ofTeacher.get(node)!);
      const half = all.slice(0, all.length / 2).filter((_, index) => kept.includes(index % width));
      const mean = half.reduce((sum, value) => sum + value, 0) / half.length;
      const variance = half.reduce((sum, value) => sum + (value - mean) ** 2, 0) / half.length;
      const student = ofStudent.get(node)!;
      return half.reduce((sum, value, index) => sum + (student[index] - value) ** 2, 0) / half.length / variance;
    });
    return (errors[0] + errors[1]) / 2;
  };
  const slope = ((await errorAt(1e-2)) - (await errorAt(-1e-2))) / 2e-2;
  const length = ofHints.reduce((sum, value) => sum + value * value, 0);
  // Rectifiers bend within that distance.
  expect(slope / -length).toBeCloseTo(1, 2);

  for (const loss of [{ kind: 'mse' }, { kind: 'divergence' }] as const) {
    const { told, change } = await learn(0, loss);
    expect(told).toBeGreaterThan(0.1);
    for (const hintWeight of [1, 3]) {
      const held = await learn(hintWeight, loss);
      expect(held.told).toBe(told);
      expectClose(
        held.change,
        change.map((value, index) => value + hintWeight * (1 + told) * ofHints[index]),
      );
    }
    // Half of the run done, they weigh half.
    expectClose((await learn(2, loss, 0.5)).change, (await learn(1, loss)).change);
  }
  expect(backend.memory().tensors).toBe(0);
});

it('asks the teacher once about a batch that comes again, learns the same, and leaves nothing behind', async () => {
  const learn = async (isKept: boolean, updates: number) => {
    const network = createNetwork(backend, teacherModel);
    let asked = 0;
    const forward: Network['forward'] = (...given) => {
      asked++;
      return network.forward(...given);
    };
    const teacher = Object.create(network, { forward: { value: forward } }) as Network;
    const { student, trainer, dispose } = startHalf(teacher, 1, { loss: { kind: 'divergence', attentionWeight: 1 } });
    const batch = { images: backend.tensor(createRandomStream(1, 'images').normal(16 * 64), [16, 8, 8, 1]) };
    for (let update = 1; update <= updates; update++)
      backend.dispose(trainer.update(batch, 1e-2, 0, isKept && update < 3));
    const weights = await weightsOf(student);
    dispose();
    network.dispose();
    backend.dispose(batch.images);
    expect(backend.memory().tensors).toBe(0);
    return { asked, weights };
  };
  const [kept, anew] = [await learn(true, 3), await learn(false, 3)];
  expect([kept.asked, anew.asked]).toEqual([1, 3]);
  expect(kept.weights).toEqual(anew.weights);
  // A run that ends between two uses.
  expect((await learn(true, 2)).asked).toBe(1);
});

describe('the loss of the answers', () => {
  const common = { hintWeight: 0, isAnswered: true };

  it("is the training's, unless the batch brings its own", async () => {
    const divergence = await trainHalf(common);
    const named = await trainHalf({ ...common, loss: { kind: 'divergence', temperature: 2 } });
    expect(named.weights).toEqual(divergence.weights);
    const [l1, mse] = [
      await trainHalf({ ...common, loss: { kind: 'l1' } }),
      await trainHalf({ ...common, loss: { kind: 'mse' } }),
    ];
    for (const [a, b] of [
      [l1, divergence],
      [mse, divergence],
      [l1, mse],
    ])
      expect(a.weights).not.toEqual(b.weights);
    const own = await trainHalf({ ...common, loss: { kind: 'mse' }, batchLoss: { kind: 'l1' } });
    expect(own.weights).toEqual(l1.weights);
  });

  it('goes by the labels of a batch where it weighs them', async () => {
    const unread = await trainHalf({ ...common, label: 2 });
    const read = await trainHalf({ ...common, label: 2, loss: { kind: 'divergence', labelWeight: 20 } });
    expect(unread.weights).toEqual((await trainHalf(common)).weights);
    expect(read.ofLabel).toBeGreaterThan(0.95);
    expect(unread.ofLabel).toBeLessThan(0.8);
  });

  it('draws the attention of both together where it weighs that', async () => {
    const free = await trainHalf(common);
    const held = await trainHalf({ ...common, loss: { kind: 'divergence', attentionWeight: 1000 } });
    expect(held.attention).toBeLessThan(free.attention * 0.85);
  });
});

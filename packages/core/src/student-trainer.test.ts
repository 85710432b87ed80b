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
import { createAdam } from './optimizers/adam.ts';
import { argMaxRows, predictLogits } from './predict.ts';
import { createRandomStream } from './random.ts';
import { StudentTrainer } from './student-trainer.ts';

const backend = createCpuBackend();
let teacherModel: Model;
beforeAll(async () => {
  teacherModel = await trainTinyTeacher(backend);
});

/** A half student that starts from the teacher's channels, and what trains it. */
function startHalf(teacher: Network, hintWeight: number, loss?: StudentLoss) {
  const inherited = inheritChannels(teacherModel, shrink(teacherModel.graph, 0.5));
  const hints = hintWeight > 0 ? chooseHints(teacherModel.graph, inherited) : [];
  const student = createNetwork(backend, inherited.model);
  const optimizer = createAdam(backend, student.trainableVariables);
  const training = {
    optimizer: { kind: 'adam' },
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
  const { inherited, student, trainer, dispose } = startHalf(teacher, hintWeight, loss);
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

it('asks the teacher once about a batch that comes again, learns the same, and leaves nothing behind', async () => {
  const learn = async (isKept: boolean, updates: number) => {
    const network = createNetwork(backend, teacherModel);
    let asked = 0;
    const forward: Network['forward'] = (...given) => {
      asked++;
      return network.forward(...given);
    };
    const teacher = Object.create(network, { forward: { value: forward } }) as Network;
    const { student, trainer, dispose } = startHalf(teacher, 1, { kind: 'divergence', attentionWeight: 1 });
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

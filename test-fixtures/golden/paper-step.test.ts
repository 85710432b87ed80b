import { createCpuBackend } from '@dafl/backend-cpu';
import { createWasmBackend } from '@dafl/backend-wasm';
import { expectClose } from '@dafl/conformance';
import {
  type Checkpoint,
  createRandomStream,
  dafl,
  distill,
  type DistillEvent,
  type DistillOptions,
  type Graph,
  type HostTensor,
  inferShapes,
  initializeWeights,
  presets,
  type TensorBackend,
} from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { lenet5Graph } from '../../packages/core/src/_testing/lenet5-graph.ts';
import golden from './paper-step.json' with { type: 'json' };

type Golden = (typeof golden.cases)[number];
type Precision = 'float64' | 'float32';

const teacherGraph = lenet5Graph();
const studentGraph: Graph = { ...lenet5Graph([3, 8, 60, 42]), name: 'lenet5-half' };

/** FNV-1a, as the fixture's generator has it. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ character.charCodeAt(0), 0x01000193) >>> 0;
  return value;
}

/** The fixture's weights: see generate_paper_step.py. */
function formula(name: string, index: number): number {
  let value = (hash(name) + Math.imul(0x9e3779b1, index)) >>> 0;
  value = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  value = Math.imul(value ^ (value >>> 15), 0x846ca68b);
  value = (value ^ (value >>> 16)) >>> 0;
  return (value / 2 ** 32) * 2 - 1;
}

function fixtureWeight(entry: Golden, name: string, shape: readonly number[]): HostTensor {
  const { amplitude, centre } = (entry.weights as Record<string, { amplitude: number; centre: number }>)[name];
  const size = shape.reduce((product, length) => product * length, 1);
  return { shape, data: Float32Array.from({ length: size }, (_, index) => formula(name, index) * amplitude + centre) };
}

function optionsOf(backend: TensorBackend, entry: Golden): DistillOptions {
  const { paper } = presets;
  const [first, second, third] = entry.widths;
  const options = {
    ...paper.dafl,
    batchSize: entry.batchSize,
    generator: { ...paper.dafl.generator, widths: [first, second, third] as const },
  };
  const weights = new Map<string, HostTensor>();
  for (const [node, shapes] of inferShapes(teacherGraph)) {
    for (const [weight, { shape }] of Object.entries(shapes.weights)) {
      weights.set(`${node}.${weight}`, fixtureWeight(entry, `teacher/${node}.${weight}`, shape));
    }
  }
  return {
    backend,
    teacher: { graph: teacherGraph, weights },
    student: studentGraph,
    method: dafl(options),
    training: paper.training,
    steps: paper.steps,
    seed: golden.provenance.seed,
  };
}

/** The state before the first step, with the fixture's weights in the place of drawn ones. */
async function fixtureStart(options: DistillOptions, entry: Golden): Promise<Checkpoint> {
  const aborted = AbortSignal.abort();
  for await (const event of distill({ ...options, signal: aborted })) {
    if (event.event !== 'checkpoint') continue;
    const tensors = new Map(event.checkpoint.tensors);
    for (const [name, { shape }] of tensors) {
      const known = name.replace(/^method\//, '');
      if (known in entry.weights) tensors.set(name, fixtureWeight(entry, known, shape));
    }
    return { ...event.checkpoint, tensors };
  }
  throw new Error('Expected a checkpoint');
}

function norm(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0));
}

/** Runs two steps of the real loop and compares everything that the fixture tells of them. */
async function expectPaperSteps(backend: TensorBackend, entry: Golden, precision: Precision): Promise<void> {
  const options = optionsOf(backend, entry);
  const events: DistillEvent[] = [];
  for await (const event of distill({ ...options, resume: await fixtureStart(options, entry), checkpointEvery: 1 })) {
    events.push(event);
    if (event.event === 'checkpoint' && event.step === 2) break;
  }
  const tolerance = golden.tolerance[precision];
  const steps = events.filter((event) => event.event === 'step');
  const checkpoints = events.filter((event) => event.event === 'checkpoint');
  expect(steps.length).toBe(2);

  for (const [index, expected] of entry.float64.entries()) {
    for (const [name, loss] of Object.entries(expected.losses)) {
      expectClose([steps[index].losses[name]], [loss], tolerance.losses[index]);
    }
  }
  // Adam's first moment after its first step is (1 - beta1) x the gradient.
  for (const [name, expected] of Object.entries(entry.float64[0].gradientNorms)) {
    const variable = name.replace('generator/', 'method/optimizer/').replace('student/', 'studentOptimizer/');
    const moment = checkpoints[0].checkpoint.tensors.get(`${variable}/firstMoment`)!;
    expectClose([norm(moment.data) / 0.1], [expected], tolerance.gradientNorms);
  }
  // A float32 run has weights that rounding turned round, so that its later weights tell nothing.
  for (const index of precision === 'float64' ? [0, 1] : [0]) {
    for (const [name, expected] of Object.entries(entry.float64[index].weightNorms)) {
      if (golden.withoutGradient.includes(name)) continue;
      const weight = checkpoints[index].checkpoint.tensors.get(name.replace('generator/', 'method/generator/'))!;
      expectClose([norm(weight.data)], [expected], tolerance.weightNorms);
    }
  }
}

function caseOf(name: string): Golden {
  return golden.cases.find((entry) => entry.name === name)!;
}

describe('the official training step as PyTorch computes it', () => {
  it('starts from the same numbers', () => {
    golden.check.formula.forEach((value, index) => expect(formula('teacher/conv1.kernel', index)).toBe(value));
    const latents = createRandomStream(golden.provenance.seed, 'latent').normal(4);
    expectClose(latents, golden.check.latents, { absolute: 0, relative: 1e-7 });
    // Every weight that training changes is given by the fixture.
    const drawn = initializeWeights(studentGraph, createRandomStream(0, 'x')).weights;
    for (const name of drawn.keys()) expect(golden.cases[0].weights).toHaveProperty([`student/${name}`]);
  });

  it('cpu, float64, a narrow generator and 16 images', async () => {
    const backend = createCpuBackend({ precision: 'float64' });
    await expectPaperSteps(backend, caseOf('narrow'), 'float64');
    expect(backend.memory().tensors).toBe(0);
  });

  it.each([1, 2])('wasm, %d threads, a narrow generator and 16 images', async (threads) => {
    const backend = await createWasmBackend({ threads });
    await expectPaperSteps(backend, caseOf('narrow'), 'float32');
    expect(backend.memory().tensors).toBe(0);
    await backend.close();
  });

  it('wasm, the paper preset: 512 images and the official generator', { timeout: 240_000 }, async () => {
    const backend = await createWasmBackend();
    await expectPaperSteps(backend, caseOf('paper'), 'float32');
    expect(backend.memory().tensors).toBe(0);
    await backend.close();
  });
});

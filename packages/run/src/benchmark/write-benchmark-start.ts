import { createCpuBackend } from '@dafl/backend-cpu';
import {
  createRandomStream,
  type DaflOptions,
  describeClassifier,
  distill,
  fail,
  type Graph,
  type HostTensor,
  type StudentTraining,
} from '@dafl/core';
import { encodeFloat32, serializeSafetensors } from '@dafl/models';
import { type BenchmarkCase, benchmarkSteps, prepareCase } from './benchmark-case.ts';

/** Steps whose random numbers are written down, for another program to repeat. */
export const checkedSteps = 2;

/** A LeNet in numbers. */
export interface LeNetShape {
  readonly convolutions: readonly (readonly [filters: number, kernelSize: number])[];
  /** Units of the first dense layer. */
  readonly dense: number;
  readonly classes: number;
}

/** A case as plain JSON, for a program that has none of dafl's code. */
export interface BenchmarkRecipe {
  readonly dafl: DaflOptions;
  readonly training: StudentTraining;
  readonly steps: number;
  readonly seed: number;
  readonly imageSize: number;
  readonly channels: number;
  readonly mean: readonly number[];
  readonly standardDeviation: readonly number[];
  readonly teacher: LeNetShape;
  readonly student: LeNetShape;
}

/** What another program needs to run a case, its first steps with the same numbers. */
export interface BenchmarkStart {
  readonly recipe: BenchmarkRecipe;
  /**
   * A safetensors file, float32: the first weights, named `teacher/...`, `student/...` and `generator/...`, in dafl's
   * layouts; the latent vectors of the first steps, `latent/0`, ..., of shape `[batch, latentSize]`.
   */
  readonly tensors: Uint8Array;
  /** For each of the first steps, the places in the bank (0 is the oldest batch) of the batches that the student reads. */
  readonly draws: readonly (readonly number[])[];
}

/** Writes down the state before a case's first step, and the random numbers of the first `checkedSteps`. */
export async function writeBenchmarkStart(benchmark: BenchmarkCase): Promise<BenchmarkStart> {
  // A short run, as its length decides how large a bank it takes.
  const { options, dafl } = await prepareCase(benchmark, checkedSteps);
  const tensors = new Map<string, HostTensor>();
  for (const [name, weight] of options.teacher.weights) tensors.set(`teacher/${name}`, weight);

  const backend = createCpuBackend();
  try {
    // A run that is interrupted before it begins gives its first weights.
    for await (const event of distill({ ...options, backend, signal: AbortSignal.abort() })) {
      if (event.event !== 'checkpoint') continue;
      for (const [name, tensor] of event.checkpoint.tensors) {
        if (name.startsWith('student/')) tensors.set(name, tensor);
        if (name.startsWith('method/generator/')) tensors.set(name.slice('method/'.length), tensor);
      }
    }
  } finally {
    await backend.close();
  }

  const { latentSize } = dafl.generator;
  const latents = createRandomStream(options.seed, 'latent');
  const replay = createRandomStream(options.seed, 'replay');
  const draws: number[][] = [];
  for (let step = 0; step < checkedSteps; step++) {
    const shape = [dafl.batchSize, latentSize];
    tensors.set(`latent/${step}`, { shape, data: latents.normal(dafl.batchSize * latentSize) });
    const size = Math.min(step + 1, dafl.replay?.batches ?? 1);
    draws.push(dafl.replay === null ? [size - 1] : Array.from(replay.integers(dafl.replay.studentSteps, size)));
  }
  const encoded = [...tensors].map(
    ([name, { shape, data }]) =>
      [name, { dataType: 'F32', shape: [...shape], bytes: encodeFloat32(Float32Array.from(data)) }] as const,
  );
  const { inputShape, preprocessing } = describeClassifier(options.teacher.graph);
  return {
    recipe: {
      dafl,
      training: options.training,
      steps: benchmarkSteps,
      seed: options.seed,
      imageSize: inputShape[0],
      channels: inputShape[2],
      mean: preprocessing.mean,
      standardDeviation: preprocessing.standardDeviation,
      teacher: describeLeNet(options.teacher.graph),
      student: describeLeNet(options.student),
    },
    tensors: serializeSafetensors({ metadata: new Map(), tensors: new Map(encoded) }),
    draws,
  };
}

function describeLeNet(graph: Graph): LeNetShape {
  const convolutions = graph.nodes.flatMap((node) =>
    node.kind === 'conv2d' ? [[node.filters, node.kernelSize[0]] as const] : [],
  );
  const units = graph.nodes.flatMap((node) => (node.kind === 'dense' ? [node.units] : []));
  if (convolutions.length !== 3 || units.length !== 2) {
    fail({
      code: 'MODEL',
      cannot: `describe model '${graph.name}'`,
      as: 'it must be a LeNet',
      value: `${convolutions.length} convolutions and ${units.length} dense layers`,
    });
  }
  return { convolutions, dense: units[0], classes: units[1] };
}

import {
  createRandomStream,
  dafl,
  type DaflOptions,
  describeClassifier,
  type DistillOptions,
  fail,
  generatorGraph,
  type Graph,
  initializeWeights,
  type ModelNode,
  type Preset,
  presets,
  shrink,
} from '@dafl/core';
import { builtInTeacher, lenet5 } from '@dafl/models';

/** Recipes whose step is measured: the official one, and the fast preset's. */
export type BenchmarkCaseName = 'official' | 'fast';

/** One step to measure, as plain JSON. */
export interface BenchmarkCase {
  readonly name: BenchmarkCaseName;
  /** Images of one step, >= 2. */
  readonly batchSize: number;
  /** Height and width of the images: a multiple of 4, >= 28. At 32 the networks are those of the paper. */
  readonly imageSize: number;
  /** The generator's widths are the recipe's times this, an integer >= 1. */
  readonly generatorWidth: number;
  /** Decides the first weights and all random numbers. */
  readonly seed: number;
}

/** What a case comes to: all that `distill` asks for but the backend. */
export interface PreparedCase {
  readonly options: Omit<DistillOptions, 'backend'>;
  readonly dafl: DaflOptions;
  /** The generator that the method makes of its options. */
  readonly generator: Graph;
}

/** The image size of the paper's networks. */
const PAPER_IMAGE_SIZE = 32;
/** Below it the official LeNet-5's second pooling leaves less than its last convolution can read. */
const SMALLEST_IMAGE_SIZE = 28;
/** So long a run that no learning rate moves while it is measured. */
export const benchmarkSteps = 1_000_000;

const presetNames: Readonly<Record<BenchmarkCaseName, keyof typeof presets>> = { official: 'paper', fast: 'fast' };

/** Names of the cases. */
export const benchmarkCaseNames: readonly BenchmarkCaseName[] = Object.keys(presetNames) as BenchmarkCaseName[];

/**
 * The networks and the recipe of a case.
 *
 * At 32 pixels the teacher is the built-in LeNet-5. At other sizes it is a LeNet-5 with random weights whose last
 * convolution covers the whole map that reaches it, as the official one does at 32.
 *
 * @param steps Length of the run; it is not measured to its end.
 * @throws {DaflError} `USAGE` if a size is out of range.
 */
export async function prepareCase(benchmark: BenchmarkCase, steps: number = benchmarkSteps): Promise<PreparedCase> {
  const { name, batchSize, imageSize, generatorWidth, seed } = benchmark;
  const assertOption = (holds: boolean, option: keyof BenchmarkCase, rule: string): void => {
    if (holds) return;
    fail({ cannot: 'measure a step', as: `'${option}' must be ${rule}`, value: String(benchmark[option]) });
  };
  assertOption(benchmarkCaseNames.includes(name), 'name', `one of [${benchmarkCaseNames.join(', ')}]`);
  assertOption(
    Number.isInteger(imageSize) && imageSize % 4 === 0 && imageSize >= SMALLEST_IMAGE_SIZE,
    'imageSize',
    `a multiple of 4 >= ${SMALLEST_IMAGE_SIZE}`,
  );
  assertOption(Number.isInteger(generatorWidth) && generatorWidth >= 1, 'generatorWidth', 'an integer >= 1');

  const preset: Preset = presets[presetNames[name]];
  const [first, second, third] = preset.dafl.generator.widths;
  const options: DaflOptions = {
    ...preset.dafl,
    batchSize,
    generator: {
      ...preset.dafl.generator,
      widths: [first * generatorWidth, second * generatorWidth, third * generatorWidth],
    },
  };
  const teacher =
    imageSize === PAPER_IMAGE_SIZE
      ? await builtInTeacher('lenet5-mnist')
      : initializeWeights(lenet5At(imageSize), createRandomStream(seed, 'teacher weights'));
  const { inputShape, preprocessing } = describeClassifier(teacher.graph);
  const [height, width, channels] = inputShape;
  return {
    dafl: options,
    generator: generatorGraph({ ...options.generator, imageSize: [height, width], channels, preprocessing }),
    options: {
      teacher,
      student: shrink(teacher.graph, 0.5),
      method: dafl(options),
      training: preset.training,
      steps,
      seed,
    },
  };
}

/** LeNet-5 for images of another size: its last convolution still leaves a map of one pixel. */
function lenet5At(imageSize: number): Graph {
  const graph = lenet5();
  const afterPooling = (size: number): number => Math.floor((size - 4) / 2);
  const left = afterPooling(afterPooling(imageSize));
  return {
    ...graph,
    inputShape: [imageSize, imageSize, 1],
    nodes: graph.nodes.map((node): ModelNode =>
      node.kind === 'conv2d' && node.name === 'conv3' ? { ...node, kernelSize: [left, left] } : node,
    ),
  };
}

import { createCpuBackend } from '@dafl/backend-cpu';
import { describe, expect, it } from 'vitest';
import { Tape } from './autodiff/tape.ts';
import { DaflError } from './errors.ts';
import { type GeneratorOptions, generatorGraph } from './generator.ts';
import { describeModel } from './model/describe-model.ts';
import { inferShapes } from './model/infer-shapes.ts';
import { initializeWeights } from './model/initialize-weights.ts';
import { createNetwork } from './model/network.ts';
import { createRandomStream } from './random.ts';

const official: GeneratorOptions = {
  latentSize: 100,
  imageSize: [32, 32],
  channels: 1,
  widths: [128, 128, 64],
  batchNormEpsilon: 0.8,
  output: { kind: 'normalized' },
};
const small: GeneratorOptions = { ...official, latentSize: 5, imageSize: [8, 12], channels: 2, widths: [4, 3, 2] };

/** Images of a batch of 32, channels last. */
async function imagesOf(options: GeneratorOptions): Promise<{ shape: readonly number[]; values: number[] }> {
  const backend = createCpuBackend({ precision: 'float64' });
  const random = createRandomStream(1, 'x');
  const graph = generatorGraph(options);
  const network = createNetwork(backend, initializeWeights(graph, random));
  const tape = new Tape(backend);
  const latent = tape.own(backend.tensor(random.normal(32 * graph.inputShape[0]), [32, graph.inputShape[0]]));
  const { images } = network.forward(tape, latent, { mode: 'training' });
  return { shape: images.shape, values: Array.from(await backend.read(images.tensor)) };
}

describe('generatorGraph', () => {
  it.each([
    ['MNIST', official, 1_049_985],
    ['CIFAR-10', { ...official, latentSize: 1000, channels: 3 }, 8_423_939],
  ])('has the parameters of the official code: %s', (_, options, parameters) => {
    expect(describeModel(generatorGraph(options)).parameters).toBe(parameters);
  });

  it.each([28, 32, 64, 128, 224])('makes images of %i pixels a side', (size) => {
    const graph = generatorGraph({ ...official, imageSize: [size, size], channels: 3, widths: [2, 2, 2] });
    expect(inferShapes(graph).get(graph.outputs.images)?.output).toEqual([size, size, 3]);
  });

  it.each([
    [32, 2, 8],
    [64, 2, 16],
    [65, 3, 9],
    [224, 4, 14],
    [500, 5, 16],
  ])('upsamples images of %i pixels a side %i times, from a map of %i', (size, upsamplings, first) => {
    const { nodes, ...graph } = generatorGraph({ ...official, imageSize: [size, size], widths: [4, 3, 2] });
    expect(nodes.filter(({ kind }) => kind === 'upsampleNearest2d').length).toBe(upsamplings);
    expect(inferShapes({ ...graph, nodes }).get('map')?.output).toEqual([first, first, 4]);
  });

  it('has the official epsilons, and statistics that never move', () => {
    const norms = generatorGraph(official).nodes.filter((node) => node.kind === 'batchNorm');
    expect(norms.map(({ epsilon, momentum, affine }) => ({ epsilon, momentum, affine }))).toEqual([
      { epsilon: 1e-5, momentum: 0, affine: true },
      { epsilon: 0.8, momentum: 0, affine: true },
      { epsilon: 0.8, momentum: 0, affine: true },
      { epsilon: 1e-5, momentum: 0, affine: false },
    ]);
  });

  it('makes images of mean 0 and variance 1 in each channel', async () => {
    const { shape, values } = await imagesOf(small);
    expect(shape).toEqual([32, 8, 12, 2]);
    for (const channel of [0, 1]) {
      const own = values.filter((_, index) => index % 2 === channel);
      const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
      const variance = own.reduce((sum, value) => sum + value * value, 0) / own.length;
      expect(mean).toBeCloseTo(0, 10);
      expect(Math.abs(variance - 1)).toBeLessThan(1e-2);
    }
  });

  it.each([
    [7, 12],
    [9, 10],
    [1, 3],
  ])('makes images of %d x %d, normalised after they are cropped', async (height, width) => {
    const { shape, values } = await imagesOf({ ...small, imageSize: [height, width] });
    expect(shape).toEqual([32, height, width, 2]);
    const own = values.filter((_, index) => index % 2 === 1);
    expect(own.reduce((sum, value) => sum + value, 0) / own.length).toBeCloseTo(0, 10);
  });

  it('makes pixels that a stored picture can have', async () => {
    const mean = [0.25, 0.5];
    const standardDeviation = [0.5, 0.125];
    const { values } = await imagesOf({
      ...small,
      output: { kind: 'pixels', contrast: 2, brightness: -1 },
      preprocessing: { resize: 'bilinear', mean, standardDeviation },
    });
    const pixels = values.map((value, index) => value * standardDeviation[index % 2] + mean[index % 2]);
    // The constants are float32 on the backend.
    expect(pixels.every((pixel) => pixel > -1e-6 && pixel < 1 + 1e-6)).toBe(true);
    const average = pixels.reduce((sum, pixel) => sum + pixel, 0) / pixels.length;
    // Below the middle, as the brightness says.
    expect(average).toBeLessThan(0.45);
    expect(Math.max(...pixels) - Math.min(...pixels)).toBeGreaterThan(0.3);
  });

  it('makes pixels of any tone where nothing normalises them', async () => {
    const { values } = await imagesOf({ ...small, output: { kind: 'sigmoid' } });
    expect(values.every((pixel) => pixel > 0 && pixel < 1)).toBe(true);
  });

  it('makes images of any value, normalised with scale and offset', () => {
    const graph = generatorGraph({ ...official, output: { kind: 'affine' } });
    expect(graph.nodes.at(-1)).toMatchObject({ kind: 'batchNorm', affine: true, name: graph.outputs.images });
  });

  it('reads a class behind the latent vector where it is asked for classes', async () => {
    const conditional = { ...small, classes: 3 };
    expect(generatorGraph(conditional).inputShape).toEqual([8]);
    expect((await imagesOf(conditional)).shape).toEqual([32, 8, 12, 2]);
  });

  it.each<[Partial<GeneratorOptions>, string]>([
    [{ classes: 1 }, "'classes' must be an integer >= 2: current value is 1"],
    [{ latentSize: 0 }, "'latentSize' must be an integer >= 1: current value is 0"],
    [{ channels: 1.5 }, "'channels' must be an integer >= 1: current value is 1.5"],
    [{ widths: [8, 0, 4] }, "'widths' must be integers >= 1: current value is 8,0,4"],
    [{ imageSize: [28, 0] }, "'imageSize' must be integers >= 1: current value is 28,0"],
    [{ batchNormEpsilon: 0 }, "'batchNormEpsilon' must be > 0: current value is 0"],
    [{ output: { kind: 'pixels', contrast: 0, brightness: 0 } }, "'output.contrast' must be > 0: current value is 0"],
    [
      { output: { kind: 'pixels', contrast: 1, brightness: Infinity } },
      "'output.brightness' must be finite: current value is Infinity",
    ],
  ])('refuses %j', (change, message) => {
    const create = () => generatorGraph({ ...official, ...change });
    expect(create).toThrow(DaflError);
    expect(create).toThrow(`Cannot create generator as ${message}`);
  });
});

import { createWasmBackend } from '@dafl/backend-wasm';
import {
  createNetwork,
  createRandomStream,
  createTurn,
  type Graph,
  type ImageSet,
  inferShapes,
  initializeWeights,
  type Model,
  preprocess,
  describeClassifier,
  predictLogits,
} from '@dafl/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { architectures } from '../architectures/architectures.ts';
import { runOnnx } from '../formats/onnx/_testing/run-onnx.ts';
import { readOnnx } from '../formats/onnx/read-onnx.ts';
import { writeOnnx } from '../formats/onnx/write-onnx.ts';
import { quantizeModel } from './quantize-model.ts';
import { simulateQuantization } from './simulate-quantization.ts';

let backend: Awaited<ReturnType<typeof createWasmBackend>>;
beforeAll(async () => {
  backend = await createWasmBackend({ threads: 1 });
});
afterAll(async () => {
  await backend.close();
});

/** Fresh weights, but that batch norms move and scale, each channel by another amount. */
function unevenModel(graph: Graph): Model {
  const random = createRandomStream(3, 'norms');
  const weights = new Map(initializeWeights(graph, createRandomStream(3, 'weights')).weights);
  for (const [node, shapes] of inferShapes(graph)) {
    for (const name of ['scale', 'offset', 'runningMean', 'runningVariance']) {
      const specification = shapes.weights[name];
      if (specification === undefined) continue;
      const size = specification.shape[0];
      const data = random.normal(size).map((value) => {
        if (name === 'scale') return Math.exp(value / 2);
        return name === 'runningVariance' ? 0.5 + value * value : value / 4;
      });
      weights.set(`${node}.${name}`, { shape: [size], data });
    }
  }
  return { graph, weights };
}

function noisePictures({ inputShape: [height, width, channels] }: Graph, count: number): ImageSet {
  const noise = createRandomStream(5, 'pictures').uniform(count * height * width * channels);
  return { height, width, channels, count, pixels: Uint8Array.from(noise, (value) => Math.floor(256 * value)) };
}

async function logitsOf(model: Model, pictures: ImageSet): Promise<Float32Array> {
  const network = createNetwork(backend, model);
  const classifier = describeClassifier(model.graph);
  const values = preprocess(pictures, [...Array(pictures.count).keys()], classifier);
  const input = backend.tensor(values, [pictures.count, ...classifier.inputShape]);
  try {
    return Float32Array.from(await predictLogits(network, input));
  } finally {
    backend.dispose(input);
    network.dispose();
  }
}

/** Root mean square of the differences, as a share of that of the first's deviations from their mean. */
function relativeError(wanted: Float32Array, given: Float32Array): number {
  const average = wanted.reduce((sum, value) => sum + value, 0) / wanted.length;
  const error = wanted.reduce((sum, value, index) => sum + (value - given[index]) ** 2, 0);
  return Math.sqrt(error / wanted.reduce((sum, value) => sum + (value - average) ** 2, 0));
}

describe('quantizeModel', () => {
  test.each([
    ['lenet5-half', undefined],
    ['resnet20', [16, 16, 3]],
    ['mobilenetv2', [16, 16, 3]],
  ] as const)(
    '%s in eight bits is close to itself, and ONNX Runtime computes what is simulated',
    async (name, shape) => {
      const graph = architectures.get(name)!.create(shape === undefined ? {} : { inputShape: shape });
      const model = unevenModel(graph);
      const pictures = noisePictures(graph, 16);
      const result = await quantizeModel(model, pictures, { backend, turn: createTurn() });
      const bytes = writeOnnx(result.model, { layout: 'nhwc', quantization: result.quantization });

      const wanted = await logitsOf(model, pictures);
      const simulated = await logitsOf(simulateQuantization(result), pictures);
      const data = preprocess(pictures, [...Array(pictures.count).keys()], describeClassifier(graph));
      const { logits } = await runOnnx(bytes, { shape: [pictures.count, ...graph.inputShape], data });
      expect(relativeError(wanted, simulated)).toBeLessThan(0.1);
      // Sums of another order round a value to its neighbour now and then.
      expect(relativeError(simulated, logits.data)).toBeLessThan(0.05);
    },
  );

  test('the file takes at most 28 % of the bytes, even of a small model', async () => {
    const graph = architectures.get('lenet5-half')!.create({});
    const model = unevenModel(graph);
    const result = await quantizeModel(model, noisePictures(graph, 4), { backend, turn: createTurn() });
    const { length } = writeOnnx(result.model, { quantization: result.quantization });
    expect(length / writeOnnx(model).length).toBeLessThan(0.28);
  });

  test('dafl reads the file back: the same classifier with the weights that its integers stand for', async () => {
    const graph = architectures.get('lenet5-half')!.create({});
    const pictures = noisePictures(graph, 4);
    const result = await quantizeModel(unevenModel(graph), pictures, { backend, turn: createTurn() });
    const { model } = readOnnx(writeOnnx(result.model, { quantization: result.quantization }), 'small');
    expect(model.graph.preprocessing).toEqual(graph.preprocessing);
    const [wanted, given] = [await logitsOf(result.model, pictures), await logitsOf(model, pictures)];
    given.forEach((value, index) => expect(value).toBeCloseTo(wanted[index], 4));
  });

  test('a model without layers is refused', async () => {
    const graph: Graph = {
      name: 'none',
      inputShape: [2, 2, 3],
      nodes: [{ kind: 'globalAveragePool2d', name: 'mean', inputs: ['input'] }],
      outputs: { logits: 'mean' },
    };
    const given = quantizeModel({ graph, weights: new Map() }, noisePictures(graph, 1), {
      backend,
      turn: createTurn(),
    });
    await expect(given).rejects.toThrow(
      "Cannot quantise model 'none' as it must have convolutions or dense layers: current value is [globalAveragePool2d]",
    );
  });
});

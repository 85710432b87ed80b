/**
 * How the ranges of activations in eight bits are best chosen, on training images that no test sees: `npm run bench:int8 --
 * MODEL DATA [MODEL DATA ...]`. The last 10,000 images of `DATA` are shown, as `dafl evaluate` takes it; the pictures that ranges are
 * measured by are made without data, once for each seed.
 */
import { basename } from 'node:path';
import {
  argMaxRows,
  choosePictures,
  createNetwork,
  createRandomStream,
  createTurn,
  describeClassifier,
  type ImageSet,
  inferenceBatchSize,
  type Model,
  predictLogits,
  preprocess,
  sliceImageSet,
  type TensorBackend,
} from '@dafl/core';
import { loadLabelledImages, selectBackend } from '@dafl/run';
import { loadModel } from '@dafl/run/load-model';
import { chooseByteScale } from '../packages/models/src/quantization/choose-byte-scale.ts';
import { type QuantizeOptions, quantizeModel } from '../packages/models/src/quantization/quantize-model.ts';
import { simulateQuantization } from '../packages/models/src/quantization/simulate-quantization.ts';
import { storeResult } from './_store-result.ts';

type ChooseScale = NonNullable<QuantizeOptions['chooseScale']>;
type Statistics = Parameters<ChooseScale>[0];

const SEEDS = [0, 1];
const SHOWN = 10_000;
const PICTURES = 512;

function toScale(low: number, high: number): ReturnType<ChooseScale> {
  if (!(high > low)) return { scale: 1, zeroPoint: 0 };
  const scale = Math.fround((high - low) / 255);
  return { scale, zeroPoint: Math.min(255, Math.max(0, Math.round(-low / scale))) };
}

/** A range that leaves out so many of the values at either end. */
function percentile(share: number): ChooseScale {
  return ({ minimum, maximum, histogram }: Statistics) => {
    const width = (maximum - minimum) / histogram.length;
    const left = (1 - share) * histogram.reduce((sum, count) => sum + count, 0);
    const cut = (counts: Iterable<number>): number => {
      let [bins, seen] = [0, 0];
      for (const count of counts) {
        if (seen + count > left) break;
        seen += count;
        bins++;
      }
      return bins * width;
    };
    return toScale(Math.min(0, minimum + cut(histogram)), Math.max(0, maximum - cut(Array.from(histogram).reverse())));
  };
}

/** A range that is so many times as wide about 0. */
function widened(choose: ChooseScale, factor: number): ChooseScale {
  return (statistics) => {
    const { scale, zeroPoint } = choose(statistics);
    return { scale: Math.fround(factor * scale), zeroPoint };
  };
}

const choices: Readonly<Record<string, ChooseScale>> = {
  'whole range': ({ minimum, maximum }) => toScale(minimum, maximum),
  'whole range and a quarter': ({ minimum, maximum }) => toScale(1.25 * minimum, 1.25 * maximum),
  'percentile 99.99': percentile(0.9999),
  'percentile 99.9': percentile(0.999),
  'least square error (default)': chooseByteScale,
  'least square error and a quarter': widened(chooseByteScale, 1.25),
};

async function logitsOf(backend: TensorBackend, model: Model, images: ImageSet): Promise<Float32Array[]> {
  const network = createNetwork(backend, model);
  const classifier = describeClassifier(model.graph);
  const rows: Float32Array[] = [];
  const batch = inferenceBatchSize(model.graph);
  try {
    for (let begin = 0; begin < images.count; begin += batch) {
      const indices = Array.from({ length: Math.min(batch, images.count - begin) }, (_, offset) => begin + offset);
      const input = backend.tensor(preprocess(images, indices, classifier), [indices.length, ...classifier.inputShape]);
      const logits = await predictLogits(network, input).finally(() => backend.dispose(input));
      indices.forEach((__, row) =>
        rows.push(Float32Array.from(logits.slice(row * classifier.classes, (row + 1) * classifier.classes))),
      );
    }
  } finally {
    network.dispose();
  }
  return rows;
}

/** In percent of all images. */
const round = (share: number): number => Math.round(10_000 * share) / 100;

async function measure(source: string, data: string): Promise<object> {
  const { model } = await loadModel(source);
  const all = await loadLabelledImages(data, { split: 'train' });
  const images = sliceImageSet(all, all.count - SHOWN, all.count);
  const { backend } = await selectBackend({ backend: 'wasm', threads: 1 });
  const turn = createTurn();
  try {
    const wanted = await logitsOf(backend, model, images);
    const named = wanted.map((row) => argMaxRows(row, row.length)[0]);
    const accuracyOf = (classes: readonly number[]): number =>
      classes.reduce((sum, label, image) => sum + (label === images.labels![image] ? 1 : 0), 0) / images.count;
    const energy = wanted.reduce((sum, row) => row.reduce((of, value) => of + value ** 2, sum), 0);
    const rows: object[] = [];
    for (const [choice, chooseScale] of Object.entries(choices)) {
      const ofSeeds = [];
      for (const seed of SEEDS) {
        const network = createNetwork(backend, model);
        const pictures = await choosePictures(network, {
          most: PICTURES,
          createRandom: (purpose) => createRandomStream(seed, `quantization ${purpose}`),
          turn,
        }).finally(() => network.dispose());
        const result = await quantizeModel(model, pictures, { backend, turn, chooseScale });
        const given = await logitsOf(backend, simulateQuantization(result), images);
        const classes = given.map((row) => argMaxRows(row, row.length)[0]);
        const error = given.reduce(
          (sum, row, image) => row.reduce((of, value, index) => of + (value - wanted[image][index]) ** 2, sum),
          0,
        );
        ofSeeds.push({
          accuracy: round(accuracyOf(classes)),
          agreement: round(
            classes.reduce((sum, label, image) => sum + (label === named[image] ? 1 : 0), 0) / images.count,
          ),
          signalToNoiseDb: Math.round(100 * Math.log10(energy / error)) / 10,
        });
      }
      rows.push({ choice, seeds: ofSeeds });
      process.stderr.write(`${basename(source)} ${choice} ${JSON.stringify(ofSeeds)}\n`);
    }
    return { model: basename(source), data: basename(data), float: { accuracy: round(accuracyOf(named)) }, rows };
  } finally {
    await backend.close();
  }
}

const given = process.argv.slice(2);
const models: object[] = [];
for (let index = 0; index + 1 < given.length; index += 2) models.push(await measure(given[index], given[index + 1]));
const command = `npm run bench:int8 -- ${given.map((name) => basename(name)).join(' ')}`;
await storeResult('int8-clipping', command, {
  images: `the last ${SHOWN} of the training images`,
  seeds: SEEDS,
  models,
});

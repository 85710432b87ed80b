import '@tensorflow/tfjs-backend-cpu';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { env, io, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';

// Without words about faster packages.
env().set('PROD', true);

/** The files of a model of TensorFlow.js, by name. */
export type TfjsFiles = ReadonlyMap<string, Uint8Array>;

/** A value of a test. */
export interface TfjsValue {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** What TensorFlow.js reads of files that lie in memory. */
function artifactsOf(files: TfjsFiles): io.ModelArtifacts {
  const model = JSON.parse(new TextDecoder().decode(files.get('model.json'))) as io.ModelJSON;
  const parts = model.weightsManifest.flatMap(({ paths }) => paths.map((path) => files.get(path)!));
  const weightData = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let position = 0;
  for (const part of parts) {
    weightData.set(part, position);
    position += part.length;
  }
  const weightSpecs = model.weightsManifest.flatMap(({ weights }) => weights);
  const { modelTopology, format, generatedBy, userDefinedMetadata, signature } = model;
  return {
    modelTopology,
    format,
    generatedBy,
    userDefinedMetadata,
    signature,
    weightSpecs,
    weightData: weightData.buffer,
  };
}

/** What TensorFlow.js computes by the files of a model. */
export async function runTfjs(files: TfjsFiles, input: TfjsValue): Promise<TfjsValue> {
  const handler = io.fromMemory(artifactsOf(files));
  const isGraph = new TextDecoder().decode(files.get('model.json')).includes('"graph-model"');
  const model = isGraph ? await loadGraphModel(handler) : await loadLayersModel(handler);
  const image = tensor(input.data, [...input.shape]);
  const result = model.predict(image) as Tensor;
  const data = Float32Array.from(result.dataSync());
  const { shape } = result;
  model.dispose();
  return { shape, data };
}

/** The files that TensorFlow.js itself writes of a layers model, in shards of so many bytes. */
export async function saveTfjs(model: LayersModel, shardBytes = Infinity): Promise<TfjsFiles> {
  const files = new Map<string, Uint8Array>();
  await model.save(
    io.withSaveHandler(async ({ weightData, weightSpecs, modelTopology, format, generatedBy }) => {
      const bytes = new Uint8Array(weightData as ArrayBuffer);
      const paths: string[] = [];
      for (let start = 0; start < bytes.length; start += shardBytes) {
        const path = `group1-shard${paths.length + 1}.bin`;
        files.set(path, bytes.slice(start, start + shardBytes));
        paths.push(path);
      }
      const json = { format, generatedBy, modelTopology, weightsManifest: [{ paths, weights: weightSpecs }] };
      files.set('model.json', new TextEncoder().encode(JSON.stringify(json)));
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    }),
  );
  return files;
}

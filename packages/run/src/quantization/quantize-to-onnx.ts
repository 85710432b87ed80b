import {
  choosePictures,
  createNetwork,
  createRandomStream,
  createTurn,
  type Model,
  type TensorBackend,
} from '@dafl/core';
import { type QuantizationResult, quantizeModel, writeOnnx } from '@dafl/models';

/** A model in eight bits and its file. */
export interface QuantizedFile {
  /** ONNX. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly result: QuantizationResult;
  /** Pictures by which activations and biases were measured. */
  readonly pictures: number;
}

const MOST_PICTURES = 512;
const SEED = 0;

/**
 * Brings a classifier to eight bits by procedural pictures and writes it as ONNX: the same model, the same file.
 *
 * @throws {DaflError} `MODEL` if the model cannot be quantised. `AbortError` if the signal is aborted.
 */
export async function quantizeToOnnx(
  model: Model,
  { backend, signal }: { readonly backend: TensorBackend; readonly signal?: AbortSignal },
): Promise<QuantizedFile> {
  const turn = createTurn();
  const network = createNetwork(backend, model);
  const pictures = await choosePictures(network, {
    most: MOST_PICTURES,
    createRandom: (purpose) => createRandomStream(SEED, `quantization ${purpose}`),
    turn,
    signal,
  }).finally(() => network.dispose());
  const result = await quantizeModel(model, pictures, { backend, turn, signal });
  const bytes = writeOnnx(result.model, { quantization: result.quantization });
  return { bytes, result, pictures: pictures.count };
}

import {
  createNetwork,
  createRandomStream,
  createTurn,
  evaluate,
  Examination,
  type ImageSet,
  type Marks,
  type Model,
  type TensorBackend,
} from '@dafl/core';
import { simulateQuantization } from '@dafl/models';
import { loadOnnxRuntime } from '../answers/load-onnx-runtime.ts';
import { evaluateOnnx } from './evaluate-onnx.ts';
import { quantizeToOnnx } from './quantize-to-onnx.ts';

/** Options of `runQuantization`. */
export interface QuantizationSettings {
  readonly backend: TensorBackend;
  /** Labelled images on which both are evaluated. */
  readonly evaluation?: ImageSet;
  readonly signal?: AbortSignal;
}

/** A model in eight bits as a file, and how close it is. */
export interface QuantizationOutcome {
  /** ONNX. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How often it names the model's class on pictures that it was not made with. */
  readonly marks: Marks;
  /** Pictures by which activations and biases were measured. */
  readonly pictures: number;
  /** Whether layers were equalised, as that came closer to the model. */
  readonly isEqualized: boolean;
  /** Absent without labelled images. */
  readonly accuracies?: {
    readonly before: number;
    readonly after: number;
    readonly count: number;
    /** The package that ran the file; `'simulation'` where none is installed. */
    readonly runBy: string;
  };
}

const SEED = 0;

/**
 * Brings a classifier to eight bits without data and writes it as ONNX.
 *
 * @throws {DaflError} `MODEL` if the model cannot be quantised. `AbortError` if the signal is aborted.
 */
export async function runQuantization(
  model: Model,
  { backend, evaluation, signal }: QuantizationSettings,
): Promise<QuantizationOutcome> {
  const turn = createTurn();
  const createRandom = (purpose: string) => createRandomStream(SEED, purpose);
  const { bytes, result, pictures } = await quantizeToOnnx(model, { backend, signal });
  const float = createNetwork(backend, model);
  const simulated = createNetwork(backend, simulateQuantization(result));
  try {
    const examination = await Examination.prepare({ teacher: float, createRandom, turn, signal });
    const marks = await examination.examine(simulated, turn, signal);
    const outcome = { bytes, marks, pictures, isEqualized: result.isEqualized };
    if (evaluation === undefined) return outcome;
    const { accuracy: before, count } = await evaluate(float, evaluation, { signal });
    const installed = await loadOnnxRuntime();
    const after =
      installed === undefined
        ? (await evaluate(simulated, evaluation, { signal })).accuracy
        : await evaluateOnnx(bytes, model.graph, evaluation, { runtime: installed.runtime, signal });
    return { ...outcome, accuracies: { before, after, count, runBy: installed?.name ?? 'simulation' } };
  } finally {
    float.dispose();
    simulated.dispose();
  }
}

import { env, InferenceSession, Tensor } from 'onnxruntime-web';

// Threads would outlive the tests.
env.wasm.numThreads = 1;
env.logLevel = 'error';

/** A test's values for the engine that owns the format. */
export interface OnnxInput {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Runs a model that takes `input` in ONNX Runtime. */
export async function runOnnx(bytes: Uint8Array, input: OnnxInput): Promise<Record<string, OnnxInput>> {
  const session = await InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  try {
    const results = await session.run({ input: new Tensor('float32', input.data, input.shape) });
    return Object.fromEntries(
      Object.entries(results).map(([name, tensor]) => [
        name,
        { shape: tensor.dims, data: tensor.data as Float32Array },
      ]),
    );
  } finally {
    await session.release();
  }
}

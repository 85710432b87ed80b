import type { Tensor, TensorData } from './backend.ts';
import { withTape } from './autodiff/with-tape.ts';
import type { Network } from './model/network.ts';

/**
 * Runs a classifier in inference mode and reads its logits.
 *
 * @param images Shape `[batch, ...inputShape]`, preprocessed. The caller keeps it.
 * @returns Shape `[batch, classes]`.
 */
export async function predictLogits(network: Network, images: Tensor): Promise<TensorData> {
  const { backend } = network;
  const logits = await answerImages(network, images);
  try {
    return await backend.read(logits);
  } finally {
    backend.dispose(logits);
  }
}

/**
 * Runs a classifier in inference mode: here, or by asking the program that computes it.
 *
 * @param images Shape `[batch, ...inputShape]`, preprocessed. The caller keeps it.
 * @returns The logits, shape `[batch, classes]`; the caller disposes them.
 */
export async function answerImages(network: Network, images: Tensor): Promise<Tensor> {
  const { backend, answer } = network;
  const said = answer === undefined ? null : await answer(Float32Array.from(await backend.read(images)), images.shape);
  return withTape(backend, (tape) => {
    const answers =
      said === null ? undefined : tape.own(backend.tensor(said, [images.shape[0], said.length / images.shape[0]]));
    const { logits } = network.forward(tape, tape.constant(images), { mode: 'inference', answers });
    return backend.reshape(logits.tensor, logits.shape);
  });
}

/** Index of the first largest of each row. */
export function argMaxRows(values: ArrayLike<number>, columns: number): Uint32Array {
  return Uint32Array.from({ length: values.length / columns }, (_, row) => {
    let best = 0;
    for (let column = 1; column < columns; column++) {
      if (values[row * columns + column] > values[row * columns + best]) best = column;
    }
    return best;
  });
}

/** Softmax of each row. */
export function softmaxRows(values: ArrayLike<number>, columns: number): Float32Array {
  const output = new Float32Array(values.length);
  for (let start = 0; start < values.length; start += columns) {
    let largest = -Infinity;
    for (let column = 0; column < columns; column++) largest = Math.max(largest, values[start + column]);
    let total = 0;
    for (let column = 0; column < columns; column++) total += Math.exp(values[start + column] - largest);
    for (let column = 0; column < columns; column++)
      output[start + column] = Math.exp(values[start + column] - largest) / total;
  }
  return output;
}

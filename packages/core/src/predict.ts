import type { Tensor, TensorData } from './backend.ts';
import { Tape } from './autodiff/tape.ts';
import type { Network } from './model/network.ts';

/**
 * Runs a classifier in inference mode and reads its logits.
 *
 * @param images Shape `[batch, ...inputShape]`, preprocessed. The caller keeps it.
 * @returns Shape `[batch, classes]`.
 */
export async function predictLogits(network: Network, images: Tensor): Promise<TensorData> {
  const tape = new Tape(network.backend);
  try {
    const { logits } = network.forward(tape, tape.constant(images), { mode: 'inference' });
    return await network.backend.read(logits.tensor);
  } finally {
    tape.dispose();
  }
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

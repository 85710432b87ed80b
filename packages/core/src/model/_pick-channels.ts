import type { Tensor, TensorBackend } from '../backend.ts';
import { sizeOf } from '../shape.ts';

/** Some channels of a tensor, in order. */
export function pickChannels(backend: TensorBackend, tensor: Tensor, channels: readonly number[]): Tensor {
  const width = tensor.shape.at(-1)!;
  const selection = new Float32Array(width * channels.length);
  channels.forEach((channel, position) => (selection[channel * channels.length + position] = 1));
  const rows = backend.reshape(tensor, [sizeOf(tensor.shape) / width, width]);
  const picks = backend.tensor(selection, [width, channels.length]);
  const picked = backend.matMul(rows, picks, false, false);
  const result = backend.reshape(picked, [...tensor.shape.slice(0, -1), channels.length]);
  for (const other of [rows, picks, picked]) backend.dispose(other);
  return result;
}

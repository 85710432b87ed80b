import type { Shape, Tensor, TensorBackend } from '../backend.ts';
import type { RandomStream } from '../random.ts';
import { sizeOf } from '../shape.ts';
import type { Conv2dNode } from './nodes/conv2d.ts';
import type { DenseNode } from './nodes/dense.ts';
import type { NodeShapes } from './node-kind.ts';

/** What a layer reads at some of its positions. */
export interface Patches {
  readonly rows: number;
  /** `[rows, values]`: what the kernel's values are multiplied with, in their order. */
  readonly data: Float32Array;
}

/** Bytes of a layer's input, and of its patches, that are held at once. */
const MOST_BYTES = 2 ** 25;

/**
 * Reads what a layer, without groups, multiplies its kernel with, at random positions of each image.
 *
 * @param input Shape `[batch, ...]`, as the layer reads it.
 * @param positions Rows wanted of each image; all of them, once, where there are not more.
 * @returns Some images at a time.
 */
export async function* readPatches(
  backend: TensorBackend,
  layer: Conv2dNode | DenseNode,
  shapes: NodeShapes,
  input: Tensor,
  positions: number,
  random: RandomStream,
): AsyncGenerator<Patches, void, undefined> {
  const [batch, ...shape] = input.shape;
  const size = sizeOf(shape);
  const places = sizeOf(shapes.output.slice(0, -1));
  const taken = Math.min(places, positions);
  const values = sizeOf(shapes.weights.kernel.shape.slice(0, -1));
  const atATime = Math.max(1, Math.floor(MOST_BYTES / (4 * Math.max(size, taken * values))));
  for (let begin = 0; begin < batch; begin += atATime) {
    const count = Math.min(atATime, batch - begin);
    const some = backend.slice(input, [begin, ...shape.map(() => 0)], [count, ...shape]);
    let read: ArrayLike<number>;
    try {
      read = await backend.read(some);
    } finally {
      backend.dispose(some);
    }
    const data = new Float32Array(count * taken * values);
    const drawn = taken < places ? random.integers(count * taken, places) : undefined;
    for (let row = 0; row < count * taken; row++) {
      const image = Math.floor(row / taken) * size;
      const place = drawn?.[row] ?? row % taken;
      if (layer.kind === 'conv2d') copyWindow(layer, shape, shapes.output[1], place, read, image, data, row * values);
      else for (let at = 0; at < values; at++) data[row * values + at] = read[image + place * values + at];
    }
    yield { rows: count * taken, data };
  }
}

/** Copies the window of one position; padding stays zero. */
function copyWindow(
  { kernelSize, strides, padding, dilations }: Conv2dNode,
  [height, width, channels]: Shape,
  columns: number,
  place: number,
  from: ArrayLike<number>,
  image: number,
  into: Float32Array,
  begin: number,
): void {
  const top = Math.floor(place / columns) * strides[0] - padding.top;
  const left = (place % columns) * strides[1] - padding.left;
  for (let y = 0; y < kernelSize[0]; y++) {
    const row = top + y * dilations[0];
    if (row < 0 || row >= height) continue;
    for (let x = 0; x < kernelSize[1]; x++) {
      const column = left + x * dilations[1];
      if (column < 0 || column >= width) continue;
      const source = image + (row * width + column) * channels;
      const target = begin + (y * kernelSize[1] + x) * channels;
      for (let channel = 0; channel < channels; channel++) into[target + channel] = from[source + channel];
    }
  }
}

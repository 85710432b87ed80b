import type { Shape } from '@dafl/core';
import { sizeOf } from '@dafl/core/backend-base';
import { FEW_CHANNELS } from './few-channels.ts';
import { type Made, reshape, type Shaped } from './layout.ts';
import type { Tensorflow, TensorId } from './tensorflow.ts';

/** Adds a bias to a convolution's output, which it takes over. */
export function addBias(tf: Tensorflow, product: TensorId | Made, shape: Shape, bias: Shaped | null): TensorId | Made {
  if (bias === null) return product;
  const made = typeof product === 'number' ? { id: product, shape } : product;
  tf.keep(made.id);
  const [, height, width, channels] = shape;
  const lastAxis = made.shape.at(-1)!;
  const addTo = (id: TensorId, row: TensorId): TensorId => tf.run('AddV2', [id, row]);
  if (lastAxis === channels && (channels >= FEW_CHANNELS || height * width === 1)) {
    return { id: tf.run('BiasAdd', [made.id, bias.as([channels])]), shape: made.shape };
  }
  const row = bias.derive(`row ${width}`, () => tf.run('Tile', [bias.as([channels]), tf.integers([width])]));
  if (lastAxis === width * channels) return { id: addTo(made.id, row), shape: made.shape };
  const rowsShape = [sizeOf(shape) / (width * channels), width * channels];
  return { id: addTo(tf.keep(reshape(tf, made.id, rowsShape)), row), shape: rowsShape };
}

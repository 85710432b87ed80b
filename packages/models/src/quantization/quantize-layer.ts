import type { HostTensor } from '@dafl/core';
import type { QuantizedLayer } from './place-quantizers.ts';

/** A layer in integers, as the numbers that they stand for. */
export interface LayerInIntegers {
  readonly kernel: HostTensor;
  readonly bias: HostTensor;
  /** `[filters]`. */
  readonly scales: Float32Array;
}

/** What a layer is quantised with. */
export interface LayerContext {
  readonly kernel: HostTensor;
  readonly bias?: HostTensor;
  /** Of the values that it reads. */
  readonly inputScale: number;
  /** Mean of each channel that it reads. */
  readonly inputMeans: Float64Array;
}

const LARGEST_BYTE = 127;
/** A bias takes so many steps at most, so that sums do not leave 32 bits. */
const LARGEST_BIAS = 2 ** 30;
/** Smaller weights are as good as none, and their scales would be 0 in float32. */
const LEAST_SCALE = 2 ** -60;
/** Shares of the largest weight that are tried as the range of a filter, the whole first. */
const SHARES = Array.from({ length: 13 }, (_, index) => 1 - index / 40);

/**
 * Brings each filter to 255 steps about 0 with the least square error, and takes off the bias what that shifts its
 * output on average.
 *
 * Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019, section 4.2;
 * deviation: the inputs' means are measured on pictures. Borders are taken as the rest of the picture.
 */
export function quantizeLayer(
  layer: QuantizedLayer,
  { kernel, bias, inputScale, inputMeans }: LayerContext,
): LayerInIntegers {
  const filters = kernel.shape[kernel.shape.length - 1];
  const perFilter = kernel.data.length / filters;
  const perGroup = layer.kind === 'conv2d' ? filters / layer.groups : filters;
  const channels = kernel.shape[kernel.shape.length - 2];
  const scales = new Float32Array(filters);
  const values = new Float32Array(kernel.data.length);
  const biases = new Float32Array(filters);
  for (let filter = 0; filter < filters; filter++) {
    const weights = Float64Array.from({ length: perFilter }, (_, index) => kernel.data[index * filters + filter]);
    const least = Math.abs(bias?.data[filter] ?? 0) / (inputScale * LARGEST_BIAS);
    const scale = chooseScale(weights, least);
    scales[filter] = scale;
    const firstChannel = Math.floor(filter / perGroup) * channels;
    let shift = 0;
    weights.forEach((weight, index) => {
      const value = scale * toByte(weight, scale);
      values[index * filters + filter] = value;
      shift += (value - weight) * inputMeans[firstChannel + (index % channels)];
    });
    const step = inputScale * scale;
    biases[filter] = step * Math.round(((bias?.data[filter] ?? 0) - shift) / step);
  }
  return { kernel: { shape: kernel.shape, data: values }, bias: { shape: [filters], data: biases }, scales };
}

function toByte(weight: number, scale: number): number {
  return Math.min(LARGEST_BYTE, Math.max(-LARGEST_BYTE, Math.round(weight / scale)));
}

/** @param least Smallest scale that may be. */
function chooseScale(weights: Float64Array, least: number): number {
  const largest = weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0);
  const bound = Math.max(least, LEAST_SCALE);
  let best = Math.fround(bound);
  let leastError = Infinity;
  for (const share of SHARES) {
    const scale = Math.fround(Math.max((share * largest) / LARGEST_BYTE, bound));
    let error = 0;
    for (let index = 0; index < weights.length; index++)
      error += (weights[index] - scale * toByte(weights[index], scale)) ** 2;
    if (error >= leastError) continue;
    leastError = error;
    best = scale;
  }
  return best;
}

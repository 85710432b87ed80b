import { expect, test } from 'vitest';
import type { QuantizedLayer } from './place-quantizers.ts';
import { quantizeLayer } from './quantize-layer.ts';

const dense: QuantizedLayer = { kind: 'dense', name: 'dense', inputs: ['input'], units: 2, useBias: true };

test('each unit has its own steps, and the bias makes up for what rounding shifts on average', () => {
  const kernel = { shape: [3, 2], data: Float32Array.of(1, 100, 0.3, -33.3, -0.7, 12.3) };
  const bias = { shape: [2], data: Float32Array.of(0.5, -2) };
  const inputMeans = Float64Array.of(3, 5, 1);
  const layer = quantizeLayer(dense, { kernel, bias, inputScale: 0.001, inputMeans });
  for (const unit of [0, 1]) {
    const weights = [0, 1, 2].map((input) => layer.kernel.data[2 * input + unit]);
    weights.forEach((weight, input) => {
      const steps = weight / layer.scales[unit];
      expect(steps).toBeCloseTo(Math.round(steps), 4);
      expect(Math.abs(weight - kernel.data[2 * input + unit])).toBeLessThanOrEqual(0.51 * layer.scales[unit]);
    });
    const mean = (values: readonly number[]) =>
      values.reduce((sum, value, input) => sum + value * inputMeans[input], 0);
    const wanted = mean([0, 1, 2].map((input) => kernel.data[2 * input + unit])) + bias.data[unit];
    expect(Math.abs(mean(weights) + layer.bias.data[unit] - wanted)).toBeLessThan(0.001 * layer.scales[unit]);
  }
});

test('a unit without weights keeps its bias', () => {
  const kernel = { shape: [1, 2], data: Float32Array.of(0, 0) };
  const bias = { shape: [2], data: Float32Array.of(3, 0) };
  const layer = quantizeLayer(dense, { kernel, bias, inputScale: 0.1, inputMeans: Float64Array.of(1) });
  expect(layer.kernel.data).toEqual(kernel.data);
  expect(layer.bias.data[0]).toBeCloseTo(3, 5);
  expect(layer.bias.data[1]).toBe(0);
});

import { readFileSync } from 'node:fs';
import { createCpuBackend } from '@dafl/backend-cpu';
import { createNetwork, type HostTensor, predictLogits } from '@dafl/core';
import { expect, test } from 'vitest';
import { GraphBuilder } from './architectures/_graph-builder.ts';
import { fromNchw } from './from-nchw.ts';

interface Stored {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** A small network of PyTorch's; see its script. */
const golden = JSON.parse(
  readFileSync(new URL('../../../test-fixtures/golden/state-dictionary.json', import.meta.url), 'utf8'),
) as { readonly weights: Record<string, Stored>; readonly images: Stored; readonly logits: Stored };

const weights = (): Map<string, HostTensor> =>
  new Map(
    Object.entries(golden.weights).map(([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }]),
  );

function build() {
  const builder = new GraphBuilder({ name: 'torch', classes: 3, inputShape: [5, 6, 2] });
  const padding = { top: 1, bottom: 1, left: 0, right: 0 };
  builder.append({
    kind: 'conv2d',
    name: 'conv1',
    inputs: ['input'],
    filters: 4,
    kernelSize: [3, 2],
    strides: [1, 2],
    padding,
    dilations: [1, 1],
    groups: 1,
    useBias: false,
  });
  builder.batchNorm('bn1');
  builder.activation('relu1');
  builder.convolution('conv2', 6, { groups: 2, useBias: true });
  builder.append({ kind: 'prelu', name: 'prelu2', inputs: ['conv2'] });
  builder.append({
    kind: 'transposedConv2d',
    name: 'up',
    inputs: ['prelu2'],
    filters: 3,
    kernelSize: [2, 3],
    strides: [1, 1],
    padding: { top: 0, bottom: 0, left: 0, right: 0 },
    dilations: [1, 1],
    groups: 1,
    outputPadding: [0, 0],
    useBias: true,
  });
  builder.flatten('flatten', 'chw');
  return builder.classifier();
}

test("a state dictionary of PyTorch's gives PyTorch's logits", async () => {
  const backend = createCpuBackend({ precision: 'float64' });
  const network = createNetwork(backend, fromNchw(build(), weights()));
  const [batch, channels, height, width] = golden.images.shape;
  const images = new Float32Array(golden.images.data.length);
  golden.images.data.forEach((value, index) => {
    const [image, channel, place] = [
      Math.floor(index / (channels * height * width)),
      Math.floor(index / (height * width)) % channels,
      index % (height * width),
    ];
    images[(image * height * width + place) * channels + channel] = value;
  });
  const logits = await predictLogits(network, backend.tensor(images, [batch, height, width, channels]));
  golden.logits.data.forEach((value, index) => expect(logits[index]).toBeCloseTo(value, 5));
});

test('weights under the names of dafl are taken as well', () => {
  const given = weights();
  given.set('conv1.kernel', given.get('conv1.weight')!);
  given.delete('conv1.weight');
  expect(fromNchw(build(), given)).toEqual(fromNchw(build(), weights()));
});

test.each([
  [
    'of another shape',
    (given: Map<string, HostTensor>) =>
      given.set('conv1.weight', { ...given.get('conv1.weight')!, shape: [3, 2, 2, 4] }),
    "'conv1.weight' must have shape [4, 2, 3, 2]: current value is [3, 2, 2, 4] with 48 values",
  ],
  [
    'missing',
    (given: Map<string, HostTensor>) => given.delete('bn1.running_var'),
    "'bn1.running_var' must be there, of shape [4]: current value is missing",
  ],
  [
    'left over',
    (given: Map<string, HostTensor>) => given.set('conv3.weight', { shape: [1], data: new Float32Array(1) }),
    "each weight must belong to a node: current value is 'conv3.weight'",
  ],
  [
    'not finite',
    (given: Map<string, HostTensor>) => given.get('logits.bias')!.data.fill(Number.NaN),
    "weight 'logits.bias' must be finite: current value at 0 is NaN",
  ],
])('a weight that is %s is refused', (_, change, message) => {
  const given = weights();
  change(given);
  expect(() => fromNchw(build(), given)).toThrow(message);
});

test.each([
  [{ inputShape: [8, 8, 1] as const }, "'classes' must be an integer >= 2: current value is NaN"],
  [{ classes: 3 }, "'inputShape' must be three integers >= 1: current value is []"],
])('a graph of one’s own must say what it is for: %j', (options, message) => {
  expect(() => new GraphBuilder(options)).toThrow(`Cannot create network as ${message}`);
});

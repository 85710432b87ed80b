import type { Graph, ModelNode } from '../model/model.ts';

/**
 * LeNet-5 as the official DAFL code has it (huawei-noah/Efficient-Computing, DAFL/lenet.py): 61,706 parameters.
 *
 * @param widths Of the three convolutions and the first dense layer.
 */
export function lenet5Graph(widths: readonly [number, number, number, number] = [6, 16, 120, 84]): Graph {
  const padding = { top: 0, bottom: 0, left: 0, right: 0 };
  const convolution = (name: string, input: string, filters: number): ModelNode[] => [
    {
      kind: 'conv2d',
      name,
      inputs: [input],
      filters,
      kernelSize: [5, 5],
      strides: [1, 1],
      padding,
      dilations: [1, 1],
      groups: 1,
      useBias: true,
    },
    { kind: 'activation', name: `${name}.relu`, inputs: [name], function: 'relu' },
  ];
  const pool = (name: string, input: string): ModelNode => ({
    kind: 'maxPool2d',
    name,
    inputs: [input],
    windowSize: [2, 2],
    strides: [2, 2],
    padding,
  });
  return {
    name: 'lenet5',
    inputShape: [32, 32, 1],
    nodes: [
      ...convolution('conv1', 'input', widths[0]),
      pool('pool1', 'conv1.relu'),
      ...convolution('conv2', 'pool1', widths[1]),
      pool('pool2', 'conv2.relu'),
      ...convolution('conv3', 'pool2', widths[2]),
      { kind: 'flatten', name: 'flatten', inputs: ['conv3.relu'], order: 'chw' },
      { kind: 'dense', name: 'fc1', inputs: ['flatten'], units: widths[3], useBias: true },
      { kind: 'activation', name: 'fc1.relu', inputs: ['fc1'], function: 'relu' },
      { kind: 'dense', name: 'fc2', inputs: ['fc1.relu'], units: 10, useBias: true },
    ],
    outputs: { logits: 'fc2', features: 'flatten' },
    preprocessing: { resize: 'bilinear', mean: [0.1307], standardDeviation: [0.3081] },
  };
}

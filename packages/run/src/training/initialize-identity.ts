import type { HostTensor, Model } from '@dafl/core';

/**
 * Lets each convolution of odd kernel pass its input on: of the first filters, as many as there are input channels, the
 * n-th is 1 at the centre of channel n and 0 elsewhere. The others stay as they are. Depthwise and 1x1 convolutions,
 * and the one that reads the image, stay as they are.
 *
 * Source: "dirac" initialisation, as in Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 2024, section 3.3.
 */
export function initializeIdentity({ graph, weights }: Model): Model {
  const changed = new Map<string, HostTensor>(weights);
  for (const node of graph.nodes) {
    if (node.kind !== 'conv2d' || node.groups > 1 || node.inputs[0] === 'input') continue;
    const [height, width] = node.kernelSize;
    if (height % 2 === 0 || width % 2 === 0 || height * width === 1) continue;
    const { shape, data } = weights.get(`${node.name}.kernel`)!;
    const [, , inputs, outputs] = shape;
    const kernel = Float32Array.from(data);
    const passed = Math.min(inputs, outputs);
    for (let tap = 0; tap < height * width; tap++) {
      const isCentre = tap === (height * width - 1) / 2;
      for (let input = 0; input < inputs; input++) {
        for (let output = 0; output < passed; output++)
          kernel[(tap * inputs + input) * outputs + output] = isCentre && input === output ? 1 : 0;
      }
    }
    changed.set(`${node.name}.kernel`, { shape, data: kernel });
  }
  return { graph, weights: changed };
}

import { createNetwork, describeClassifier, type Model, predictLogits, type TensorBackend } from '@dafl/core';
import { median } from 'd3-array';

const FEWEST = 3;
const MOST = 50;
const BUDGET_MS = 120;

/** Milliseconds that a network takes for one image alone, the median of several. */
export async function timeImage(backend: TensorBackend, model: Model): Promise<number> {
  const { inputShape } = describeClassifier(model.graph);
  const size = inputShape.reduce((product, side) => product * side, 1);
  const network = createNetwork(backend, model);
  const input = backend.tensor(new Float32Array(size).fill(0.5), [1, ...inputShape]);
  try {
    // The first time allocates and compiles.
    await predictLogits(network, input);
    const times: number[] = [];
    const endMs = performance.now() + BUDGET_MS;
    while (times.length < FEWEST || (times.length < MOST && performance.now() < endMs)) {
      const startMs = performance.now();
      await predictLogits(network, input);
      times.push(performance.now() - startMs);
    }
    return median(times)!;
  } finally {
    backend.dispose(input);
    network.dispose();
  }
}

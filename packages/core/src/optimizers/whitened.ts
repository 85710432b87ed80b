import { Variable } from '../autodiff/variable.ts';
import type { Tensor, TensorBackend } from '../backend.ts';
import { fail } from '../check.ts';
import { createOptimizer } from './create-optimizer.ts';
import type { Optimizer, OptimizerOptions, OptimizerState } from './optimizer.ts';

/** Other coordinates for the weights of a layer: `[kernel; bias] = transformᵀ weights`, the kernel as a matrix. */
export interface WhitenedLayer {
  /** Of the node, whose variables are `<name>.kernel` and, perhaps, `<name>.bias`. */
  readonly name: string;
  /** Values that each output sums up, and one more for the bias. */
  readonly size: number;
  /** `[size, size]`. */
  readonly transform: Float32Array;
  /** The layer's first weights in these coordinates, `[size, columns]`. */
  readonly weights: Float32Array;
}

/** An optimizer that updates some layers in other coordinates. */
export interface WhitenedOptimizer extends Optimizer {
  /** To be called once, before the first update, unless a state is restored that knows them. @see whitenInputs */
  whiten(layers: readonly WhitenedLayer[]): void;
}

/** A layer under way. */
interface Coordinates {
  readonly transform: Tensor;
  readonly weights: Variable;
  readonly kernel: Variable;
  readonly bias?: Variable;
}

/**
 * An optimizer in whose eyes the inputs of layers are white: it updates weights in the coordinates of each layer, of
 * which the network's own are computed after each update.
 *
 * Source: Desjardins et al., "Natural Neural Networks", NIPS 2015, section 3. Deviations: any optimizer may work in the
 * coordinates.
 */
export function createWhitened(
  backend: TensorBackend,
  variables: readonly Variable[],
  options: OptimizerOptions,
): WhitenedOptimizer {
  const byName = new Map(variables.map((variable) => [variable.name, variable]));
  const places = new Map(variables.map((variable, index) => [variable, index]));
  let layers: Coordinates[] = [];
  let others: readonly Variable[] = variables;
  let inner: Optimizer | undefined;

  function start(given: readonly WhitenedLayer[]): Optimizer {
    layers = given.map(({ name, size, transform, weights }) => ({
      transform: backend.tensor(transform, [size, size]),
      weights: new Variable(backend, `${name}.whitened`, backend.tensor(weights, [size, weights.length / size]), true),
      kernel: byName.get(`${name}.kernel`)!,
      bias: byName.get(`${name}.bias`),
    }));
    const taken = new Set(layers.flatMap(({ kernel, bias }) => [kernel, bias]));
    others = variables.filter((variable) => !taken.has(variable));
    inner = createOptimizer(backend, [...others, ...layers.map(({ weights }) => weights)], options);
    return inner;
  }

  function stop(): void {
    inner?.dispose();
    inner = undefined;
    for (const { transform, weights } of layers) {
      backend.dispose(transform);
      weights.dispose();
    }
    layers = [];
  }

  return {
    whiten(given) {
      stop();
      start(given);
    },
    apply(gradients, learningRate) {
      const gradientOf = (variable: Variable): Tensor => gradients[places.get(variable)!];
      const transformed = layers.map(({ transform, weights, kernel, bias }) => {
        const own = joinRows(backend, gradientOf(kernel), bias && gradientOf(bias), weights.shape[1]);
        const product = backend.matMul(transform, own, false, false);
        backend.dispose(own);
        return product;
      });
      (inner ?? start([])).apply([...others.map(gradientOf), ...transformed], learningRate);
      for (const layer of layers) assignFrom(backend, layer);
    },
    async state() {
      if (inner === undefined) return { step: 0, tensors: new Map() };
      const { step, tensors } = await inner.state();
      const all = new Map(tensors);
      for (const { transform, weights } of layers) {
        for (const [part, tensor] of Object.entries({ transform, weights: weights.tensor })) {
          const data = Float32Array.from(await backend.read(tensor));
          all.set(`${weights.name}/${part}`, { shape: tensor.shape, data });
        }
      }
      return { step, tensors: all };
    },
    restore(state) {
      stop();
      // Of a state before the first update, in which no coordinates were chosen, there is nothing to restore.
      if (state.step > 0) start(layersOf(state)).restore(state);
    },
    dispose: stop,
  };
}

const TRANSFORM = '.whitened/transform';

function layersOf({ tensors }: OptimizerState): WhitenedLayer[] {
  return [...tensors].flatMap(([key, { shape, data }]) => {
    if (!key.endsWith(TRANSFORM)) return [];
    const name = key.slice(0, -TRANSFORM.length);
    const needed = `${name}.whitened/weights`;
    const weights = tensors.get(needed);
    if (weights === undefined) {
      fail({
        code: 'CHECKPOINT',
        cannot: 'restore optimizer',
        as: `the checkpoint must hold '${needed}'`,
        value: 'missing',
      });
    }
    return [{ name, size: shape[0], transform: data, weights: weights.data }];
  });
}

/** The gradients of a kernel and a bias as one matrix; they are disposed. */
function joinRows(backend: TensorBackend, kernel: Tensor, bias: Tensor | undefined, columns: number): Tensor {
  const size = kernel.shape.reduce((product, length) => product * length, 1);
  const rows = backend.reshape(kernel, [size / columns, columns]);
  backend.dispose(kernel);
  if (bias === undefined) return rows;
  const row = backend.reshape(bias, [1, columns]);
  backend.dispose(bias);
  const joined = backend.concat([rows, row], 0);
  backend.dispose(rows);
  backend.dispose(row);
  return joined;
}

/** Gives a layer its weights back in the network's coordinates. */
function assignFrom(backend: TensorBackend, { transform, weights, kernel, bias }: Coordinates): void {
  const own = backend.matMul(transform, weights.tensor, true, false);
  const [size, columns] = own.shape;
  const assign = (variable: Variable, rows: Tensor): void => {
    variable.assign(backend.reshape(rows, variable.shape));
    backend.dispose(rows);
  };
  if (bias === undefined) {
    assign(kernel, own);
    return;
  }
  assign(kernel, backend.slice(own, [0, 0], [size - 1, columns]));
  assign(bias, backend.slice(own, [size - 1, 0], [1, columns]));
  backend.dispose(own);
}

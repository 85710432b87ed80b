import type { Variable } from '../autodiff/variable.ts';
import type { Tensor, TensorBackend } from '../backend.ts';
import { fail } from '../check.ts';
import type { OptimizerState } from './optimizer.ts';
import { sizeOf } from '../shape.ts';

/** What an optimizer updates by one pass of its arithmetic: one variable, or several end to end. */
export interface Block {
  readonly variables: readonly Variable[];
  /** Places of the variables in the optimizer's list. */
  readonly indices: readonly number[];
  readonly shape: readonly number[];
}

/**
 * Cuts variables into blocks: those with the same key make one where the backend joins tensors, each is one elsewhere.
 * The arithmetic of optimizers is element by element, so that both give the same bits.
 */
export function blocksOf(
  backend: TensorBackend,
  variables: readonly Variable[],
  keyOf: (variable: Variable) => unknown = () => null,
): Block[] {
  if (backend.fused?.flatten === undefined || backend.fused.unflatten === undefined) {
    return variables.map((variable, index) => ({ variables: [variable], indices: [index], shape: variable.shape }));
  }
  const places = new Map<unknown, number[]>();
  variables.forEach((variable, index) => {
    const key = keyOf(variable);
    places.set(key, [...(places.get(key) ?? []), index]);
  });
  return [...places.values()].map((indices) => {
    const joined = indices.map((index) => variables[index]);
    return { variables: joined, indices, shape: [joined.reduce((total, { shape }) => total + sizeOf(shape), 0)] };
  });
}

/** The tensors of a block as one, which the caller disposes. */
export function joinBlock(backend: TensorBackend, { shape }: Block, tensors: readonly Tensor[]): Tensor {
  return tensors.length === 1 ? backend.reshape(tensors[0], shape) : backend.fused!.flatten!(tensors);
}

/** Gives a block's variables their new values, of which it takes ownership. */
export function assignBlock(backend: TensorBackend, { variables }: Block, tensor: Tensor): void {
  if (variables.length === 1) {
    const [variable] = variables;
    const value = backend.reshape(tensor, variable.shape);
    variable.assign(value);
  } else {
    const shapes = variables.map(({ shape }) => shape);
    backend.fused!.unflatten!(tensor, shapes).forEach((value, index) => variables[index].assign(value));
  }
  backend.dispose(tensor);
}

/** One zero for each element of each block, saved and restored by the names of the variables. */
export class Moments {
  readonly #backend: TensorBackend;
  readonly #blocks: readonly Block[];
  readonly #name: string;
  readonly #tensors: Tensor[];

  constructor(backend: TensorBackend, blocks: readonly Block[], name: string) {
    this.#backend = backend;
    this.#blocks = blocks;
    this.#name = name;
    this.#tensors = blocks.map(({ shape }) => backend.fill(shape, 0));
  }

  /** Of a block; it stays the moments'. */
  at(index: number): Tensor {
    return this.#tensors[index];
  }

  /** Takes ownership of a block's new moments. */
  assign(index: number, tensor: Tensor): void {
    this.#backend.dispose(this.#tensors[index]);
    this.#tensors[index] = tensor;
  }

  async save(into: Map<string, { shape: readonly number[]; data: Float32Array }>): Promise<void> {
    const saved = new Map<number, { name: string; shape: readonly number[]; data: Float32Array }>();
    for (const [index, { variables, indices }] of this.#blocks.entries()) {
      const data = Float32Array.from(await this.#backend.read(this.#tensors[index]));
      let start = 0;
      variables.forEach(({ name, shape }, at) => {
        const end = start + sizeOf(shape);
        saved.set(indices[at], { name: `${name}/${this.#name}`, shape, data: data.slice(start, end) });
        start = end;
      });
    }
    // In the order of the variables, however they lie in blocks.
    for (const [, { name, shape, data }] of [...saved].sort(([left], [right]) => left - right))
      into.set(name, { shape, data });
  }

  restore(tensors: OptimizerState['tensors']): void {
    this.#blocks.forEach(({ variables, shape }, index) => {
      const data = new Float32Array(sizeOf(shape));
      let start = 0;
      for (const variable of variables) {
        const name = `${variable.name}/${this.#name}`;
        const saved = tensors.get(name);
        if (saved === undefined) {
          fail({
            code: 'CHECKPOINT',
            cannot: 'restore optimizer',
            as: `the checkpoint must hold '${name}'`,
            value: 'missing',
          });
        }
        data.set(saved.data, start);
        start += saved.data.length;
      }
      this.assign(index, this.#backend.tensor(data, shape));
    });
  }

  dispose(): void {
    for (const tensor of this.#tensors) this.#backend.dispose(tensor);
  }
}

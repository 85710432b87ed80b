import { createCpuBackend } from '@dafl/backend-cpu';
import { afterEach, describe, expect, it } from 'vitest';
import { tinyGraph } from './_testing/tiny-classifier.ts';
import { tanh } from './autodiff/operations/element-wise.ts';
import { sum } from './autodiff/operations/reduction.ts';
import { withTape } from './autodiff/with-tape.ts';
import type { TensorBackend } from './backend.ts';
import { initializeWeights } from './model/initialize-weights.ts';
import { createNetwork } from './model/network.ts';
import { createRandomStream } from './random.ts';
import { TensorScope } from './tensor-scope.ts';

const backend = createCpuBackend();
const live = (): number => backend.memory().tensors;
afterEach(() => expect(live()).toBe(0));

/** Makes `count` tensors, then no more. */
function failAfter(count: number): TensorBackend {
  let left = count;
  return new Proxy(backend, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      const isMaker = !['dispose', 'memory'].includes(String(name));
      return (...args: unknown[]): unknown => {
        if (isMaker && left-- === 0) throw new Error('no memory');
        return Reflect.apply(member, target, args);
      };
    },
  });
}

describe('TensorScope', () => {
  it('frees what was made where a run throws, and nothing of what was disposed or handed over', () => {
    const scope = new TensorScope(backend);
    const kept = scope.backend.fill([], 1);
    let handedOver = kept;
    const run = () =>
      scope.run(() => {
        scope.backend.dispose(scope.backend.fill([2], 1));
        scope.backend.fused?.batchNorm?.(scope.backend.fill([2, 1], 1), null, null, 1, null);
        handedOver = scope.keep(scope.run(() => scope.backend.fill([2], 1)));
        scope.run(() => scope.backend.fill([2], 1));
        throw new Error('stop');
      });
    expect(run).toThrow('stop');
    expect(live()).toBe(2);
    for (const tensor of [kept, handedOver]) backend.dispose(tensor);
  });

  it('leaves everything to the maker where a run ends', () => {
    const scope = new TensorScope(backend);
    const made = scope.run(() => scope.backend.fill([2], 1));
    expect(() =>
      scope.run(() => {
        throw new Error('later');
      }),
    ).toThrow('later');
    backend.dispose(made);
  });
});

describe('nothing is left alive', () => {
  const model = initializeWeights(tinyGraph([3, 8]), createRandomStream(0, 'weights'));

  it('of a network that does not fit', () => {
    for (const count of [0, 1, 3]) expect(() => createNetwork(failAfter(count), model)).toThrow('no memory');
  });

  it('of a forward pass and its derivatives, wherever they stop', () => {
    const network = createNetwork(backend, model);
    const before = live();
    const images = backend.fill([4, ...model.graph.inputShape], 1);
    /** What is left alive where no more than `count` tensors can be made, and what is wrong then. */
    const attempt = (count: number): { left: number; message: string | null } => {
      let message: string | null = null;
      try {
        withTape(failAfter(count), (tape) => {
          const { logits } = network.forward(tape, tape.constant(images), { mode: 'training' });
          const total = tanh(tape, logits);
          const leaves = network.trainableVariables.map(({ tensor }) => tape.leaf(tensor));
          tape.gradients(sum(tape, total), leaves).forEach((gradient) => tape.backend.dispose(gradient));
        });
      } catch (error) {
        message = (error as Error).message;
      }
      return { left: live() - before - 1, message };
    };
    const attempts = [attempt(0)];
    while (attempts.at(-1)!.message !== null) attempts.push(attempt(attempts.length));
    expect(attempts.length).toBeGreaterThan(20);
    expect(attempts.slice(0, -1)).toEqual(attempts.slice(1).map(() => ({ left: 0, message: 'no memory' })));
    expect(attempts.at(-1)!.left).toBe(0);
    backend.dispose(images);
    network.dispose();
  });
});

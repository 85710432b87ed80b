import { beforeEach, expect, it } from 'vitest';
import { type Storage, StoredTensor } from './stored-tensor.ts';
import { TensorStore } from './tensor-store.ts';

interface Block extends Storage {
  readonly name: string;
}

class BlockTensor extends StoredTensor<Block> {}

let freed: string[];
let store: TensorStore<Block, BlockTensor>;

beforeEach(() => {
  freed = [];
  store = new TensorStore<Block, BlockTensor>({
    name: 'block',
    tensorClass: BlockTensor,
    free: ({ name }) => freed.push(name),
  });
});

const add = (name: string): BlockTensor => store.add({ name, bytes: 8, references: 1 }, [2], 'float32');

it('frees memory with the last tensor that shares it', () => {
  const first = add('a');
  const second = store.reshape(first, [1, 2]);
  expect(store.memory()).toEqual({ tensors: 2, bytes: 8 });
  store.dispose(first);
  expect([freed, store.memory()]).toEqual([[], { tensors: 1, bytes: 8 }]);
  store.dispose(second);
  expect([freed, store.memory()]).toEqual([['a'], { tensors: 0, bytes: 0 }]);
});

it('frees what a kernel had made before it failed, and nothing else', () => {
  const input = add('input');
  const fails = () =>
    store.atomically(() => {
      add('temporary');
      store.atomically(() => add('inner'));
      store.dispose(add('disposed'));
      add('output');
      throw new Error('no memory');
    });
  expect(fails).toThrow('no memory');
  expect(freed.toSorted()).toEqual(['disposed', 'inner', 'output', 'temporary']);
  store.dispose(input);
  expect(freed.at(-1)).toBe('input');
});

it("keeps its tensors' shapes from whoever reuses the array", () => {
  const shape = [2];
  const tensor = store.add({ name: 'a', bytes: 8, references: 1 }, shape, 'float32');
  shape[0] = 3;
  expect(tensor.shape).toEqual([2]);
});

it('tells one of its kind from one of another', () => {
  const other = new TensorStore<Block, BlockTensor>({ name: 'block', tensorClass: BlockTensor, free: () => {} });
  expect(() => other.own(add('a'), 'add', 'left')).toThrow(
    "Cannot add as 'left' must be a tensor of this block backend: current value is another block backend's",
  );
  expect(store.close()).toBe(true);
  expect(store.close()).toBe(false);
  expect(() => store.mustBeOpen('add')).toThrow(
    'Cannot add as the block backend must be open: current value is closed',
  );
});

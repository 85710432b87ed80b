import type { Tensor, TensorBackend } from '@dafl/core';
import { type Bench, expectSameMemory, type Suite } from '../_suite.ts';
import { assertEqual, assertThrows, assertTrue } from '../_assertions.ts';
import { expectClose } from '../expect-close.ts';
import { floats, integers, range, uniform, upload } from '../_values.ts';

const exactly = { absolute: 0, relative: 0 };

/** Making, reading and disposing of tensors, and what `memory` says of it. */
export function declareLifeTests({ test }: Suite): void {
  test('tensor and read: floats', async (bench) => {
    const values = [0, -0, 1, -1.5, 1 / 3, 3.4028234e38, 1.2e-38, Infinity, -Infinity, Number.NaN].map(Math.fround);
    await bench.give([floats(values, [2, 5])], (backend, [x]) => backend.reshape(x, [10]), [floats(values)], exactly);
  });

  test('tensor and read: int32', async (bench) => {
    const values = integers([0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 24 + 1], [3, 2]);
    await bench.give([values], (backend, [x]) => backend.reshape(x, [3, 2]), [values]);
  });

  test('tensor: float64 data make a float tensor', async ({ backend }) => {
    const tensor = backend.tensor(new Float64Array([0.1, 0.2]), [2]);
    assertEqual(tensor.dataType, 'float32', 'dataType');
    expectClose(await backend.read(tensor), [0.1, 0.2], { absolute: 0, relative: 1e-7 });
    backend.dispose(tensor);
  });

  test('tensor: a view into a larger buffer', async ({ backend }) => {
    const tensor = backend.tensor(new Float32Array([9, 1, 2, 3, 9]).subarray(1, 4), [3]);
    expectClose(await backend.read(tensor), [1, 2, 3], exactly);
    backend.dispose(tensor);
  });

  test('tensor: a scalar', async ({ backend }) => {
    const tensor = backend.tensor(new Float32Array([4]), []);
    assertEqual([...tensor.shape], [], 'the shape');
    expectClose(await backend.read(tensor), [4], exactly);
    backend.dispose(tensor);
  });

  test('tensor: the array may be reused at once', async ({ backend }) => {
    for (const data of [new Float32Array([1, 2, 3]), new Float64Array([1, 2, 3]), new Int32Array([1, 2, 3])]) {
      const shape = [3];
      const tensor = backend.tensor(data, shape);
      data.fill(7);
      shape[0] = 7;
      assertEqual([...tensor.shape], [3], 'the shape');
      expectClose(await backend.read(tensor), [1, 2, 3], exactly);
      backend.dispose(tensor);
    }
  });

  test('read: the copy is the reader’s', async ({ backend }) => {
    for (const data of [new Float32Array([1, 2, 3]), new Int32Array([1, 2, 3])]) {
      const tensor = backend.tensor(data, [3]);
      const copy = await backend.read(tensor);
      copy.fill(7);
      expectClose(await backend.read(tensor), [1, 2, 3], exactly);
      backend.dispose(tensor);
    }
  });

  test('read: a copy outlives its tensor', async ({ backend }) => {
    const tensor = backend.tensor(new Float32Array([1, 2, 3]), [3]);
    const copy = await backend.read(tensor);
    backend.dispose(tensor);
    const others = [backend.fill([3], 5), backend.fill([3], 6)];
    expectClose(copy, [1, 2, 3], exactly);
    for (const other of others) backend.dispose(other);
  });

  test('read: several at a time', async ({ backend }) => {
    const tensors = [1, 2, 3, 4].map((value) => backend.fill([50], value));
    const data = await Promise.all(tensors.map((tensor) => backend.read(tensor)));
    data.forEach((array, i) => expectClose(array, new Array<number>(50).fill(i + 1), exactly));
    for (const tensor of tensors) backend.dispose(tensor);
  });

  test('fill', async (bench) => {
    const fill = (shape: readonly number[], value: number): Promise<void> =>
      bench.agree([], (backend) => backend.fill(shape, value), { tolerance: exactly });
    await fill([2, 3], 1.5);
    await fill([], -2);
    await fill([0, 4], 1);
    await fill([3], 0);
    await fill([5], Number.NaN);
    await fill([5], -Infinity);
    await fill([1, 2, 1, 2, 1, 3], 0.25);
    await fill([1100, 1000], 3);
  });

  test('zero-size tensors', async (bench) => {
    const { backend } = bench;
    await bench.give([floats([], [0])], (_, [x]) => backend.reshape(x, [3, 0]), [floats([], [3, 0])]);
    await bench.give([integers([], [2, 0])], (_, [x]) => backend.reshape(x, [0]), [integers([], [0])]);
    const empty = backend.fill([0], 1);
    assertEqual((await backend.read(empty)).length, 0, 'the number of elements');
    backend.dispose(empty);
  });

  test('arguments may be disposed before the result is read', async ({ backend }) => {
    const left = upload(backend, uniform([40, 30]));
    const right = backend.fill([30, 20], 0);
    const product = backend.matMul(left, right, false, false);
    const sum = backend.affine(product, 2, 1);
    for (const tensor of [left, right, product]) backend.dispose(tensor);
    const other = backend.fill([40, 20], 9);
    expectClose(await backend.read(sum), new Float32Array(800).fill(1), exactly);
    backend.dispose(sum);
    backend.dispose(other);
  });

  test('memory: counts tensors and bytes', async ({ backend }) => {
    const before = backend.memory();
    const float = backend.fill([3, 5], 1);
    const elementBytes = (await backend.read(float)).BYTES_PER_ELEMENT;
    expectSameMemory(backend.memory(), { tensors: before.tensors + 1, bytes: before.bytes + 15 * elementBytes });
    const integer = backend.tensor(new Int32Array(7), [7]);
    const total = { tensors: before.tensors + 2, bytes: before.bytes + 15 * elementBytes + 28 };
    expectSameMemory(backend.memory(), total);
    await backend.read(integer);
    expectSameMemory(backend.memory(), total);
    backend.dispose(float);
    backend.dispose(integer);
    expectSameMemory(backend.memory(), before);
  });

  test('memory: counts shared bytes once', async ({ backend }) => {
    const before = backend.memory();
    const first = backend.fill([6], 1);
    const bytes = backend.memory().bytes - before.bytes;
    const second = backend.reshape(first, [2, 3]);
    const both = backend.memory();
    assertEqual(both.tensors, before.tensors + 2, 'the number of tensors');
    // A backend may copy.
    assertTrue(
      both.bytes === before.bytes + bytes || both.bytes === before.bytes + 2 * bytes,
      `Expected ${bytes} or ${2 * bytes} bytes but got ${both.bytes - before.bytes}`,
    );
    backend.dispose(first);
    expectSameMemory(backend.memory(), { tensors: before.tensors + 1, bytes: before.bytes + bytes });
    backend.dispose(second);
    expectSameMemory(backend.memory(), before);
  });

  test('memory: stays level over many rounds', async ({ backend }) => {
    const input = upload(backend, uniform([64, 64]));
    const before = backend.memory();
    for (let round = 0; round < 200; round++) {
      const product = backend.matMul(input, input, false, true);
      const scaled = backend.affine(product, 0.01, 0);
      backend.dispose(product);
      backend.dispose(scaled);
    }
    await backend.read(input);
    expectSameMemory(backend.memory(), before);
    backend.dispose(input);
  });

  test('dispose: twice throws', async ({ backend }) => {
    const tensor = backend.fill([2], 1);
    backend.dispose(tensor);
    const before = backend.memory();
    await assertThrows(() => backend.dispose(tensor), 'disposing twice');
    expectSameMemory(backend.memory(), before);
  });

  test('dispose: using the tensor afterwards throws', async ({ backend }) => {
    const tensor = backend.fill([2, 2], 1);
    const live = backend.fill([2, 2], 1);
    backend.dispose(tensor);
    const uses: readonly (() => unknown)[] = [
      // May throw at once or reject.
      () => backend.read(tensor),
      () => backend.reshape(tensor, [4]),
      () => backend.transpose(tensor, [1, 0]),
      () => backend.slice(tensor, [0, 0], [1, 1]),
      () => backend.concat([live, tensor], 0),
      () => backend.unary('exp', tensor),
      () => backend.binary('add', live, tensor),
      () => backend.binary('add', tensor, live),
      () => backend.affine(tensor, 1, 0),
      () => backend.leakyRelu(tensor, 0),
      () => backend.reduce('sum', tensor, [0], false),
      () => backend.argMax(tensor),
      () => backend.matMul(live, tensor, false, false),
    ];
    const before = backend.memory();
    for (const use of uses) await assertThrows(use, `using a disposed tensor (${String(use)})`);
    expectSameMemory(backend.memory(), before);
    backend.dispose(live);
  });

  test('reshape: keeps order, takes any rank', async (bench) => {
    const input = range([2, 3, 4]);
    for (const shape of [[24], [4, 6], [1, 24, 1], [2, 2, 1, 3, 2, 1]]) {
      await bench.give([input], (backend, [x]) => backend.reshape(x, shape), [{ data: input.data, shape }], exactly);
    }
    await bench.give([floats([3], [1, 1])], (backend, [x]) => backend.reshape(x, []), [floats([3], [])], exactly);
    await bench.give([floats([3], [])], (backend, [x]) => backend.reshape(x, [1]), [floats([3], [1])], exactly);
  });

  test('reshape: the argument may be disposed first', async (bench) => {
    await expectSurvivor(bench, (backend, input, reshaped) => {
      backend.dispose(input);
      return reshaped;
    });
  });

  test('reshape: the result may be disposed first', async (bench) => {
    await expectSurvivor(bench, (backend, input, reshaped) => {
      backend.dispose(reshaped);
      return input;
    });
  });

  test('reshape: a chain may be disposed in any order', async ({ backend }) => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2],
      [1, 2, 0],
    ]) {
      const first = upload(backend, range([2, 6]));
      const second = backend.reshape(first, [3, 4]);
      const tensors = [first, second, backend.reshape(second, [12])];
      for (const i of order.slice(0, 2)) backend.dispose(tensors[i]);
      const noise = [backend.fill([12], 7), backend.fill([12], 8)];
      expectClose(await backend.read(tensors[order[2]]), range([12]).data, exactly);
      backend.dispose(tensors[order[2]]);
      for (const tensor of noise) backend.dispose(tensor);
    }
  });

  test('reshape: disposing twice throws, though the memory is shared', async ({ backend }) => {
    const input = backend.fill([4], 1);
    const reshaped = backend.reshape(input, [2, 2]);
    backend.dispose(input);
    await assertThrows(() => backend.dispose(input), 'disposing the argument twice');
    expectClose(await backend.read(reshaped), [1, 1, 1, 1], exactly);
    backend.dispose(reshaped);
    await assertThrows(() => backend.dispose(reshaped), 'disposing the result twice');
  });

  test('reshape: kernels take the result', async (bench) => {
    await bench.agree([uniform([4, 6])], (backend, [x]) => {
      const reshaped = backend.reshape(x, [2, 12]);
      const output = backend.matMul(reshaped, reshaped, false, true);
      backend.dispose(reshaped);
      return output;
    });
  });

  test('close: may be called twice, and the backend throws afterwards', async ({ create }) => {
    const backend = await create();
    const tensor = backend.fill([2], 1);
    await backend.close();
    await backend.close();
    await assertThrows(() => backend.fill([2], 1), 'making a tensor after close');
    await assertThrows(() => backend.affine(tensor, 1, 1), 'computing after close');
    await assertThrows(() => backend.read(tensor), 'reading after close');
  });

  test('close: leaves other backends of its kind alone', async ({ backend, create }) => {
    const tensor = backend.fill([3], 2);
    const other = await create();
    const before = backend.memory();
    other.fill([100], 1);
    expectSameMemory(backend.memory(), before);
    await other.close();
    expectClose(await backend.read(tensor), [2, 2, 2], exactly);
    backend.dispose(tensor);
  });

  test('name and description are given', async ({ backend }) => {
    assertTrue(/^[a-z][a-z0-9-]*$/.test(backend.name), `Expected a lower-case name but got ${backend.name}`);
    assertTrue(
      backend.description.includes(backend.name),
      `Expected a description with ${backend.name} but got ${backend.description}`,
    );
  });
}

/** Disposes of one of two tensors that may share memory, writes over what was freed and reads the other. */
async function expectSurvivor(
  { backend }: Bench,
  disposeOne: (backend: TensorBackend, input: Tensor, reshaped: Tensor) => Tensor,
): Promise<void> {
  for (const values of [range([4, 6]), range([4, 6], 'integer')]) {
    const input = upload(backend, values);
    const survivor = disposeOne(backend, input, backend.reshape(input, [24]));
    const noise = [backend.fill([24], 7), backend.fill([24], 8)];
    expectClose(await backend.read(survivor), values.data, exactly);
    backend.dispose(survivor);
    for (const tensor of noise) backend.dispose(tensor);
  }
}

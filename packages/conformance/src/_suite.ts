import type { FusedKernels, MemoryInfo, Tensor, TensorBackend, TensorData } from '@dafl/core';
import { assertEqual } from './_assertions.ts';
import { expectClose, type Tolerance } from './expect-close.ts';
import { sizeOf, upload, type Values } from './_values.ts';

/** Runs one kernel, or a few in a row. Tensors that it makes and doesn't return are its own to dispose. */
export type Kernel = (backend: TensorBackend, inputs: readonly Tensor[]) => Tensor | readonly Tensor[];

/** What one file of tests needs of the suite: a way to declare tests, under a name that a skip can give. */
export interface Suite {
  /** Declares a test. It fails also where the backend's tensors or bytes aren't back where they were at its start. */
  readonly test: (name: string, run: (bench: Bench) => Promise<void>) => void;
  /** Declares a test that has nothing to test where the backend lacks `kernel`. */
  readonly testFused: (kernel: keyof FusedKernels, name: string, run: (bench: Bench) => Promise<void>) => void;
}

/** A backend beside the oracle, and ways to compare them. */
export class Bench {
  readonly backend: TensorBackend;
  readonly oracle: TensorBackend;
  readonly tolerance: Tolerance;
  /** Makes another backend of the same kind, for tests that close it. */
  readonly create: () => TensorBackend | Promise<TensorBackend>;

  constructor(
    backend: TensorBackend,
    oracle: TensorBackend,
    tolerance: Tolerance,
    create: () => TensorBackend | Promise<TensorBackend>,
  ) {
    this.backend = backend;
    this.oracle = oracle;
    this.tolerance = tolerance;
    this.create = create;
  }

  /**
   * Runs `kernel` on the backend and on the oracle and compares shapes, types and values.
   *
   * @param inputs Uploaded to both. They must come out as they went in.
   * @param kernel What to run.
   * @param options `tolerance` in place of the suite's; `oracleKernel` where the oracle lacks the kernel.
   */
  async agree(
    inputs: readonly Values[],
    kernel: Kernel,
    options: { tolerance?: Tolerance; oracleKernel?: Kernel } = {},
  ): Promise<void> {
    const { tolerance, oracleKernel = kernel } = options;
    const expected = await this.#run(this.oracle, inputs, oracleKernel, []);
    const outputSizes = expected.map(({ shape }) => sizeOf(shape));
    const actual = await this.#run(this.backend, inputs, kernel, outputSizes);
    assertEqual(actual.length, expected.length, 'the number of results');
    for (let i = 0; i < expected.length; i++) this.expectValues(actual[i], expected[i], tolerance);
  }

  /** Runs `kernel` on the backend and compares with values that are known. */
  async give(
    inputs: readonly Values[],
    kernel: Kernel,
    expected: readonly Values[],
    tolerance?: Tolerance,
  ): Promise<void> {
    const outputSizes = expected.map(({ shape }) => sizeOf(shape));
    const actual = await this.#run(this.backend, inputs, kernel, outputSizes);
    assertEqual(actual.length, expected.length, 'the number of results');
    for (let i = 0; i < expected.length; i++) this.expectValues(actual[i], expected[i], tolerance);
  }

  /** Runs `kernel` twice and compares the bits. */
  async repeat(inputs: readonly Values[], kernel: Kernel): Promise<void> {
    const first = await this.#run(this.backend, inputs, kernel, []);
    const second = await this.#run(this.backend, inputs, kernel, []);
    for (let i = 0; i < first.length; i++) expectSameBits(second[i].data, first[i].data);
  }

  /** Compares shape, type and values. The absolute tolerance is a share of the largest expected value. */
  expectValues(actual: Values, expected: Values, tolerance: Tolerance = this.tolerance): void {
    assertEqual([...actual.shape], [...expected.shape], 'the shape');
    const isInteger = expected.data instanceof Int32Array;
    assertEqual(
      actual.data instanceof Int32Array ? 'int32' : 'float32',
      isInteger ? 'int32' : 'float32',
      'the data type',
    );
    if (isInteger) return expectClose(actual.data, expected.data, { absolute: 0, relative: 0 });
    // A sum rounds in proportion to its terms, which its value alone doesn't show where they cancel.
    let largest = 0;
    for (let i = 0; i < expected.data.length; i++) {
      const size = Math.abs(expected.data[i]);
      if (size > largest && size < Infinity) largest = size;
    }
    expectClose(actual.data, expected.data, {
      absolute: tolerance.absolute * (largest === 0 ? 1 : largest),
      relative: tolerance.relative,
    });
  }

  async #run(
    backend: TensorBackend,
    inputs: readonly Values[],
    kernel: Kernel,
    poisonSizes: readonly number[],
  ): Promise<Values[]> {
    const tensors = inputs.map((values) => upload(backend, values));
    // What the next results are likely to be written over: a kernel that counts on fresh memory to be 0 shows NaN.
    const poison = poisonSizes.flatMap((size) => [backend.fill([size], Number.NaN), backend.fill([size], Number.NaN)]);
    for (const tensor of poison) backend.dispose(tensor);

    const before = backend.memory().tensors;
    const result = kernel(backend, tensors);
    const outputs: readonly Tensor[] = Array.isArray(result) ? result : [result as Tensor];
    assertEqual(backend.memory().tensors - before, outputs.length, 'the number of tensors that the kernel left alive');

    // Together: some WebGPU hosts take tens of milliseconds to answer, however much they are asked.
    const read = await Promise.all([...outputs, ...tensors].map((tensor) => backend.read(tensor)));
    const results = outputs.map(({ shape, dataType }, i) => {
      assertEqual(dataType, read[i] instanceof Int32Array ? 'int32' : 'float32', 'dataType');
      return { data: read[i], shape: [...shape] };
    });
    for (let i = 0; i < tensors.length; i++) {
      const data = read[outputs.length + i];
      const uploaded = data instanceof Float32Array ? new Float32Array(inputs[i].data) : inputs[i].data;
      expectClose(data, uploaded, { absolute: 0, relative: 0 });
    }
    for (const tensor of [...outputs, ...tensors]) backend.dispose(tensor);
    return results;
  }
}

/** Fails unless both arrays hold the same bits, signs of zeros included. */
export function expectSameBits(actual: TensorData, expected: TensorData): void {
  const [actualBytes, expectedBytes] = [actual, expected].map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  expectClose(actualBytes, expectedBytes, { absolute: 0, relative: 0 });
}

/** Fails unless the backend holds what it held. */
export function expectSameMemory(actual: MemoryInfo, expected: MemoryInfo): void {
  const counts = ({ tensors, bytes }: MemoryInfo): MemoryInfo => ({ tensors, bytes });
  assertEqual(counts(actual), counts(expected), 'the memory');
}

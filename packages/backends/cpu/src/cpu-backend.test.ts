import { DaflError } from '@dafl/core';
import { describeBackend } from '@dafl/conformance';
import { describe, expect, it } from 'vitest';
import { createCpuBackend } from './cpu-backend.ts';

describeBackend({
  name: 'cpu, float64',
  create: () => createCpuBackend({ precision: 'float64' }),
  tolerance: { absolute: 1e-13, relative: 1e-13 },
});

describeBackend({
  name: 'cpu, float32',
  create: () => createCpuBackend({ precision: 'float32' }),
  // Each kernel rounds once, at its end, so only the kernels that the suite runs in a row add to half a unit.
  tolerance: { absolute: 1e-7, relative: 2e-7 },
});

describe('createCpuBackend', () => {
  it('computes in float32 unless told otherwise', async () => {
    const backend = createCpuBackend();
    expect(backend.name).toBe('cpu');
    expect(backend.description).toBe('cpu (pure TypeScript, float32)');
    expect(await backend.read(backend.fill([2], 0.1))).toEqual(new Float32Array([0.1, 0.1]));
    const precise = createCpuBackend({ precision: 'float64' });
    expect(precise.description).toBe('cpu (pure TypeScript, float64)');
    expect(await precise.read(precise.fill([2], 0.1))).toEqual(new Float64Array([0.1, 0.1]));
  });

  it('accumulates in float64', async () => {
    const backend = createCpuBackend();
    const sum = backend.reduce('sum', backend.tensor(new Float32Array([2 ** 24, 1, 1, 1, 1]), [5]), [0], false);
    expect(await backend.read(sum)).toEqual(new Float32Array([2 ** 24 + 4]));
  });

  it('leaves fused kernels to compositions', () => {
    expect(createCpuBackend().fused).toBeUndefined();
  });

  it('refuses an unknown precision', () => {
    // @ts-expect-error: what a caller in JavaScript may pass.
    expect(() => createCpuBackend({ precision: 'float16' })).toThrow(
      new DaflError(
        'USAGE',
        "Cannot create the cpu backend as 'precision' must be 'float64' or 'float32': current value is float16",
      ),
    );
  });

  it('says what is wrong with a tensor', async () => {
    const backend = createCpuBackend();
    const tensor = backend.fill([2, 3], 1);
    backend.dispose(tensor);
    const disposed = 'must be a live tensor: current value is a disposed tensor of shape [2, 3]';
    expect(() => backend.dispose(tensor)).toThrow(`Cannot dispose as 'tensor' ${disposed}`);
    expect(() => backend.unary('exp', tensor)).toThrow(`Cannot compute exp as 'tensor' ${disposed}`);
    expect(() => backend.reshape(tensor, [6])).toThrow(`Cannot reshape as 'input' ${disposed}`);
    await expect(backend.read(tensor)).rejects.toThrow(`Cannot read as 'tensor' ${disposed}`);

    const foreign = "as 'tensor' must be a tensor of this cpu backend: current value is another";
    const other = createCpuBackend().fill([2], 1);
    expect(() => backend.affine(other, 1, 1)).toThrow(`Cannot compute affine ${foreign} cpu backend's`);
    expect(() => backend.dispose({ shape: [2], dataType: 'float32' })).toThrow(`Cannot dispose ${foreign} backend's`);
  });

  it('says what data does not fit a shape', () => {
    const backend = createCpuBackend();
    expect(() => backend.tensor(new Float32Array(3), [2])).toThrow(
      "Cannot make a tensor as 'data' must have the 2 elements of shape [2]: current value is 3 elements",
    );
    expect(() => backend.reshape(backend.fill([2, 3], 1), [5])).toThrow(
      "Cannot reshape as 'shape' must have 6 elements: current value is [5]",
    );
  });

  it('says that it is closed', async () => {
    const backend = createCpuBackend();
    const tensor = backend.fill([2], 1);
    await backend.close();
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
    const closed = 'as the cpu backend must be open: current value is closed';
    expect(() => backend.fill([2], 1)).toThrow(`Cannot make a tensor ${closed}`);
    expect(() => backend.unary('exp', tensor)).toThrow(`Cannot compute exp ${closed}`);
  });
});

import { DaflError, type HostTensor } from '@dafl/core';
import { File, FS, type Group as WasmGroup, ready } from 'h5wasm';
import { describe, expect, it } from 'vitest';
import { decodeDataset } from './decode-dataset.ts';
import { Hdf5File } from './hdf5-file.ts';
import { type Hdf5Group, writeHdf5 } from './write-hdf5.ts';

await ready;

const reject = (rule: string, value: string): never => {
  throw new DaflError('MODEL', `Cannot read it as ${rule}: current value is ${value}`);
};

/** What HDF5's own library does with a file. */
function inLibrary<Result>(
  mode: 'r' | 'w',
  bytes: Uint8Array,
  use: (file: File) => Result,
  libver: 'v108' | 'latest' = 'v108',
) {
  const name = 'file.h5';
  if (mode === 'r') FS!.writeFile(name, bytes);
  const file = new File(name, mode, { libver });
  const result = use(file);
  file.close();
  const written = FS!.readFile(name);
  FS!.unlink(name);
  return { result, written };
}

const tensor = (shape: readonly number[], first: number): HostTensor => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((total, size) => total * size, 1) }, (_, index) => first + index),
});

/** 40 groups, each with arrays of several ranks and a text. */
const tree: Hdf5Group = {
  attributes: { name: 'model' },
  children: new Map([
    [
      'layers',
      {
        children: new Map(
          Array.from({ length: 40 }, (_, index): [string, Hdf5Group] => [
            `conv2d_${index}`,
            {
              attributes: { name: `Ebene ${index} ü` },
              children: new Map([
                ['0', tensor([2, 3, 1], index)],
                ['1', tensor([], index / 2)],
                ['2', tensor([0], 0)],
              ]),
            },
          ]),
        ),
      },
    ],
  ]),
};

describe('writeHdf5', () => {
  it("writes what HDF5's own library reads", () => {
    const { result } = inLibrary('r', writeHdf5(tree), (file) => {
      expect(file.attrs['name'].value).toBe('model');
      const layers = file.get('layers') as WasmGroup;
      return layers.keys().map((name) => {
        const group = layers.get(name) as WasmGroup;
        const values = ['0', '1', '2'].map((key) => {
          const dataset = group.get(key) as { value: unknown; shape: number[] };
          return { value: dataset.value, shape: dataset.shape };
        });
        return { name, text: group.attrs['name'].value, values };
      });
    });
    expect(result).toHaveLength(40);
    const found = result.find(({ name }) => name === 'conv2d_31')!;
    expect(found.text).toBe('Ebene 31 ü');
    expect(found.values.map(({ shape }) => shape)).toEqual([[2, 3, 1], [], [0]]);
    expect([...(found.values[0].value as Float32Array)]).toEqual([31, 32, 33, 34, 35, 36]);
    expect(found.values[1].value).toBe(15.5);
  });

  it('writes what is read here', () => {
    const file = new Hdf5File(writeHdf5(tree), reject);
    const group = file.find(file.root, 'layers/conv2d_7')!;
    expect(group.attributes.get('name')).toEqual({ shape: [], values: ['Ebene 7 ü'] });
    expect(decodeDataset(file.child(group, '0')!.dataset!)).toEqual(tensor([2, 3, 1], 7));
    expect(decodeDataset(file.child(group, '1')!.dataset!)).toEqual(tensor([], 3.5));
    expect(decodeDataset(file.child(group, '2')!.dataset!)).toEqual(tensor([0], 0));
  });
});

describe('Hdf5File', () => {
  // The oldest form is what the fixtures of Keras have.
  it.each(['v108', 'latest'] as const)("reads what HDF5's own library writes in its %s form", (libver) => {
    const write = (file: File) => {
      const group = file.create_group('g');
      for (let index = 0; index < 60; index++)
        group.create_dataset({ name: `d${index}`, data: Float32Array.of(index, index + 1), shape: [1, 2] });
      group.create_dataset({ name: 'double', data: Float64Array.of(0.5, 2), dtype: '<d' });
      group.create_dataset({ name: 'big', data: Int16Array.of(-3, 4), dtype: '<h' });
      for (let index = 0; index < 20; index++) group.create_attribute(`a${index}`, `value ${index}`);
      group.create_attribute('list', ['one', 'three']);
    };
    const { written } = inLibrary('w', new Uint8Array(), write, libver);
    const file = new Hdf5File(written, reject);
    const group = file.find(file.root, '/g')!;
    expect(group.links.size).toBe(62);
    expect(decodeDataset(file.child(group, 'd41')!.dataset!)).toEqual({ shape: [1, 2], data: Float32Array.of(41, 42) });
    expect(decodeDataset(file.child(group, 'double')!.dataset!)!.data).toEqual(Float32Array.of(0.5, 2));
    expect(decodeDataset(file.child(group, 'big')!.dataset!)!.data).toEqual(Float32Array.of(-3, 4));
    expect(group.attributes.get('a17')?.values).toEqual(['value 17']);
    expect(group.attributes.get('list')?.values).toEqual(['one', 'three']);
  });

  it('ends what points to itself', () => {
    const bytes = writeHdf5(tree);
    // The link to the group becomes one to the root.
    const view = new DataView(bytes.buffer);
    const root = view.getUint32(64, true);
    const text = new TextDecoder('latin1').decode(bytes);
    view.setUint32(text.indexOf('layers') + 6, root, true);
    const file = new Hdf5File(bytes, reject);
    expect(file.find(file.root, 'layers/layers/layers')).toBe(file.root);
  });

  it('ends in an error of ours wherever a file is cut or a byte is another', () => {
    const children = new Map<string, Hdf5Group | HostTensor>([
      ['a', tensor([3], 1)],
      ['b', { attributes: { c: 'd' }, children: new Map() }],
    ]);
    const bytes = writeHdf5({ children });
    const walk = (content: Uint8Array): void => {
      const file = new Hdf5File(content, reject);
      for (const name of file.root.links.keys()) file.child(file.root, name);
    };
    for (let length = 0; length < bytes.length; length++)
      expect(() => walk(bytes.subarray(0, length))).toThrow(DaflError);
    for (let index = 0; index < bytes.length; index++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        try {
          walk(bytes.with(index, value));
        } catch (error) {
          if (!(error instanceof DaflError)) throw error;
        }
      }
    }
    expect(() => walk(bytes)).not.toThrow();
  });
});

import { readFileSync } from 'node:fs';
import { DaflError } from '@dafl/core';
import { describe, expect, it, test } from 'vitest';
import { decodeFloat32 } from '../float32.ts';
import { buildZip, concatenate } from '../zip/_testing/build-zip.ts';
import {
  buildCheckpoint,
  buildPickle,
  pickledInteger,
  pickledTensor,
  pickledText,
  type TensorSketch,
} from './_testing/build-checkpoint.ts';
import { isCheckpoint } from './is-checkpoint.ts';
import { readCheckpoint } from './read-checkpoint.ts';

const fixture = (name: string): Uint8Array =>
  readFileSync(new URL(`../../../../../test-fixtures/pytorch/${name}`, import.meta.url));

const read = (bytes: Uint8Array) => readCheckpoint(bytes, 'x.pt');

/** A dict of one tensor. */
const dictOf = (...value: (string | readonly number[])[]): Uint8Array =>
  buildPickle('}', pickledText('w'), ...value, 's');

function valuesOf(bytes: Uint8Array): number[] {
  const tensor = read(bytes).tensors.get('w')!;
  return [...decodeFloat32({ ...tensor, bytes: tensor.bytes() })!];
}

describe('tensors', () => {
  it.each<[string, TensorSketch, number[]]>([
    ['as they lie', {}, [1, 2, 3, 4]],
    ['transposed', { strides: [1, 2] }, [1, 3, 2, 4]],
    ['part of a storage', { offset: 1, shape: [3], strides: [1] }, [2, 3, 4]],
    ['every second', { shape: [2], strides: [2] }, [1, 3]],
    ['one value without axes', { shape: [], strides: [], offset: 3 }, [4]],
    ['none', { shape: [0, 3], strides: [3, 1] }, []],
  ])('are gathered: %s', (_, sketch, expected) => {
    expect(valuesOf(buildCheckpoint(dictOf(pickledTensor(sketch))))).toEqual(expected);
  });

  it.each<[string, TensorSketch, RegExp]>([
    [
      'beyond its storage',
      { offset: 1 },
      /its tensors must lie inside their storages of 4 elements: current value is \[2, 2\] from 1 on/,
    ],
    ['far beyond', { strides: [1_000_000_000, 1] }, /must lie inside their storages/],
    ['repeated', { shape: [1_000_000], strides: [0] }, /must lie inside their storages/],
    ['negative sizes', { shape: [-1, 2] }, /its tensors must have a storage, an offset, sizes and strides/],
    ['negative strides', { strides: [2, -1] }, /its tensors must have a storage, an offset, sizes and strides/],
    ['as many strides as sizes', { strides: [1] }, /its tensors must have a storage, an offset, sizes and strides/],
    [
      'an unknown type',
      { storage: 'QInt8Storage' },
      /its storages must be of \[torch\.FloatStorage, .*: current value is 'torch\.QInt8Storage'/,
    ],
  ])('are refused: %s', (_, sketch, message) => {
    expect(() => read(buildCheckpoint(dictOf(pickledTensor(sketch))))).toThrow(message);
  });

  it('are refused where the file lacks their values', () => {
    const longer = buildCheckpoint(dictOf(pickledTensor({ elements: 5 })));
    expect(() => valuesOf(longer)).toThrow(/its data\/0 must have 20 bytes: current value is 16/);
    const absent = buildCheckpoint(dictOf(pickledTensor({ key: '../../etc/passwd' })));
    expect(() => valuesOf(absent)).toThrow(/must have 16 bytes: current value is none/);
  });

  it('are refused where a small file asks for a large memory', () => {
    const values = new Float32Array(1000);
    const one = [...pickledTensor({ elements: 1000, shape: [1000], strides: [1] })];
    const keys = Array.from({ length: 40 }, (_, index) => [...pickledText(`w${index}`), 0x68, 0]);
    // Remembered once, named forty times.
    const pickle = buildPickle('}', '(', pickledText('w'), one, 'q', 0, ...keys, 'u');
    expect(() => read(buildCheckpoint(pickle, values))).toThrow(/at most as many elements as it has bytes/);
  });
});

describe('a pickle is never run', () => {
  const system = (...rest: (string | readonly number[])[]): Uint8Array =>
    buildCheckpoint(buildPickle('}', pickledText('w'), pickledTensor(), 's', ...rest));
  it.each([
    ['a function that is called', [`cposix\nsystem\n`, '(', pickledText('true'), 'tR', '0'], 'posix.system'],
    ['a name alone', [`cbuiltins\neval\n`, '0'], 'builtins.eval'],
    ['a name made of strings', [pickledText('os'), pickledText('system'), [0x93], '0'], 'os.system'],
    ['an object that is made', [`csubprocess\nPopen\n`, ')', [0x81], '0'], 'subprocess.Popen'],
    ['part of torch', [`ctorch.hub\nload\n`, ')', 'R', '0'], 'torch.hub.load'],
    [
      'what is near a known name',
      [`ctorch._utils\n_rebuild_tensor_v2.x\n`, ')', 'R', '0'],
      'torch._utils._rebuild_tensor_v2.x',
    ],
  ])('%s is refused by name', (_, rest, name) => {
    expect(() => read(system(...rest))).toThrow(
      `Cannot read 'x.pt' as a PyTorch checkpoint as it must hold only tensors, dicts, lists, numbers and strings (store the weights alone: torch.save(model.state_dict(), 'weights.pt')): current value is ['${name}']`,
    );
  });

  it('all unknown names are told at once', () => {
    expect(() => read(system('cposix\nsystem\n', '0', 'cbuiltins\neval\n', '0'))).toThrow(
      /current value is \['posix\.system', 'builtins\.eval'\]$/,
    );
  });

  it('settings and numbers that training keeps beside weights are left out', () => {
    expect([...read(fixture('numpy.pt')).tensors.keys()]).toEqual(['a']);
    const settings = ['cargparse\nNamespace\n', ')', [0x81], '}', pickledText('lr'), pickledInteger(1), 's', 'b'];
    const epochs = ['ccollections\ndefaultdict\n', '(', 'c__builtin__\nlist\n', 'tR'];
    for (const beside of [settings, epochs]) {
      const pickle = buildPickle('}', pickledText('w'), pickledTensor(), 's', pickledText('beside'), ...beside, 's');
      expect(valuesOf(buildCheckpoint(pickle))).toEqual([1, 2, 3, 4]);
    }
  });

  it.each(['module.pt', 'module-within.pt'])('a whole module gets the lines that export it: %s', (name) => {
    expect(() => readCheckpoint(fixture(name), `some/where/${name}`)).toThrow(
      new RegExp(
        `holds a whole module, which only Python can run\\. Export it there:\n  model = torch\\.load\\('${name}', weights_only=False\\)\\.eval\\(\\)\n  torch\\.onnx\\.export\\(.*\n  # then read model\\.onnx`,
      ),
    );
  });

  it('a TorchScript archive gets them too', () => {
    expect(() => read(fixture('torchscript.pt'))).toThrow(
      /it holds a TorchScript program, .*\n.*\n  torch\.onnx\.export\(/,
    );
    const content = new Uint8Array(4);
    // As torch 2.9 and later write them: what tensors hold comes first.
    const script = ['m/data/0', 'm/code/__torch__.py', 'm/data.pkl'].map((name) => ({ name, content }));
    expect(isCheckpoint(buildZip(script))).toBe(true);
    expect(() => read(buildZip(script))).toThrow(/it holds a TorchScript program, /);
    const exported = ['m/data/weights/weight_0', 'm/models/model.json'].map((name) => ({ name, content }));
    expect(isCheckpoint(buildZip(exported))).toBe(true);
    expect(() => read(buildZip(exported))).toThrow(
      /it holds a program of torch\.export, .*\n.*\n  torch\.onnx\.export\(/,
    );
  });

  it.each<[string, (string | number | readonly number[])[], RegExp]>([
    ['an operation that is not read', ['i'], /not operation 0x69,: current value is byte 2 of 4/],
    ['an empty stack', ['s'], /must find what it takes from its stack/],
    ['no mark', ['u'], /must find what it takes from its stack/],
    ['nothing remembered', ['h', 7], /must recall what it remembers/],
    ['a length beyond its end', [[0x58, 255, 255, 255, 127]], /must end inside the file/],
    ['a long length beyond its end', [[0x8d, 255, 255, 255, 255, 255, 255, 255, 255]], /must end inside the file/],
    ['a number of many bytes', [[0x8b, 255, 255, 255, 127]], /numbers of at most 32 bytes/],
    ['a tuple that is appended to', [')', 'K', 1, 'a'], /must append to lists/],
    ['a number that is called', ['K', 1, ')', 'R'], /must call what it names/],
    ['more than a value', ['K', 1, 'K', 2], /must leave one value/],
    ['no dict', ['K', 1], /must hold a dict of tensors by name .*: current value is no dict/],
    ['a dict without tensors', ['}', pickledText('a'), 'K', 1, 's'], /current value is a dict without/],
  ])('%s is refused', (_, parts, message) => {
    expect(() => read(buildCheckpoint(buildPickle(...parts)))).toThrow(message);
  });

  it('ends where it asks for more operations than any file of weights', () => {
    const marks = new Uint8Array(1_000_100).fill(0x4e);
    expect(() => read(buildCheckpoint(concatenate([[0x80, 2], marks])))).toThrow(/take at most 1000000 operations/);
  });

  it('ends where dicts hold themselves', () => {
    const keys = Array.from({ length: 300 }, (_, index) => [...pickledText(`k${index}`), 0x68, 0]);
    const pickle = buildPickle('}', 'q', 0, '(', ...keys, 'u');
    expect(() => read(buildCheckpoint(pickle))).toThrow(/must hold a dict of tensors by name/);
  });
});

describe('where weights are kept', () => {
  const nested = (...keys: string[]): Uint8Array => {
    const values = keys.flatMap((key) =>
      ['}', pickledText('w'), pickledTensor(), 's'].map((part) => [key, part] as const),
    );
    const parts: (string | readonly number[])[] = ['}'];
    for (const key of keys)
      parts.push(pickledText(key), ...values.filter(([of]) => of === key).map(([, part]) => part), 's');
    return buildCheckpoint(buildPickle(...parts));
  };
  it.each([
    [['state_dict'], "Its weights are those under 'state_dict'"],
    [['model'], "Its weights are those under 'model'"],
    [['student'], "Its weights are those under 'student'"],
    [['ema', 'state_dict'], "Its weights are those under 'state_dict'; others, under ['ema'], are left out"],
  ])('%j', (keys, note) => {
    const { tensors, notes } = read(nested(...keys));
    expect([...tensors.keys()]).toEqual(['w']);
    expect(notes).toEqual([note]);
  });

  it('is asked for where it is open', () => {
    expect(() => read(nested('first', 'second'))).toThrow(
      /must keep its weights under one of \[state_dict, .*\]: current value is \['first', 'second'\]/,
    );
  });
});

describe('archives', () => {
  const pickle = dictOf(pickledTensor());
  const content = new Uint8Array(16);
  const whole = [
    { name: 'archive/data.pkl', content: pickle },
    { name: 'archive/data/0', content },
  ] as const;
  it.each<[string, Parameters<typeof buildZip>[0], RegExp]>([
    ['compressed entries', [{ ...whole[0], method: 8 }], /must be stored without compression/],
    ['damage', [{ ...whole[0], checksum: 1 }], /must match its checksum \(it is damaged\)/],
    ['entries twice', [whole[0], whole[0]], /must hold each entry once/],
    ['a size beyond the file', [{ ...whole[0], size: 2 ** 31 }], /must end before the directory/],
    ['a place beyond the file', [{ ...whole[0], offset: 2 ** 31 }], /must begin before the directory/],
    ['no pickle', [{ name: 'archive/version', content }], /must hold a data\.pkl/],
    [
      'big-endian values',
      [...whole, { name: 'archive/byteorder', content: new TextEncoder().encode('big') }],
      /must be little-endian/,
    ],
  ])('are refused: %s', (_, entries, message) => {
    expect(() => read(buildZip(entries))).toThrow(message);
  });

  test('cut anywhere are refused, and told from other files', () => {
    const bytes = fixture('lenet5-half.pt');
    expect(isCheckpoint(bytes)).toBe(true);
    expect(isCheckpoint(fixture('wrn.pt'))).toBe(true);
    for (const length of [40, 200, 3000, bytes.length - 1]) {
      expect(() => read(bytes.subarray(0, length))).toThrow(/current value is \d+ bytes, cut off there/);
    }
    const legacy = fixture('wrn.pt');
    for (const length of [3, 20, 300, 9000, legacy.length - 1]) {
      expect(() => read(legacy.subarray(0, length))).toThrow(DaflError);
    }
  });

  test('of another pickle say so', () => {
    expect(() => read(buildPickle('}'))).toThrow(/must be written by torch\.save \(this is another pickle\)/);
    expect(() => read(buildPickle(pickledInteger(1)))).toThrow(/another pickle/);
  });
});

test.each([2, 3, 4, 5])('a safetensors file is no pickle, whose header has a length of 0x%i80 bytes', (high) => {
  const length = high * 256 + 0x80;
  const bytes = new Uint8Array(8 + length).fill(0x20);
  bytes.set([0x80, high, 0, 0, 0, 0, 0, 0]);
  bytes.set(new TextEncoder().encode('{"__metadata__":{}}'), 8);
  expect(isCheckpoint(bytes)).toBe(false);
});

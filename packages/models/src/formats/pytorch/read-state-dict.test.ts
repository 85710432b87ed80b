import { readFileSync } from 'node:fs';
import { createRandomStream, initializeWeights, type Model, type ModelNode, shrink } from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { architectures } from '../../architectures/architectures.ts';
import { crc32 } from '../_crc32.ts';
import { decodeFloat32, encodeFloat32 } from '../float32.ts';
import { importModel, type ImportModelOptions } from '../import-model.ts';
import { drawInputs, runModel } from '../onnx/_testing/run-model.ts';
import { parseSafetensors } from '../parse-safetensors.ts';
import type { SafetensorsTensor } from '../safetensors.ts';
import { serializeSafetensors } from '../serialize-safetensors.ts';
import { buildCheckpoint, buildPickle, pickledTensor, pickledText } from './_testing/build-checkpoint.ts';
import { writeStateDict } from './write-state-dict.ts';

const folder = new URL('../../../../../test-fixtures/pytorch/', import.meta.url);
const bytesOf = (name: string): Uint8Array => readFileSync(new URL(name, folder));

/** What PyTorch computes: see generate.py beside the fixtures. */
interface Expected {
  readonly files: Readonly<
    Record<string, { readonly inputShape: readonly number[]; readonly output: readonly (readonly number[])[] }>
  >;
}
const { files } = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Expected;

/** Largest difference between what a file gives and what PyTorch does. */
async function errorOf(model: Model, name: string): Promise<number> {
  const { inputShape, output } = files[name];
  const size = inputShape.reduce((total, length) => total * length, 1);
  const actual = await runModel(model, drawInputs(size), inputShape);
  return Math.max(...output.flat().map((value, index) => Math.abs(actual[index] - value)));
}

const read = async (name: string, options?: ImportModelOptions) => await importModel(bytesOf(name), name, options);

describe('weights as PyTorch stores them', () => {
  it.each<[string, string, ImportModelOptions]>([
    ['lenet5-half.pt', 'lenet5-half', {}],
    ['resnet18-torchvision.pth', 'resnet18-imagenet, with other widths', { inputSize: [64, 64] }],
    ['resnet18-kuangliu.pth', 'resnet18, with other widths', {}],
    ['resnet50.pth', 'resnet50-imagenet, with other widths', { inputSize: [64, 64] }],
    ['resnet20.pt', 'resnet20, with other widths', {}],
    ['wrn.pt', 'wrn-16-2, with other widths', {}],
    ['vgg11-distiller.pt', 'vgg11, with other widths', {}],
    ['vgg11-bn.pt', 'vgg11-bn-imagenet, with other widths', {}],
    [
      'mobilenetv2-torchvision.pth',
      'mobilenetv2-imagenet, with other widths',
      { architecture: 'mobilenetv2-imagenet', inputSize: [64, 64] },
    ],
    [
      'mobilenetv2-timm.safetensors',
      'mobilenetv2-imagenet, with other widths',
      { architecture: 'mobilenetv2-imagenet', inputSize: [64, 64] },
    ],
  ])('%s is %s and gives the same logits', async (name, architecture, options) => {
    const { model, notes } = await read(name, options);
    expect(notes.join('\n')).toContain(`the architecture is ${architecture}, `);
    expect(await errorOf(model, name)).toBeLessThan(1e-7);
  });
});

describe('what they belong to', () => {
  it('is found by names, but not where they fit two architectures', async () => {
    await expect(read('mobilenetv2-torchvision.pth')).rejects.toThrow(
      "Cannot read 'mobilenetv2-torchvision.pth' as PyTorch weights as its weights fit several architectures: say which by 'architecture': current value is [mobilenetv2, mobilenetv2-imagenet]",
    );
  });

  it('is told with the size of pictures, and that nothing says how these are taken', async () => {
    const { model, notes } = await read('resnet18-kuangliu.pth');
    expect(notes).toEqual([
      "Its weights are those under 'net'",
      'It holds weights alone: the architecture is resnet18, with other widths, by its names and shapes (of kuangliu/pytorch-cifar; --architecture). Its pictures are taken to be 32x32 (--input-size).',
      expect.stringContaining('0..1 is assumed') as string,
    ]);
    expect(model.graph.preprocessing).toBeUndefined();
    const told = await read('resnet18-kuangliu.pth', { pixels: { range: '-1..1' }, inputSize: [48, 40] });
    expect(told.model.graph).toMatchObject({ inputShape: [48, 40, 3], preprocessing: { mean: [0.5, 0.5, 0.5] } });
  });

  it('is never another stem: 7x7 with pooling, or 3x3', async () => {
    await expect(read('resnet18-torchvision.pth', { architecture: 'resnet18' })).rejects.toThrow(
      /must be those of resnet18 by the names of torchvision and timm .*: current value is of another shape \[conv1\.weight \[4, 3, 7, 7\] for \[4, 3, 3, 3\]\]$/,
    );
    await expect(read('resnet20.pt', { architecture: 'resnet99' })).rejects.toThrow(
      /^Cannot read weights as 'architecture' must be one of \[resnet18, .*\]: current value is 'resnet99'$/,
    );
    const onnx = readFileSync(new URL('../onnx/maps.onnx', folder));
    await expect(importModel(onnx, 'maps.onnx', { architecture: 'resnet18' })).rejects.toThrow(
      "Cannot read 'maps.onnx' as 'architecture' must be given for weights alone, and it holds a network: current value is 'resnet18'",
    );
  });

  /** A published ResNet-20 by PyTorch's names, with some tensors changed. */
  const changed = async (
    change: (tensors: Map<string, SafetensorsTensor>) => void,
    options: ImportModelOptions = {},
  ) => {
    const { tensors } = parseSafetensors(writeStateDict(randomModel('resnet20')));
    const others = new Map(tensors);
    change(others);
    return await importModel(serializeSafetensors({ metadata: new Map(), tensors: others }), 'x.safetensors', options);
  };
  const zeros = (...shape: number[]): SafetensorsTensor => ({
    dataType: 'F32',
    shape,
    bytes: new Uint8Array(4 * shape.reduce((product, length) => product * length, 1)),
  });

  it('what is missing, unknown and of another shape is told at once', async () => {
    const spoil = changed((tensors) => {
      tensors.delete('fc.bias');
      tensors.delete('bn1.running_var');
      tensors.set('layer1.0.conv1.weight', zeros(16, 15, 3, 3));
      tensors.set('aux.weight', zeros(1));
      for (let index = 0; index < 20; index++) tensors.set(`extra${index}`, zeros(1));
    });
    await expect(spoil).rejects.toThrow(
      "Cannot read 'x.safetensors' as PyTorch weights as its tensors must be those of resnet20 by the names of torchvision and timm, the nearest architecture (export other networks to ONNX: torch.onnx.export): current value is missing [bn1.running_var, fc.bias]; not of it [aux.weight, extra0, extra1, extra10, extra11, extra12, extra13, extra14, extra15, extra16, extra17, extra18 and 9 more]; of another shape [layer1.0.conv1.weight [16, 15, 3, 3] for [16, 16, 3, 3]]",
    );
  });

  it('a last layer may be the one of a sequence, and losses may stand beside the network', async () => {
    const plain = await changed(() => {});
    const { model, notes } = await changed((tensors) => {
      const given = [...tensors];
      tensors.clear();
      for (const [key, tensor] of given) tensors.set(`model.${key.replace('fc.', 'fc.1.')}`, tensor);
      tensors.set('criterion.weight', zeros(10));
      tensors.set('n_averaged', { dataType: 'I64', shape: [], bytes: new Uint8Array(8) });
    });
    expect(notes).toContain('Tensors beside the network are left out: [criterion.weight]');
    expect(model.weights).toEqual(plain.model.weights);
    await expect(
      changed((tensors) => {
        for (const layer of ['fc.0', 'fc.2'])
          for (const part of ['weight', 'bias']) tensors.set(`${layer}.${part}`, tensors.get(`fc.${part}`)!);
        for (const part of ['weight', 'bias']) tensors.delete(`fc.${part}`);
      }),
    ).rejects.toThrow(/missing \[fc\.weight, fc\.bias\]; not of it \[fc\.0\.bias, /);
  });

  it('counted batches and prefixes of wrappers are nothing', async () => {
    const { model, notes } = await changed((tensors) => {
      const given = [...tensors];
      tensors.clear();
      for (const [key, tensor] of given) tensors.set(`module.model.${key}`, tensor);
      tensors.set('module.model.bn1.num_batches_tracked', { dataType: 'I64', shape: [], bytes: new Uint8Array(8) });
    });
    expect(notes[0]).toContain('the architecture is resnet20, by its names');
    expect(fingerprint(model)).toEqual(fingerprint(randomModel('resnet20')));
  });

  it('64 bits are rounded, and that is told; whole numbers are refused', async () => {
    const wide = (tensors: Map<string, SafetensorsTensor>): void => {
      tensors.set('fc.bias', {
        dataType: 'F64',
        shape: [10],
        bytes: new Uint8Array(new Float64Array(10).fill(0.1).buffer),
      });
    };
    const { model, notes } = await changed(wide);
    expect(model.weights.get('logits.bias')?.data[0]).toBe(Math.fround(0.1));
    expect(notes).toContain('Its weights of 64 bits are rounded to 32');
    const whole = changed((tensors) => void tensors.set('fc.bias', { ...zeros(10), dataType: 'I32' }));
    await expect(whole).rejects.toThrow(
      "weight 'fc.bias' must have a type of [F32, F16, BF16, F64]: current value is I32",
    );
    const broken = changed(
      (tensors) => void tensors.set('fc.bias', { ...zeros(10), bytes: new Uint8Array(40).fill(0xff) }),
    );
    await expect(broken).rejects.toThrow("weight 'logits.bias' must be finite");
  });

  it('other networks are told to go by ONNX', async () => {
    const other = changed((tensors) => {
      tensors.clear();
      tensors.set('encoder.weight', zeros(3));
    });
    await expect(other).rejects.toThrow(
      /its tensors must be those of a built-in architecture \[resnet18, .*\] by PyTorch's names \(export other networks to ONNX: torch\.onnx\.export\): current value is \[encoder\.weight\]$/,
    );
  });

  it('names that are not known are taken in order, where the architecture is named', async () => {
    const shapes = [[3, 1, 5, 5], [3], [8, 3, 5, 5], [8], [60, 8, 5, 5], [60], [42, 60], [42], [10, 42], [10]];
    const sizes = shapes.map((shape) => shape.reduce((product, length) => product * length, 1));
    const elements = sizes.reduce((total, size) => total + size, 0);
    const entries = shapes.flatMap((shape, index) => {
      const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, length) => product * length, 1));
      const offset = sizes.slice(0, index).reduce((total, size) => total + size, 0);
      return [pickledText(`layer.${index}`), pickledTensor({ elements, offset, shape, strides })];
    });
    const values = Float32Array.from({ length: elements }, (_, index) => index);
    const file = buildCheckpoint(buildPickle('}', '(', ...entries, 'u'), values);
    const { model, notes } = await importModel(file, 'x.pt', { architecture: 'lenet5-half' });
    expect(notes).toContain(
      'The names of its tensors are not known: they are taken in their order, which fits by shapes',
    );
    expect(model.weights.get('logits.bias')?.data.at(-1)).toBe(elements - 1);
    await expect(importModel(file, 'x.pt')).rejects.toThrow(/must be those of a built-in architecture/);
  });
});

describe('written by PyTorch names', () => {
  it.each(['lenet5-half', 'resnet20', 'wrn-16-1', 'vgg8', 'mobilenetv2', 'hintonnet-800'])(
    '%s, and half of it, come back as they were',
    async (name) => {
      for (const graph of [architectures.get(name)!.create(), shrink(architectures.get(name)!.create(), 0.5)]) {
        const model = initializeWeights(
          { ...graph, classNames: 'abcdefghij'.split('') },
          createRandomStream(1, 'weights'),
        );
        const bytes = writeStateDict(model);
        const { model: back, notes } = await importModel(bytes, 'x.safetensors');
        expect(back.graph.nodes.map(withoutMomentum)).toEqual(model.graph.nodes.map(withoutMomentum));
        expect(back.graph).toEqual({ ...model.graph, name: 'x', nodes: back.graph.nodes });
        expect(fingerprint(back)).toEqual(fingerprint(model));
        expect(notes).toHaveLength(1);
        expect(crc32(writeStateDict(back))).toBe(crc32(bytes));
      }
    },
  );

  it('maps that are flattened channels last are read channels first', async () => {
    const graph = architectures.get('hintonnet')!.create({ inputShape: [2, 2, 3] });
    const model = initializeWeights(graph, createRandomStream(1, 'weights'));
    const { tensors } = parseSafetensors(writeStateDict(model));
    const kernel = decodeFloat32(tensors.get('fc1.weight')!)!;
    // Channel 1 at row 1, column 0: sixth of 12 channels first, eighth channels last.
    expect(kernel[6]).toBe(model.weights.get('dense1.kernel')!.data[7 * 1200]);
    const { model: back } = await importModel(writeStateDict(model), 'x.safetensors');
    expect(fingerprint(back)).toEqual(fingerprint(model));
  });

  it('is refused for other graphs', () => {
    expect(() => writeStateDict(randomModel('airbench-0.5'))).toThrow(
      /^Cannot write model 'airbench-0\.5' by PyTorch's names as it must be one of the architectures \[resnet18, .*\], of any width: current value is another graph$/,
    );
  });
});

function randomModel(name: string): Model {
  return initializeWeights(architectures.get(name)!.create(), createRandomStream(1, 'weights'));
}

function withoutMomentum(node: ModelNode): object {
  return { ...node, momentum: undefined };
}

/** Millions of values are compared by their checksums. */
function fingerprint({ weights }: Model): unknown[] {
  return [...weights].map(([name, { shape, data }]) => [name, shape, crc32(encodeFloat32(data))]);
}

/**
 * Files about which people reported that some importer reads them wrong, each with the answer worked out by hand. The
 * numbers in brackets are those of the collection of reports.
 */
import { describe, expect, it } from 'vitest';
import { buildOnnx, constantNode, floats, integers, node, type OnnxSketch } from './_testing/build-onnx.ts';
import { runModel } from './_testing/run-model.ts';
import { ProtobufWriter } from './_protobuf-writer.ts';
import type { OnnxTensor } from './_onnx-messages.ts';
import { openOnnx, readOnnx } from './read-onnx.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const ones = (count: number): number[] => Array<number>(count).fill(1);

/** What a file answers, in one row. */
async function answer(bytes: Uint8Array, values: readonly number[], shape: readonly number[]): Promise<number[]> {
  const { model } = readOnnx(bytes, 'case.onnx');
  return runModel(model, Float32Array.from(values), shape);
}
const ask = (sketch: OnnxSketch, values: readonly number[]): Promise<number[]> =>
  answer(
    buildOnnx(sketch),
    values,
    sketch.shape.map((size) => (typeof size === 'number' ? size : 1)),
  );
const about = (value: number): number => expect.closeTo(value, 5) as number;
const near = (values: readonly number[]): number[] => values.map(about);

it('reads a group norm that is spelt by reshapes, and nothing but that', async () => {
  const weights = [
    integers('groups', [0, 2, -1]),
    integers('maps', [0, 4, 1, 2]),
    floats('scale', [2], [2, 4]),
    floats('offset', [2], [1, 0]),
  ];
  const nodes = [
    node('Reshape x,groups -> a'),
    node('InstanceNormalization a,scale,offset -> b'),
    node('Reshape b,maps -> c'),
    node('Flatten c -> y'),
  ];
  const bytes = buildOnnx({ shape: ['N', 4, 1, 2], weights, nodes });
  const { model } = readOnnx(bytes, 'case.onnx');
  expect(model.graph.nodes.map(({ kind }) => kind)).toEqual(['groupNorm', 'flatten']);
  // Group 0 holds 0, 0, 20, 20: mean 10, deviation 10. Group 1 holds 10, 50, 10, 50: mean 30, deviation 20.
  expect(await answer(bytes, [0, 0, 20, 20, 10, 50, 10, 50], [1, 4, 1, 2])).toEqual(near([-1, -1, 3, 3, -4, 4, -4, 4]));
});

describe('windows', () => {
  const picture = { shape: ['N', 1, 4, 4], weights: [floats('k', [1, 1, 3, 3], ones(9))] } as const;
  const convolve = (attributes: Readonly<Record<string, readonly number[] | string>>) =>
    ask(
      { ...picture, nodes: [node('Conv x,k -> a', { strides: [2, 2], ...attributes }), node('Flatten a -> y')] },
      upTo(16),
    );

  it.each([
    [
      [0, 0, 1, 1],
      [54, 45, 72, 54],
    ],
    [
      [1, 1, 0, 0],
      [14, 30, 57, 99],
    ],
  ])('pads a convolution on one side by %j (I01)', async (pads, expected) => {
    expect(await convolve({ pads })).toEqual(expected);
  });

  it('pads as auto_pad says (I02)', async () => {
    expect(await convolve({ auto_pad: 'SAME_UPPER' })).toEqual([54, 45, 72, 54]);
    expect(await convolve({ auto_pad: 'SAME_LOWER' })).toEqual([14, 30, 57, 99]);
    expect(await convolve({ auto_pad: 'VALID' })).toEqual([54]);
    // Windows of 5 with holes: two more rows and columns all around keep 4 x 4.
    const dilated = await convolve({ auto_pad: 'SAME_UPPER', dilations: [2, 2], strides: [1, 1] });
    expect(dilated).toEqual([24, 28, 24, 28, 40, 44, 40, 44, 24, 28, 24, 28, 40, 44, 40, 44]);
    const pooled = await ask(
      {
        shape: ['N', 1, 28, 28],
        nodes: [
          node('MaxPool x -> a', { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' }),
          node('Flatten a -> y'),
        ],
      },
      upTo(784),
    );
    expect(pooled).toHaveLength(14 * 14);
    expect([pooled[0], pooled[13], pooled[195]]).toEqual([59, 84, 784]);
  });

  it('counts what an average takes in (I03)', async () => {
    const pool = (attributes: Readonly<Record<string, readonly number[] | number>>) =>
      ask(
        {
          shape: ['N', 1, 4, 4],
          nodes: [
            node('AveragePool x -> a', { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1, ...attributes }),
            node('Flatten a -> y'),
          ],
        },
        upTo(16),
      );
    expect(await pool({})).toEqual(near([6, 7.5, 12, 13.5]));
    const padded = await pool({ pads: [1, 1, 1, 1], count_include_pad: 1 });
    expect(padded).toHaveLength(9);
    expect([padded[0], padded[4], padded[7], padded[8]]).toEqual(near([14 / 9, 11, 7.5, 4]));
  });
});

describe('dense layers', () => {
  const row = [1, 2];
  const columns = floats('b', [2, 3], [1, 2, 3, 4, 5, 6]);
  const scaled = { alpha: { float: 0.5 }, beta: { float: 2 } };

  it.each<[string, OnnxTensor[], string, Readonly<Record<string, number | { float: number }>>, number[]]>([
    ['a row of C', [columns, floats('c', [3], ones(3))], 'Gemm x,b,c -> y', scaled, [6.5, 8, 9.5]],
    ['one C', [columns, floats('c', [], [1])], 'Gemm x,b,c -> y', scaled, [6.5, 8, 9.5]],
    ['no C', [columns], 'Gemm x,b -> y', scaled, [4.5, 6, 7.5]],
    ['transB', [floats('b', [3, 2], [1, 4, 2, 5, 3, 6])], 'Gemm x,b -> y', { transB: 1 }, [9, 12, 15]],
  ])('are what Gemm says: %s (I05)', async (_, weights, formula, attributes, expected) => {
    expect(await ask({ shape: ['N', 2], weights, nodes: [node(formula, attributes)] }, row)).toEqual(expected);
  });

  it('are MatMul and Add too, and never mix the examples of a batch (I05)', async () => {
    const weights = [columns, floats('c', [3], ones(3))];
    expect(
      await ask({ shape: ['N', 2], weights, nodes: [node('MatMul x,b -> a'), node('Add a,c -> y')] }, row),
    ).toEqual([10, 13, 16]);
    const turned = buildOnnx({ shape: ['N', 2], weights, nodes: [node('Gemm x,b -> y', { transA: 1 })] });
    expect(() => readOnnx(turned, 'case.onnx')).toThrow(/one is not: Gemm 'y' \(/);
  });

  const weights = [
    floats('w', [8, 1], upTo(8)),
    integers('keep', [0, -1]),
    integers('one', [1, -1]),
    integers('free', [-1, 8]),
    floats('same', [2, 2, 1, 1], [1, 0, 0, 1]),
    floats('upper', [1, 2, 1, 1], [1, 0]),
    floats('lower', [1, 2, 1, 1], [0, 1]),
  ];
  /** 1..4 in one channel and 5..8 in the other, with the channels last. */
  const mixed = [1, 5, 2, 6, 3, 7, 4, 8];
  it.each([
    ['Flatten', [node('Flatten x -> f')]],
    ['Reshape [0, -1]', [node('Reshape x,keep -> f')]],
    ['Reshape [1, -1]', [node('Reshape x,one -> f')]],
    ['Reshape [-1, 8]', [node('Reshape x,free -> f')]],
    ['a 1 x 1 convolution', [node('Conv x,same -> c'), node('Flatten c -> f')]],
    [
      'a concatenation',
      [
        node('Conv x,upper -> p'),
        node('Conv x,lower -> q'),
        node('Concat p,q -> c', { axis: 1 }),
        node('Flatten c -> f'),
      ],
    ],
  ])('read maps channel by channel, behind %s (I06)', async (_, nodes) => {
    const sketch = { shape: [1, 2, 2, 2], weights, nodes: [...nodes, node('MatMul f,w -> y')] };
    expect(await ask(sketch, mixed)).toEqual([204]);
  });

  it('read maps of one pixel (I06)', async () => {
    const nodes = [node('GlobalAveragePool x -> p'), node('Flatten p -> f'), node('MatMul f,v -> y')];
    const sketch = { shape: ['N', 2, 2, 2], weights: [floats('v', [2, 1], [1, 2])], nodes };
    expect(await ask(sketch, mixed)).toEqual([2.5 + 2 * 6.5]);
  });

  it.each([[2], [-1]])('refuses to flatten from axis %d on (I06)', (axis) => {
    const nodes = [node('Flatten x -> f', { axis }), node('MatMul f,v -> y')];
    const sketch = {
      shape: ['N', 2, 2, 2],
      weights: [floats('v', [axis === 2 ? 4 : 2, 1], ones(axis === 2 ? 4 : 2))],
      nodes,
    };
    expect(() => readOnnx(buildOnnx(sketch), 'case.onnx')).toThrow(
      /as its output must have one row for each example: current value is \d rows$/,
    );
  });
});

describe('batch norm', () => {
  const weights = [
    floats('s', [1], [2]),
    floats('o', [1], [1]),
    floats('m', [1], [3]),
    floats('v', [1], [4]),
    floats('k', [1, 1, 1, 1], [3]),
    floats('fk', [1, 1, 1, 1], [3]),
    floats('fb', [1], [-2]),
  ];

  it('is never taken with the statistics of a batch (I07)', () => {
    const nodes = [node('BatchNormalization x,s,o,m,v -> y,mean,var', { training_mode: 1 })];
    expect(() => readOnnx(buildOnnx({ shape: ['N', 1, 2, 2], weights, nodes }), 'case.onnx')).toThrow(
      "BatchNormalization 'y' (it is in training mode: export the model in evaluation mode)",
    );
  });

  it('gives the same folded into the convolution before it (I08)', async () => {
    const norm = node('BatchNormalization c,s,o,m,v -> b', { epsilon: { float: 1e-9 } });
    const tail = [node('Relu b -> r'), node('Flatten r -> y')];
    const unfolded = { shape: ['N', 1, 2, 2], weights, nodes: [node('Conv x,k -> c'), norm, ...tail] };
    const folded = { ...unfolded, nodes: [node('Conv x,fk,fb -> b'), ...tail] };
    // 2 (3 x - 3) / 2 + 1 = 3 x - 2.
    for (const sketch of [unfolded, folded]) expect(await ask(sketch, [1, 2, 3, 4])).toEqual([1, 4, 7, 10].map(about));
  });
});

describe('weights and shapes', () => {
  it('frees a batch that the graph fixes at 1 (I09)', async () => {
    const weights = [integers('flat', [1, 16]), floats('w', [16, 1], ones(16))];
    const nodes = [node('Reshape x,flat -> f'), node('MatMul f,w -> y')];
    const bytes = buildOnnx({ shape: [1, 1, 4, 4], weights, nodes });
    const pictures = Array.from({ length: 48 }, (_, index) => Math.floor(index / 16));
    expect(await answer(bytes, pictures, [3, 1, 4, 4])).toEqual([0, 16, 32]);
  });

  const w = floats('w', [2, 2, 1], upTo(4));
  const shape = integers('flat', [4, 1]);
  const tail = [node('Flatten x -> f'), node('MatMul f,v -> y')];
  it.each<[string, OnnxSketch, ProtobufWriter[]]>([
    ['initializers', { shape: ['N', 1, 2, 2], weights: [floats('v', [4, 1], upTo(4))], nodes: tail }, []],
    [
      'Constant nodes',
      { shape: ['N', 1, 2, 2], nodes: [node('Reshape w,flat -> v'), ...tail] },
      [constantNode(w), constantNode(shape)],
    ],
    [
      'inputs with initializers, in an old opset',
      {
        shape: ['N', 1, 2, 2],
        weights: [w, shape],
        listed: ['w', 'flat'],
        opset: 8,
        nodes: [node('Reshape w,flat -> v'), ...tail],
      },
      [],
    ],
    [
      'shared weights behind Identity',
      {
        shape: ['N', 1, 2, 2],
        weights: [w, shape],
        nodes: [node('Identity w -> i'), node('Reshape i,flat -> v'), ...tail],
      },
      [],
    ],
  ])('are found as %s (I11, I17)', async (_, sketch, constants) => {
    expect(await answer(buildOnnx(sketch, { constants }), [1, 2, 3, 4], [1, 1, 2, 2])).toEqual([30]);
  });

  it('lie in the middle of another file (I12)', async () => {
    const entry = (key: string, value: string) => new ProtobufWriter().text(1, key).text(2, value);
    const tensor = new ProtobufWriter().integer(1, 100).integer(1, 1).integer(2, 1).text(8, 'w');
    for (const [key, value] of [
      ['location', 'w.data'],
      ['offset', '64'],
      ['length', '400'],
    ])
      tensor.message(13, entry(key, value));
    const sketch = { shape: ['N', 100], nodes: [node('MatMul x,w -> y')] };
    const bytes = buildOnnx(sketch, { tensors: [tensor.integer(14, 1)] });
    const data = new Uint8Array(464);
    new Float32Array(data.buffer, 64).fill(0.5);
    expect(openOnnx(bytes, 'case.onnx').siblings).toEqual(new Map([['w.data', 464]]));
    const { model } = openOnnx(bytes, 'case.onnx').read({ siblings: new Map([['w.data', data]]) });
    expect(await runModel(model, Float32Array.from(ones(100)), [1, 100])).toEqual([50]);
    const short = new Map([['w.data', data.subarray(0, 463)]]);
    expect(() => openOnnx(bytes, 'case.onnx').read({ siblings: short })).toThrow("within the 463 bytes of 'w.data'");
  });
});

describe('activations', () => {
  const bounds = [floats('low', [], [0]), floats('high', [], [6])];
  const attributes = { min: { float: 0 }, max: { float: 6 } };
  it.each<[string, Partial<OnnxSketch>, ProtobufWriter[], number[]]>([
    ['attributes', { opset: 7, nodes: [node('Clip x -> y', attributes)] }, [], [0, 3, 6]],
    ['inputs', { weights: bounds, nodes: [node('Clip x,low,high -> y')] }, [], [0, 3, 6]],
    ['Constant nodes', { nodes: [node('Clip x,low,high -> y')] }, bounds.map(constantNode), [0, 3, 6]],
    ['Max and Min', { weights: bounds, nodes: [node('Max x,low -> a'), node('Min a,high -> y')] }, [], [0, 3, 6]],
    [
      'Relu and an upper bound',
      { weights: bounds, nodes: [node('Relu x -> a'), node('Clip a,,high -> y')] },
      [],
      [0, 3, 6],
    ],
    ['an upper bound alone', { weights: bounds, nodes: [node('Clip x,,high -> y')] }, [], [-1, 3, 6]],
  ])('are clipped by %s (I14)', async (_, sketch, constants, expected) => {
    const bytes = buildOnnx({ shape: ['N', 3], nodes: [], ...sketch }, { constants });
    expect(await answer(bytes, [-1, 3, 9], [1, 3])).toEqual(near(expected));
  });

  it('are chosen by no condition that is computed: the node is named (I22)', () => {
    const nodes = [node('Flatten x -> f'), { ...node('If f -> y'), name: 'branch' }];
    const sketch = { shape: ['N', 1, 2, 2], nodes };
    expect(() => readOnnx(buildOnnx(sketch), 'case.onnx')).toThrow(
      /current value is one is not: If 'branch' \(its condition is computed\)$/,
    );
  });
});

describe('masks', () => {
  it('are made of constants by ScatterND and Tile', async () => {
    const weights = [
      floats('zeros', [2, 2], [0, 0, 0, 0]),
      { ...integers('places', [0, 0, 1, 1]), shape: [2, 2] },
      floats('values', [2], [5, 7]),
      integers('twice', [1, 2]),
      integers('flat', [1, 8]),
    ];
    const nodes = [
      node('ScatterND zeros,places,values -> s'),
      node('Tile s,twice -> t'),
      node('Reshape t,flat -> m'),
      node('Add x,m -> y'),
    ];
    expect(await ask({ shape: ['N', 8], weights, nodes }, ones(8))).toEqual([6, 1, 6, 1, 1, 8, 1, 8]);
  });
});

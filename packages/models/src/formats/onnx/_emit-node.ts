import { fail, type HostTensor, type ModelNode, type NodeOfKind, type Padding2d } from '@dafl/core';
import { emitActivation } from './_emit-activation.ts';
import { emitQuantizedKernel, type KernelQuantization } from './_emit-quantized.ts';
import { floatTensor, type OnnxAttribute } from './_onnx-messages.ts';
import { type OnnxGraphBuilder, type OnnxValue, storedShape } from './_onnx-graph-builder.ts';

/** What a node needs to be written. */
export interface EmitContext {
  readonly builder: OnnxGraphBuilder;
  readonly inputs: readonly OnnxValue[];
  /** Of one example. */
  readonly outputShape: readonly number[];
  /** A weight of the node. */
  readonly weight: (name: string) => HostTensor;
  /** Whether activations are brought to bytes. */
  readonly isQuantized?: boolean;
  /** Of a layer whose kernel is stored as integers. */
  readonly kernelQuantization?: KernelQuantization;
}

/** `[begin of height, begin of width, end of height, end of width]`. */
function pads({ top, left, bottom, right }: Padding2d): number[] {
  return [top, left, bottom, right];
}

/** HWIO to OIHW. */
function transposeKernel({ shape, data }: HostTensor): HostTensor {
  const [height, width, inputs, filters] = shape;
  const positions = height * width;
  const output = new Float32Array(data.length);
  let index = 0;
  for (let position = 0; position < positions; position++) {
    for (let input = 0; input < inputs; input++) {
      for (let filter = 0; filter < filters; filter++, index++) {
        output[(filter * inputs + input) * positions + position] = data[index];
      }
    }
  }
  return { shape: [filters, inputs, height, width], data: output };
}

/** The axes of dafl's order in a stored value, and back. */
const TO_CHANNELS_LAST = [0, 2, 3, 1];
const TO_CHANNELS_FIRST = [0, 3, 1, 2];

/**
 * Writes one node of a graph as ONNX operators of opset 17; the last of them gives the value `node.name`.
 *
 * @throws {DaflError} `MODEL` if the node has a kind that ONNX cannot be written for.
 */
export function emitNode(node: ModelNode, context: EmitContext): void {
  const { builder, inputs, weight } = context;
  const { name } = node;
  const [input] = inputs;
  // Constants read nothing.
  const rank = input?.shape.length ?? 0;
  const constant = (weightName: string) => builder.floats(`${name}.${weightName}`, weight(weightName));
  switch (node.kind) {
    case 'conv2d': {
      const parameters = emitWeights({ values: transposeKernel(weight('kernel')), axis: 0 }, node, context);
      builder.emit('Conv', [input.name, ...parameters], name, {
        kernel_shape: node.kernelSize,
        strides: node.strides,
        pads: pads(node.padding),
        dilations: node.dilations,
        group: node.groups,
      });
      return;
    }
    case 'dense':
      if (rank !== 1) {
        emitRows(node, context);
        return;
      }
      builder.emit('Gemm', [input.name, ...emitWeights({ values: weight('kernel'), axis: 1 }, node, context)], name);
      return;
    case 'batchNorm': {
      const channels = input.shape[rank - 1];
      const fill = (value: number) => ({ shape: [channels], data: new Float32Array(channels).fill(value) });
      const scale = node.affine ? weight('scale') : fill(1);
      const offset = node.affine ? weight('offset') : fill(0);
      // ONNX normalises along axis 1, which is the channels' for images and rows alone.
      if (rank === 1 || rank === 3) {
        const parameters = [builder.floats(`${name}.scale`, scale), builder.floats(`${name}.offset`, offset)];
        const running = [constant('runningMean'), constant('runningVariance')];
        builder.emit('BatchNormalization', [input.name, ...parameters, ...running], name, {
          epsilon: { float: node.epsilon },
        });
        return;
      }
      const mean = weight('runningMean').data;
      const factor = Array.from(weight('runningVariance').data, (variance, channel) => {
        return scale.data[channel] / Math.sqrt(variance + node.epsilon);
      });
      const summand = factor.map((value, channel) => offset.data[channel] - mean[channel] * value);
      emitAffine(context, name, factor, summand);
      return;
    }
    case 'affine':
      emitAffine(context, name, node.factor, node.summand);
      return;
    case 'activation':
      emitActivation(node, input, builder);
      return;
    case 'maxPool2d':
      builder.emit('MaxPool', [input.name], name, {
        kernel_shape: node.windowSize,
        strides: node.strides,
        pads: pads(node.padding),
      });
      return;
    case 'averagePool2d':
      builder.emit('AveragePool', [input.name], name, {
        kernel_shape: node.windowSize,
        strides: node.strides,
        pads: pads(node.padding),
        count_include_pad: node.countsPadding ? 1 : 0,
      });
      return;
    case 'globalAveragePool2d': {
      const pooled = builder.step('GlobalAveragePool', [input.name], `${name}:pooled`);
      builder.emit('Flatten', [pooled], name);
      return;
    }
    case 'add':
    case 'divide':
    case 'maximum':
    case 'minimum':
    case 'multiply':
    case 'subtract': {
      const operator = arithmetic[node.kind];
      const [first, ...rest] = alignRanks(context, name);
      if (rest.length === 0) builder.emit('Identity', [first], name);
      rest.reduce((left, right, index) => {
        if (index === rest.length - 1) return builder.emit(operator, [left, right], name);
        return builder.step(operator, [left, right], `${name}:${index + 1}`);
      }, first);
      return;
    }
    case 'concat': {
      const axis = storedAxis(node.axis ?? rank - 1, rank);
      const parts = inputs.map((value) => (value.isFixed ? repeat(value, name, builder) : value.name));
      builder.emit('Concat', parts, name, { axis });
      return;
    }
    case 'pad2d': {
      const [top, left, bottom, right] = pads(node.padding);
      const widths = builder.integers(`${name}:pads`, [0, 0, top, left, 0, 0, bottom, right]);
      const value = builder.scalar(`${name}:value`, node.value ?? 0);
      builder.emit('Pad', [input.name, widths, value], name, { mode: node.mode ?? 'constant' });
      return;
    }
    case 'upsampleNearest2d': {
      const scales = builder.floats(`${name}:scales`, { shape: [4], data: Float32Array.of(1, 1, ...node.factors) });
      builder.emit('Resize', [input.name, '', scales], name, {
        mode: 'nearest',
        coordinate_transformation_mode: 'asymmetric',
        nearest_mode: 'floor',
      });
      return;
    }
    case 'reshape':
      emitReshape(context, name, channelsLast(context, input, name));
      return;
    case 'flatten': {
      const flat = node.order === 'hwc' ? channelsLast(context, input, name) : input.name;
      // ONNX Runtime takes bytes through Reshape and not through Flatten.
      if (context.isQuantized === true)
        builder.emit('Reshape', [flat, builder.integers(`${name}:shape`, [0, -1])], name);
      else builder.emit('Flatten', [flat], name);
      return;
    }
    case 'dropout':
      builder.emit('Dropout', [input.name, builder.scalar(`${name}:rate`, node.rate)], name);
      return;
    case 'clip': {
      const bound = (place: string, value: number | undefined) =>
        value === undefined ? '' : builder.scalar(`${name}:${place}`, value);
      builder.emit('Clip', [input.name, bound('minimum', node.minimum), bound('maximum', node.maximum)], name);
      return;
    }
    case 'constant':
      builder.tensors.push(floatTensor(name, storedConstant(weight('value'))));
      return;
    case 'depthToSpace':
      builder.emit('DepthToSpace', [input.name], name, {
        blocksize: node.blockSize,
        mode: node.order === 'rowsFirst' ? 'DCR' : 'CRD',
      });
      return;
    case 'spaceToDepth':
      builder.emit('SpaceToDepth', [input.name], name, { blocksize: node.blockSize });
      return;
    case 'groupNorm':
    case 'instanceNorm':
    case 'layerNorm':
      emitNormalization(node, context);
      return;
    case 'localResponseNorm':
      if (rank !== 3 || node.size % 2 === 0) reject(node, 'norms of neighbours of an odd number of channels of a map');
      builder.emit('LRN', [input.name], name, {
        alpha: { float: node.alpha },
        beta: { float: node.beta },
        bias: { float: node.bias },
        size: node.size,
      });
      return;
    case 'matMul':
      emitChannelsLast('MatMul', context, name);
      return;
    case 'power':
      builder.emit('Pow', [input.name, builder.scalar(`${name}:exponent`, node.exponent)], name);
      return;
    case 'prelu': {
      const slope = builder.channels(`${name}.slope`, [...weight('slope').data], rank);
      builder.emit('PRelu', [input.name, slope], name);
      return;
    }
    case 'reduce':
      emitReduction(node, context);
      return;
    case 'resize2d':
      emitResize(node, context);
      return;
    case 'slice': {
      const integers = (place: string, values: readonly number[]) => builder.integers(`${name}:${place}`, values);
      const { begin, size, strides = size.map(() => 1) } = node;
      const ends = begin.map((start, axis) => start + (size[axis] - 1) * strides[axis] + 1);
      const axes = begin.map((_, axis) => storedAxis(axis, rank));
      const rows = [
        integers('begin', begin),
        integers('end', ends),
        integers('axes', axes),
        integers('steps', strides),
      ];
      builder.emit('Slice', [input.name, ...rows], name);
      return;
    }
    case 'softmax':
      builder.emit(node.logarithm ? 'LogSoftmax' : 'Softmax', [input.name], name, {
        axis: storedAxis(node.axis, rank),
      });
      return;
    case 'transpose': {
      const turned = [0, ...node.permutation.map((axis) => axis + 1)];
      const back = rank === 3 ? TO_CHANNELS_FIRST : turned.map((_, axis) => axis);
      builder.emit('Transpose', [input.name], name, {
        perm: back.map((axis) => (rank === 3 ? TO_CHANNELS_LAST[turned[axis]] : turned[axis])),
      });
      return;
    }
    case 'transposedConv2d': {
      // As for convolutions, but that the kernel's last axis is the input's.
      const kernel = builder.floats(`${name}.kernel`, transposeKernel(weight('kernel')));
      builder.emit('ConvTranspose', [input.name, kernel, ...(node.useBias ? [constant('bias')] : [])], name, {
        kernel_shape: node.kernelSize,
        strides: node.strides,
        pads: pads(node.padding),
        dilations: node.dilations,
        group: node.groups,
        output_padding: node.outputPadding,
      });
      return;
    }
    case 'opaque':
      reject(node, 'nodes that ONNX has operators for');
      return;
    default:
      reject(node satisfies never, 'nodes that ONNX has operators for');
  }
}

/** Names of a layer's kernel and, where it has one, bias. @param kernel In the file's order, and its axis of filters. */
function emitWeights(
  kernel: { values: HostTensor; axis: number },
  { name, useBias }: NodeOfKind<'conv2d' | 'dense'>,
  { builder, weight, kernelQuantization }: EmitContext,
): string[] {
  const written =
    kernelQuantization === undefined
      ? builder.floats(`${name}.kernel`, kernel.values)
      : emitQuantizedKernel(builder, name, kernel, kernelQuantization);
  return useBias ? [written, builder.floats(`${name}.bias`, weight('bias'))] : [written];
}

/** A dense layer of each row of a value that has several: Gemm takes one matrix for the whole batch. */
function emitRows(node: NodeOfKind<'dense'>, context: EmitContext): void {
  const { builder, inputs } = context;
  const { name } = node;
  const [{ name: read, shape }] = inputs;
  const isMap = shape.length === 3;
  const [kernel, ...bias] = emitWeights({ values: context.weight('kernel'), axis: 1 }, node, context);
  const rows = isMap ? builder.step('Transpose', [read], `${name}:turned`, { perm: TO_CHANNELS_LAST }) : read;
  let last = 'MatMul';
  let parts = [rows, kernel];
  if (bias.length > 0) {
    parts = [builder.step('MatMul', parts, `${name}:product`), ...bias];
    last = 'Add';
  }
  if (isMap) {
    const made = builder.step(last, parts, `${name}:channels-last`);
    builder.emit('Transpose', [made], name, { perm: TO_CHANNELS_FIRST });
  } else builder.emit(last, parts, name);
}

const arithmetic = {
  add: 'Add',
  divide: 'Div',
  maximum: 'Max',
  minimum: 'Min',
  multiply: 'Mul',
  subtract: 'Sub',
} as const;

function reject({ name, kind }: ModelNode, rule: string): never {
  fail({ code: 'MODEL', cannot: 'write ONNX', as: `it must be ${rule}`, value: `node '${name}' (${kind})` });
}

/** The axis in the file, the batch counted, of an axis of one example. */
function storedAxis(axis: number, rank: number): number {
  return rank === 3 ? [2, 3, 1][axis] : axis + 1;
}

/** A weight for each example, as the file has it. */
function storedConstant({ shape, data }: HostTensor): HostTensor {
  if (shape.length !== 3) return { shape: [1, ...shape], data };
  const [height, width, channels] = shape;
  const positions = height * width;
  const stored = data.map((_, index) => data[(index % positions) * channels + Math.floor(index / positions)]);
  return { shape: [1, channels, height, width], data: stored };
}

/** A constant once for each example of the batch. */
function repeat({ name, shape }: OnnxValue, node: string, builder: OnnxGraphBuilder): string {
  const whole = builder.step('Shape', ['input'], `${node}:input-shape`);
  const ends = [builder.integers(`${node}:from`, [0]), builder.integers(`${node}:to`, [1])];
  const batch = builder.step('Slice', [whole, ...ends], `${node}:batch`);
  const sizes = builder.integers(`${node}:sizes`, storedShape(shape));
  const target = builder.step('Concat', [batch, sizes], `${node}:target`, { axis: 0 });
  return builder.step('Expand', [name, target], `${node}:repeated`);
}

/** Writes an operator that reads dafl's order of axes. */
function emitChannelsLast(
  operator: string,
  { builder, inputs, outputShape }: EmitContext,
  node: string,
  attributes: Readonly<Record<string, OnnxAttribute>> = {},
  weights: readonly string[] = [],
): void {
  const turned = inputs.map((value, index) => {
    if (value.shape.length !== 3) return value.name;
    return builder.step('Transpose', [value.name], `${node}:turned${index + 1}`, { perm: TO_CHANNELS_LAST });
  });
  if (outputShape.length !== 3) {
    builder.emit(operator, [...turned, ...weights], node, attributes);
    return;
  }
  const output = builder.step(operator, [...turned, ...weights], `${node}:channels-last`, attributes);
  builder.emit('Transpose', [output], node, { perm: TO_CHANNELS_FIRST });
}

function emitNormalization(node: NodeOfKind<'groupNorm' | 'instanceNorm' | 'layerNorm'>, context: EmitContext): void {
  const { builder, inputs, weight, outputShape } = context;
  const { name } = node;
  const channels = outputShape[outputShape.length - 1];
  const fill = (size: number, value: number) => ({ shape: [size], data: new Float32Array(size).fill(value) });
  const parameters = (size: number, affine: boolean) => [
    builder.floats(`${name}.scale`, affine ? weight('scale') : fill(size, 1)),
    builder.floats(`${name}.offset`, affine ? weight('offset') : fill(size, 0)),
  ];
  const epsilon = { float: node.epsilon };
  if (node.kind === 'layerNorm') {
    emitChannelsLast('LayerNormalization', context, name, { axis: -1, epsilon }, parameters(channels, node.affine));
    return;
  }
  if (node.kind === 'instanceNorm') {
    builder.emit('InstanceNormalization', [inputs[0].name, ...parameters(channels, node.affine)], name, { epsilon });
    return;
  }
  // ONNX has it from opset 18 on; each group becomes one channel of an instance norm.
  const shapes = [
    builder.integers(`${name}:groups`, [0, node.groups, -1]),
    builder.integers(`${name}:shape`, [0, ...storedShape(outputShape)]),
  ];
  const grouped = builder.step('Reshape', [inputs[0].name, shapes[0]], `${name}:grouped`);
  const normal = builder.step('InstanceNormalization', [grouped, ...parameters(node.groups, false)], `${name}:normal`, {
    epsilon,
  });
  if (!node.affine) {
    builder.emit('Reshape', [normal, shapes[1]], name);
    return;
  }
  const shaped = builder.step('Reshape', [normal, shapes[1]], `${name}:shaped`);
  const scaled = builder.step(
    'Mul',
    [shaped, builder.channels(`${name}.scale`, [...weight('scale').data], 3)],
    `${name}:scaled`,
  );
  builder.emit('Add', [scaled, builder.channels(`${name}.offset`, [...weight('offset').data], 3)], name);
}

const reductions = { mean: 'ReduceMean', sum: 'ReduceSum', max: 'ReduceMax', min: 'ReduceMin' } as const;

function emitReduction(node: NodeOfKind<'reduce'>, { builder, inputs: [input], outputShape }: EmitContext): void {
  const { name, keepDimensions } = node;
  const rank = input.shape.length;
  const axes = node.axes.map((axis) => storedAxis(axis, rank));
  const step = (output: string, keep: boolean, emitted: 'emit' | 'step') => {
    const keepdims = keep ? 1 : 0;
    // At opset 17 the sum alone takes its axes as an input.
    if (node.operation !== 'sum')
      return builder[emitted](reductions[node.operation], [input.name], output, { axes, keepdims });
    return builder[emitted]('ReduceSum', [input.name, builder.integers(`${name}:axes`, axes)], output, { keepdims });
  };
  if (keepDimensions || (rank !== 4 && outputShape.length < 2 && axes.length < rank)) {
    step(name, keepDimensions, 'emit');
    return;
  }
  // What stays may lie in another order; the sizes of 1 go at the end.
  const kept = step(`${name}:kept`, true, 'step');
  const ordered = rank === 3 ? builder.step('Transpose', [kept], `${name}:turned`, { perm: TO_CHANNELS_LAST }) : kept;
  const shape = builder.integers(`${name}:shape`, [0, ...outputShape]);
  if (outputShape.length !== 3) {
    builder.emit('Reshape', [ordered, shape], name);
    return;
  }
  const shaped = builder.step('Reshape', [ordered, shape], `${name}:channels-last`);
  builder.emit('Transpose', [shaped], name, { perm: TO_CHANNELS_FIRST });
}

function emitResize(node: NodeOfKind<'resize2d'>, { builder, inputs: [input] }: EmitContext): void {
  const { name, size, mode, coordinates, rounding = 'preferFloor' } = node;
  const attributes = {
    mode: mode === 'nearest' ? 'nearest' : 'linear',
    coordinate_transformation_mode: {
      halfPixel: 'half_pixel',
      asymmetric: 'asymmetric',
      alignCorners: 'align_corners',
    }[coordinates],
    nearest_mode: {
      floor: 'floor',
      ceil: 'ceil',
      preferFloor: 'round_prefer_floor',
      preferCeil: 'round_prefer_ceil',
    }[rounding],
  };
  const factors = size.map((length, axis) => length / input.shape[axis]);
  if (factors.every((factor) => Math.fround(factor) === factor)) {
    const scales = builder.floats(`${name}:scales`, { shape: [4], data: Float32Array.of(1, 1, ...factors) });
    builder.emit('Resize', [input.name, '', scales], name, attributes);
    return;
  }
  const whole = builder.step('Shape', [input.name], `${name}:input-shape`);
  const ends = [builder.integers(`${name}:from`, [0]), builder.integers(`${name}:to`, [2])];
  const outer = builder.step('Slice', [whole, ...ends], `${name}:outer`);
  const sizes = builder.step('Concat', [outer, builder.integers(`${name}:size`, size)], `${name}:sizes`, { axis: 0 });
  builder.emit('Resize', [input.name, '', '', sizes], name, attributes);
}

/** The value in dafl's order of axes; the same where the orders agree. */
function channelsLast({ builder }: EmitContext, value: OnnxValue, node: string): string {
  const [height, width, channels] = value.shape;
  const agrees = value.shape.length !== 3 || channels === 1 || height * width === 1;
  // One channel, or one position: only the shape differs, and what reads the value sets its own.
  if (agrees) return value.name;
  return builder.step('Transpose', [value.name], `${node}:channels-last`, { perm: TO_CHANNELS_LAST });
}

function emitReshape({ builder, outputShape }: EmitContext, node: string, input: string): void {
  // 0 keeps the batch's size.
  const shape = builder.integers(`${node}:shape`, [0, ...outputShape]);
  if (outputShape.length !== 3) {
    builder.emit('Reshape', [input, shape], node);
    return;
  }
  const reshaped = builder.step('Reshape', [input, shape], `${node}:channels-last-output`);
  builder.emit('Transpose', [reshaped], node, { perm: TO_CHANNELS_FIRST });
}

/** dafl aligns shapes behind the batch: sizes of 1 go between. */
function alignRanks(context: EmitContext, node: string): string[] {
  const { builder, inputs } = context;
  const rank = Math.max(...inputs.map(({ shape }) => shape.length));
  return inputs.map((value, index) => {
    if (value.shape.length === rank) return value.name;
    const raised = [...Array<number>(rank - value.shape.length).fill(1), ...value.shape];
    const shape = builder.integers(`${node}:shape${index + 1}`, [0, ...storedShape(raised)]);
    let { name } = value;
    if (value.shape.length === 3) name = channelsLast(context, value, `${node}:${index + 1}`);
    // Channels first, `[a, b]` becomes `[b, 1, a]`, which is more than sizes of 1 between.
    if (value.shape.length === 2 && rank === 3)
      name = builder.step('Transpose', [name], `${node}:turned${index + 1}`, { perm: [0, 2, 1] });
    return builder.step('Reshape', [name, shape], `${node}:input${index + 1}`);
  });
}

function emitAffine(context: EmitContext, node: string, factor: readonly number[], summand: readonly number[]): void {
  const { builder, inputs } = context;
  const [input] = inputs;
  const rank = input.shape.length;
  const scale = () => builder.channels(`${node}.factor`, factor, rank);
  const shift = () => builder.channels(`${node}.summand`, summand, rank);
  if (summand.every((value) => value === 0)) {
    builder.emit('Mul', [input.name, scale()], node);
    return;
  }
  const scaled = factor.every((value) => value === 1)
    ? input.name
    : builder.step('Mul', [input.name, scale()], `${node}:scaled`);
  builder.emit('Add', [scaled, shift()], node);
}

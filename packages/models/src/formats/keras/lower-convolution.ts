import type { HostTensor, Padding2d, Size2d } from '@dafl/core';
import type { Activation } from '../onnx/graph-builder.ts';
import { slideCount } from '../onnx/lower-convolutions.ts';
import type { LayerLowerings, LayerSite } from './layer-site.ts';
import { activate } from './lower-activation.ts';

/** A kernel must be what the layer's config says. */
function requireShape(site: LayerSite, { shape }: HostTensor, expected: readonly number[], what = 'kernel'): void {
  if (shape.length !== expected.length || shape.some((size, axis) => size !== expected[axis]))
    site.refuse(`its ${what} has the shape [${shape.join(', ')}] in place of [${expected.join(', ')}]`);
}

/** The sizes of a window that slides. */
interface Window {
  readonly kernelSize: Size2d;
  readonly strides: Size2d;
  readonly dilations: Size2d;
  readonly padding: Padding2d;
  readonly size: readonly [height: number, width: number];
}

function windowOf(site: LayerSite, dilations: Size2d = site.pair('dilation_rate', [1, 1])): Window {
  const kernelSize = site.pair('kernel_size', [1, 1]);
  const strides = site.pair('strides', [1, 1]);
  const padding = site.padding(kernelSize, strides, dilations);
  const [height, width] = site.mapSizes;
  const size = [
    slideCount(height, padding.top + padding.bottom, kernelSize[0], strides[0], dilations[0]),
    slideCount(width, padding.left + padding.right, kernelSize[1], strides[1], dilations[1]),
  ] as const;
  return { kernelSize, strides, dilations, padding, size };
}

/** A convolution by given weights. */
function convolve(
  site: LayerSite,
  { size, ...window }: Window,
  { groups, filters }: { readonly groups: number; readonly filters: number },
  kernel: HostTensor,
  bias: HostTensor | undefined,
): Activation {
  return site.addMaps({ kind: 'conv2d', filters, ...window, groups, useBias: bias !== undefined }, [...size, filters], {
    kernel,
    ...(bias !== undefined && { bias }),
  });
}

function wholeNumber(site: LayerSite, key: string, otherwise?: number): number {
  const value = site.number(key, otherwise ?? Number.NaN);
  return Number.isInteger(value) && value >= 1 ? value : site.refuse(`its ${key} is ${value}, no size`);
}

/** [height, width, channels, multiplier] is the kernel of as many groups as channels. */
function depthwise(
  site: LayerSite,
  kernel: HostTensor,
  multiplier: number,
  bias?: HostTensor,
  window: Window = windowOf(site),
): Activation {
  const [, , channels] = site.mapSizes;
  requireShape(site, kernel, [...window.kernelSize, channels, multiplier]);
  const filters = channels * multiplier;
  const grouped = { shape: [...window.kernelSize, 1, filters], data: kernel.data };
  if (bias !== undefined) requireShape(site, bias, [filters], 'bias');
  return convolve(site, window, { groups: channels, filters }, grouped, bias);
}

/** Convolutions and dense layers. */
export const lowerConvolution: LayerLowerings = {
  Conv2D(site) {
    const window = windowOf(site);
    const filters = wholeNumber(site, 'filters');
    const groups = wholeNumber(site, 'groups', 1);
    const [, , channels] = site.mapSizes;
    const [kernel, bias] = site.flag('use_bias', true) ? site.weights(['kernel', 'bias']) : site.weights(['kernel']);
    if (channels % groups !== 0) site.refuse(`its ${groups} groups do not divide ${channels} channels`);
    requireShape(site, kernel, [...window.kernelSize, channels / groups, filters]);
    if (bias !== undefined) requireShape(site, bias, [filters], 'bias');
    return activate(site, convolve(site, window, { groups, filters }, kernel, bias));
  },

  DepthwiseConv2D(site) {
    const names = site.flag('use_bias', true) ? ['depthwise_kernel|kernel', 'bias'] : ['depthwise_kernel|kernel'];
    const [kernel, bias] = site.weights(names);
    const dilations = site.pair('dilation_rate', [1, 1]);
    const ignoresDilation = site.dialect === 'tfjs' && dilations.some((dilation) => dilation !== 1);
    if (ignoresDilation)
      site.builder.notes.add(
        `TensorFlow.js, which made the file, does not dilate depthwise layers: '${site.name}' is not`,
      );
    const window = windowOf(site, ignoresDilation ? [1, 1] : dilations);
    return activate(site, depthwise(site, kernel, wholeNumber(site, 'depth_multiplier', 1), bias, window));
  },

  SeparableConv2D(site) {
    const names = ['depthwise_kernel', 'pointwise_kernel', ...(site.flag('use_bias', true) ? ['bias'] : [])];
    const [kernel, pointwise, bias] = site.weights(names);
    const multiplier = wholeNumber(site, 'depth_multiplier', 1);
    const maps = depthwise(site, kernel, multiplier);
    const [, , channels] = site.mapSizes;
    const filters = wholeNumber(site, 'filters');
    requireShape(site, pointwise, [1, 1, channels * multiplier, filters]);
    if (bias !== undefined) requireShape(site, bias, [filters], 'bias');
    const axes = site.mapAxes;
    const mixed = site.addMaps(
      {
        kind: 'conv2d',
        filters,
        kernelSize: [1, 1],
        strides: [1, 1],
        dilations: [1, 1],
        padding: { top: 0, bottom: 0, left: 0, right: 0 },
        groups: 1,
        useBias: bias !== undefined,
      },
      [maps.shape[axes.height], maps.shape[axes.width], filters],
      { kernel: pointwise, ...(bias !== undefined && { bias }) },
      maps,
      `${site.name}/pointwise`,
    );
    return activate(site, mixed);
  },

  Conv2DTranspose(site) {
    const kernelSize = site.pair('kernel_size', [1, 1]);
    const strides = site.pair('strides', [1, 1]);
    const dilations = site.pair('dilation_rate', [1, 1]);
    const filters = wholeNumber(site, 'filters');
    const given = site.numbers('output_padding');
    const kind = site.text('padding', 'valid').toLowerCase();
    const [height, width, channels] = site.mapSizes;
    const sides = [height, width].map((size, axis) => {
      const reach = (kernelSize[axis] - 1) * dilations[axis] + 1;
      const extra = given?.[Math.min(axis, given.length - 1)];
      // As Keras computes the size of the output.
      const output =
        extra === undefined
          ? size * strides[axis] + (kind === 'valid' ? Math.max(reach - strides[axis], 0) : 0)
          : (size - 1) * strides[axis] + reach - (kind === 'same' ? 2 * Math.floor(reach / 2) : 0) + extra;
      // As TensorFlow takes the transposed of a convolution of that output.
      const padding =
        kind === 'same' ? Math.max(0, (Math.ceil(output / strides[axis]) - 1) * strides[axis] + reach - output) : 0;
      const before = Math.floor(padding / 2);
      return { before, after: padding - before, output, rest: output - ((size - 1) * strides[axis] + reach - padding) };
    });
    if (kind !== 'same' && kind !== 'valid') site.refuse(`its padding is '${kind}'`);
    if (sides.some(({ rest }, axis) => rest < 0 || rest >= strides[axis])) site.refuse('its output has no such size');
    const [kernel, bias] = site.flag('use_bias', true) ? site.weights(['kernel', 'bias']) : site.weights(['kernel']);
    requireShape(site, kernel, [...kernelSize, filters, channels]);
    if (bias !== undefined) requireShape(site, bias, [filters], 'bias');
    const [vertical, horizontal] = sides;
    const maps = site.addMaps(
      {
        kind: 'transposedConv2d',
        filters,
        kernelSize,
        strides,
        dilations,
        groups: 1,
        padding: { top: vertical.before, bottom: vertical.after, left: horizontal.before, right: horizontal.after },
        outputPadding: [vertical.rest, horizontal.rest],
        useBias: bias !== undefined,
      },
      [vertical.output, horizontal.output, filters],
      { kernel, ...(bias !== undefined && { bias }) },
    );
    return activate(site, maps);
  },

  Dense(site) {
    const { input, builder } = site;
    const units = wholeNumber(site, 'units');
    const axis = input.shape.length - 1;
    const [kernel, bias] = site.flag('use_bias', true) ? site.weights(['kernel', 'bias']) : site.weights(['kernel']);
    if (site.get('quantization_mode') !== undefined) site.refuse('it is quantised');
    requireShape(site, kernel, [input.shape[axis], units]);
    if (bias !== undefined) requireShape(site, bias, [units], 'bias');
    const rows = builder.arrange(site.name, input, [...input.order.filter((other) => other !== axis), axis]);
    const node = builder.add(site.name, { kind: 'dense', units, useBias: bias !== undefined }, [rows.node], {
      kernel,
      ...(bias !== undefined && { bias }),
    });
    return activate(site, { node, shape: input.shape.with(axis, units), order: rows.order });
  },
};

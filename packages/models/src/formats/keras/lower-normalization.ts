import type { HostTensor } from '@dafl/core';
import type { Activation } from '../onnx/graph-builder.ts';
import { combine, scaleBy } from '../onnx/broadcast.ts';
import { reshapeActivation } from '../onnx/reshape-activation.ts';
import type { LayerLowerings, LayerSite } from './layer-site.ts';

function filled(size: number, value: number): HostTensor {
  return { shape: [size], data: new Float32Array(size).fill(value) };
}

function requireSize(site: LayerSite, { data }: HostTensor, size: number): void {
  if (data.length !== size) site.refuse(`it has ${data.length} values for ${size} channels`);
}

function epsilonOf(site: LayerSite): number {
  const epsilon = site.number('epsilon', 1e-3);
  return epsilon > 0 ? epsilon : site.refuse(`its epsilon is ${epsilon}`);
}

/** Scale and offset, where a layer has them; ones and zeros where it has but one. */
function scaleAndOffset(site: LayerSite, size: number, others: readonly string[] = []) {
  const [hasScale, hasOffset] = [site.flag('scale', true), site.flag('center', true)];
  const names = [...(hasScale ? ['gamma'] : []), ...(hasOffset ? ['beta'] : []), ...others];
  const found = [...site.weights(names)];
  const scale = hasScale ? found.shift()! : filled(size, 1);
  const offset = hasOffset ? found.shift()! : filled(size, 0);
  const flat = ({ data }: HostTensor): HostTensor => ({ shape: [size], data });
  for (const tensor of [scale, offset, ...found]) requireSize(site, tensor, size);
  return { affine: hasScale || hasOffset, scale: flat(scale), offset: flat(offset), others: found.map(flat) };
}

/** The value with one axis last. */
function withLast(site: LayerSite, axis: number): Activation {
  const { input } = site;
  return site.builder.arrange(site.name, input, [...input.order.filter((other) => other !== axis), axis]);
}

/** Normalisations, and what Keras has for the preprocessing of pictures. */
export const lowerNormalization: LayerLowerings = {
  BatchNormalization(site) {
    const axes = site.numbers('axis') ?? [-1];
    if (axes.length !== 1) site.refuse(`its axes are [${axes.join(', ')}]: only one is supported`);
    const axis = site.axis(axes[0]);
    const found = scaleAndOffset(site, site.input.shape[axis], ['moving_mean', 'moving_variance']);
    const [runningMean, runningVariance] = found.others;
    const { affine, scale, offset } = found;
    return site.builder.map(
      site.name,
      withLast(site, axis),
      // Keras's momentum is the share that stays.
      { kind: 'batchNorm', epsilon: epsilonOf(site), momentum: 1 - site.number('momentum', 0.99), affine },
      { ...(affine && { scale, offset }), runningMean, runningVariance },
    );
  },

  LayerNormalization(site) {
    const { input, builder } = site;
    const { shape } = input;
    const rank = shape.length;
    const axes = (site.numbers('axis') ?? [-1]).map((axis) => site.axis(axis)).toSorted((a, b) => a - b);
    if (site.flag('rms_scaling', false)) site.refuse('it scales by the root of mean squares');
    if (axes.length === 0 || axes.some((axis, index) => axis !== rank - axes.length + index))
      site.refuse(`its axes are [${axes.join(', ')}]: only the last ones are supported`);
    const size = axes.reduce((total, axis) => total * shape[axis], 1);
    const { affine, scale, offset } = scaleAndOffset(site, size);
    const outer = shape.slice(0, rank - axes.length);
    const rows = axes.length === 1 ? input : reshapeActivation(site, input, [...outer, size]);
    const last = outer.length;
    const ordered = builder.arrange(site.name, rows, [...rows.order.filter((axis) => axis !== last), last]);
    const normal = builder.map(
      site.name,
      ordered,
      { kind: 'layerNorm', epsilon: epsilonOf(site), affine },
      affine ? { scale, offset } : {},
    );
    return axes.length === 1 ? normal : reshapeActivation(site, normal, shape);
  },

  GroupNormalization(site) {
    const { shape } = site.input;
    const axis = site.axis(site.number('axis', -1));
    if (shape.length !== 4) site.refuse(`it reads a tensor of rank ${shape.length}: only 4 is supported`);
    const channels = shape[axis];
    const given = site.number('groups', 32);
    const groups = given === -1 ? channels : given;
    if (!(groups >= 1) || channels % groups !== 0)
      site.refuse(`its ${groups} groups do not divide ${channels} channels`);
    const { affine, scale, offset } = scaleAndOffset(site, channels);
    const others = [1, 2, 3].filter((other) => other !== axis);
    const maps = site.builder.arrange(site.name, site.input, [...others, axis]);
    return site.builder.map(
      site.name,
      maps,
      { kind: 'groupNorm', groups, epsilon: epsilonOf(site), affine },
      affine ? { scale, offset } : {},
    );
  },

  /** Of ConvNeXt in Keras: a factor for each channel. */
  LayerScale(site) {
    const [{ shape, data }] = site.weights(['gamma']);
    requireSize(site, { shape, data }, site.input.shape.at(-1)!);
    return combine(site, 'multiply', site.input, { shape: [data.length], values: data, dataType: 1 });
  },

  Rescaling(site) {
    const { shape } = site.input;
    const row = (key: string, otherwise: number) => {
      const values = site.numbers(key) ?? [otherwise];
      if (values.length !== 1 && values.length !== shape.at(-1))
        site.refuse(`its ${key} has ${values.length} values for ${shape.at(-1)} channels`);
      return { shape: values.length === 1 ? [] : [values.length], values: Float64Array.from(values), dataType: 11 };
    };
    return scaleBy(site, site.input, row('scale', 1), row('offset', 0));
  },

  Normalization(site) {
    const { shape } = site.input;
    if (site.flag('invert', false)) site.refuse('it is inverted');
    const axes = (site.numbers('axis') ?? (site.get('axis') === null ? [] : [-1])).map((axis) => site.axis(axis));
    if (axes.length > 1) site.refuse(`its axes are [${axes.join(', ')}]: only one is supported`);
    const [mean, variance] = [site.numbers('mean'), site.numbers('variance')];
    const [means, variances] =
      mean !== undefined && variance !== undefined
        ? [mean, variance]
        : site.weights(['mean', 'variance', 'count?']).map(({ data }) => [...data]);
    const size = axes.length === 0 ? 1 : shape[axes[0]];
    for (const values of [means, variances])
      if (values.length !== 1 && values.length !== size)
        site.refuse(`it has ${values.length} values for ${size} channels`);
    const deviations = variances.map((value) => Math.max(Math.sqrt(value), 1e-7));
    if (deviations.some((value) => Number.isNaN(value))) site.refuse('its variance is negative');
    const pick = (values: readonly number[], index: number) => values[values.length === 1 ? 0 : index];
    const count = Math.max(means.length, deviations.length);
    const behind = axes.length === 0 ? [] : shape.slice(axes[0] + 1).map(() => 1);
    const row = (value: (index: number) => number) => ({
      shape: count === 1 ? [] : [count, ...behind],
      values: Float64Array.from({ length: count }, (_, index) => value(index)),
      dataType: 11,
    });
    return scaleBy(
      site,
      site.input,
      row((index) => 1 / pick(deviations, index)),
      row((index) => -pick(means, index) / pick(deviations, index)),
    );
  },
};

import type { Activation } from '../onnx/graph-builder.ts';
import { reshapeActivation } from '../onnx/reshape-activation.ts';
import type { LayerLowerings, LayerSite } from './layer-site.ts';

/** The same values with their axes called otherwise: axis i becomes what axis `axes[i]` was. */
export function permuteAxes({ node, shape, order }: Activation, axes: readonly number[]): Activation {
  return { node, shape: axes.map((axis) => shape[axis]), order: order.map((axis) => axes.indexOf(axis)) };
}

/** `((top, bottom), (left, right))`, `(vertical, horizontal)`, or one number. */
function sidesOf(site: LayerSite, key: string): readonly [top: number, bottom: number, left: number, right: number] {
  const sizes = site.numbers(key) ?? [key === 'padding' ? 1 : 0];
  if (![1, 2, 4].includes(sizes.length) || sizes.some((size) => !Number.isInteger(size) || size < 0))
    return site.refuse(`its ${key} is [${sizes.join(', ')}]`);
  if (sizes.length === 4) return [sizes[0], sizes[1], sizes[2], sizes[3]];
  const [vertical, horizontal = vertical] = sizes;
  return [vertical, vertical, horizontal, horizontal];
}

/** A part of the maps. */
function cut(site: LayerSite, top: number, left: number, height: number, width: number): Activation {
  const [rows, columns, channels] = site.mapSizes;
  if (!(height >= 1 && width >= 1 && top >= 0 && left >= 0 && top + height <= rows && left + width <= columns))
    site.refuse(`it leaves ${height} x ${width} of ${rows} x ${columns}`);
  return site.addMaps({ kind: 'slice', begin: [top, left, 0], size: [height, width, channels] }, [
    height,
    width,
    channels,
  ]);
}

/** Layers that move elements. */
export const lowerShape: LayerLowerings = {
  Flatten(site) {
    const { input } = site;
    const rank = input.shape.length;
    // Keras turns maps to channels last before it flattens them.
    const turned =
      site.isChannelsFirst && rank > 2
        ? permuteAxes(input, [0, ...input.shape.map((_, axis) => axis).slice(2), 1])
        : input;
    return reshapeActivation(site, turned, [1, input.shape.reduce((total, size) => total * size, 1)]);
  },

  Reshape(site) {
    const { input } = site;
    const goal = site.numbers('target_shape') ?? site.refuse('it has no target_shape');
    const size = input.shape.reduce((total, length) => total * length, 1);
    const known = goal.reduce((total, length) => (length === -1 ? total : total * length), 1);
    if (goal.filter((length) => length === -1).length > 1) site.refuse(`its target_shape is [${goal.join(', ')}]`);
    return reshapeActivation(site, input, [1, ...goal.map((length) => (length === -1 ? size / known : length))]);
  },

  Permute(site) {
    const { input } = site;
    const axes = site.numbers('dims') ?? [];
    if (
      axes.length !== input.shape.length - 1 ||
      axes.toSorted((a, b) => a - b).some((axis, index) => axis !== index + 1)
    )
      site.refuse(`its dims are [${axes.join(', ')}]`);
    return permuteAxes(input, [0, ...axes]);
  },

  ZeroPadding2D(site) {
    const [top, bottom, left, right] = sidesOf(site, 'padding');
    const [height, width, channels] = site.mapSizes;
    return site.addMaps({ kind: 'pad2d', padding: { top, bottom, left, right } }, [
      height + top + bottom,
      width + left + right,
      channels,
    ]);
  },

  Cropping2D(site) {
    const [top, bottom, left, right] = sidesOf(site, 'cropping');
    const [height, width] = site.mapSizes;
    return cut(site, top, left, height - top - bottom, width - left - right);
  },

  CenterCrop(site) {
    const [height, width] = [site.number('height', 0), site.number('width', 0)];
    const [rows, columns] = site.mapSizes;
    return cut(site, Math.floor((rows - height) / 2), Math.floor((columns - width) / 2), height, width);
  },

  UpSampling2D(site) {
    const factors = site.pair('size', [2, 2]);
    const [height, width, channels] = site.mapSizes;
    const size = [height * factors[0], width * factors[1]] as const;
    const mode = site.text('interpolation', 'nearest');
    if (mode === 'nearest') return site.addMaps({ kind: 'upsampleNearest2d', factors }, [...size, channels]);
    if (mode !== 'bilinear') return site.refuse(`its interpolation is '${mode}'`);
    // TensorFlow.js resizes as TensorFlow 1 did.
    const coordinates = site.dialect === 'tfjs' ? 'asymmetric' : 'halfPixel';
    return site.addMaps({ kind: 'resize2d', size, mode, coordinates }, [...size, channels]);
  },

  Resizing(site) {
    if (site.flag('pad_to_aspect_ratio', false)) site.refuse('it pads to the aspect ratio');
    return resizeTo(site, site.flag('crop_to_aspect_ratio', false));
  },

  /** Outside training it is a resize of the largest part of that aspect ratio. */
  RandomCrop: (site) => resizeTo(site, true),
};

/** The maps at the size that a layer says, bilinear unless it says otherwise. */
function resizeTo(site: LayerSite, keepsRatio: boolean): Activation {
  const size = [site.number('height', 0), site.number('width', 0)] as const;
  const [rows, columns, channels] = site.mapSizes;
  if (!(size[0] >= 1 && size[1] >= 1)) site.refuse(`it makes maps of ${size.join(' x ')}`);
  if (rows === size[0] && columns === size[1]) return site.input;
  // As Keras rounds them.
  const part = (length: number, fitting: number) =>
    keepsRatio ? Math.max(1, Math.min(length, Math.trunc(fitting))) : length;
  const height = part(rows, (columns * size[0]) / size[1]);
  const width = part(columns, (rows * size[1]) / size[0]);
  const begin = [Math.trunc((rows - height) / 2), Math.trunc((columns - width) / 2)] as const;
  const whole = height === rows && width === columns;
  const maps = whole ? site.maps : cut(site, ...begin, height, width);
  if (height === size[0] && width === size[1]) return maps;
  const mode = site.text('interpolation', 'bilinear');
  if (mode !== 'bilinear' && mode !== 'nearest') return site.refuse(`its interpolation is '${mode}'`);
  const rounding = mode === 'nearest' ? { rounding: 'preferCeil' as const } : {};
  return site.addMaps(
    { kind: 'resize2d', size, mode, coordinates: 'halfPixel', ...rounding },
    [...size, channels],
    {},
    maps,
  );
}

import type { Share } from './axis-maps.ts';
import type { OperatorNode } from './operator-node.ts';

/** An axis before and after Resize. */
export interface ResizedAxis {
  readonly axis: number;
  readonly from: number;
  readonly to: number;
  /** As the file says it, which need not be `to / from`. */
  readonly scale: number;
  /** First and last place that is shown, in 0..1, where a part is. */
  readonly part: readonly [first: number, last: number];
}

/** What a Resize or an Upsample does. */
export interface Resizing {
  readonly mode: 'nearest' | 'linear' | 'cubic';
  /** Names are ONNX's. */
  readonly coordinates: string;
  readonly rounding: string;
  readonly smooths: boolean;
  /** Axes that are named, those of a size that stays too. */
  readonly axes: readonly ResizedAxis[];
  /** What each entry of an axis is made of. */
  readonly sharesOf: (axis: ResizedAxis) => Share[][];
}

const roundings: Readonly<Record<string, (place: number) => number>> = {
  floor: Math.floor,
  ceil: Math.ceil,
  round_prefer_floor: (place) => Math.ceil(place - 0.5),
  round_prefer_ceil: (place) => Math.floor(place + 0.5),
};

/** Which place of the input a position of the output stands for. */
const places: Readonly<Record<string, (position: number, axis: ResizedAxis) => number>> = {
  half_pixel: halfPixel,
  half_pixel_symmetric: (position, axis) =>
    (axis.from / 2) * (1 - axis.to / (axis.from * axis.scale)) + halfPixel(position, axis),
  pytorch_half_pixel: (position, axis) => (axis.to > 1 ? halfPixel(position, axis) : 0),
  align_corners: (position, { from, to }) => (to > 1 ? (position * (from - 1)) / (to - 1) : 0),
  asymmetric: (position, axis) => fround(position / scaleOf(axis)),
  tf_half_pixel_for_nn: (position, axis) => fround((position + 0.5) / scaleOf(axis)),
  tf_crop_and_resize: (position, { from, to, part: [first, last] }) =>
    (from - 1) * (to > 1 ? first + (position * (last - first)) / (to - 1) : (first + last) / 2),
};

/** As other engines divide: which of two entries is nearer can turn on it. */
const { fround } = Math;

/** As the sizes say it, where it was rounded to a float. */
function scaleOf({ from, to, scale }: ResizedAxis): number {
  return Math.abs(scale - to / from) < 1e-6 * scale ? to / from : scale;
}

function halfPixel(position: number, axis: ResizedAxis): number {
  return fround((position + 0.5) / scaleOf(axis)) - 0.5;
}

/** How many shares an axis may have in all: smoothing reads as many entries as it makes one of. */
const MOST_SHARES = 2 ** 20;

/** Where the inputs and attributes of a Resize stand in its version. */
interface Places {
  readonly scales: number;
  /** Absent: there were none. */
  readonly sizes?: number;
  readonly part?: number;
}

/** Reads what a node does with a tensor of a shape. */
export function readResizing(node: OperatorNode, shape: readonly number[]): Resizing {
  const at: Places = node.operator === 'Upsample' || node.opset < 11 ? { scales: 1 } : { scales: 2, sizes: 3, part: 1 };
  const given = node.text('mode', 'nearest');
  const mode = given === 'bilinear' ? 'linear' : given;
  if (mode !== 'nearest' && mode !== 'linear' && mode !== 'cubic') return node.refuse(`it resizes by ${mode}`);
  if (node.text('keep_aspect_ratio_policy', 'stretch') !== 'stretch') node.refuse('it keeps the aspect ratio');
  // Before opset 11 there was one way.
  const isOld = at.sizes === undefined;
  const coordinates = isOld ? 'asymmetric' : node.text('coordinate_transformation_mode', 'half_pixel');
  const rounding = isOld ? 'floor' : node.text('nearest_mode', 'round_prefer_floor');
  if (!Object.hasOwn(roundings, rounding)) node.refuse(`it rounds by ${rounding}`);
  if (!Object.hasOwn(places, coordinates)) node.refuse(`its coordinates are ${coordinates}`);
  const axes = node.distinctAxes(node.numbers('axes') ?? shape.map((_, axis) => axis), shape.length);
  const sizes = at.sizes === undefined ? undefined : node.optionalConstant(at.sizes)?.values;
  const scales = node.numbers('scales') ?? [...(node.optionalConstant(at.scales)?.values ?? [])];
  const parts = coordinates === 'tf_crop_and_resize' ? node.constant(at.part ?? 1).values : undefined;
  const isSized = sizes !== undefined && sizes.length > 0;
  if ((isSized ? sizes : scales).length !== axes.length || (parts && parts.length !== 2 * axes.length))
    node.refuse('its scales or sizes do not fit its axes');
  const resized = axes.map((axis, index): ResizedAxis => {
    const from = shape[axis];
    // A scale was rounded to a float.
    const to = isSized ? sizes[index] : Math.floor(from * scales[index] * (1 + 1e-7));
    const scale = isSized ? to / from : scales[index];
    if (!(Number.isInteger(to) && to >= 1 && scale > 0)) node.refuse(`it makes ${to} of ${from} entries`);
    // Where the last place lies is no matter of scales then, and engines differ.
    if (coordinates === 'align_corners' && !(Math.abs(from * scale - to) < 1e-4))
      node.refuse(`its scales [${scales.join(', ')}] make no whole sizes`);
    return { axis, from, to, scale, part: parts ? [parts[index], parts[axes.length + index]] : [0, 1] };
  });
  const smooths = node.number('antialias', 0) !== 0 && mode !== 'nearest';
  const bend = node.number('cubic_coeff_a', -0.75);
  const isPartOnly = node.number('exclude_outside', 0) !== 0;
  const beyond = node.number('extrapolation_value', 0);
  const curve = mode === 'cubic' ? (distance: number) => cubic(distance, bend) : hat;
  const sharesOf = (axis: ResizedAxis): Share[][] => {
    const { from, to } = axis;
    const shrinking = smooths ? Math.min(1, axis.scale) : 1;
    const reach = (mode === 'cubic' ? 2 : 1) / shrinking;
    if (!(to * (2 * reach + 2) <= MOST_SHARES)) node.refuse(`it makes ${to} of ${from} entries`);
    const within = (entry: number): number => Math.min(from - 1, Math.max(0, entry));
    const leavesOut = isPartOnly;
    return Array.from({ length: to }, (_, position) => {
      const place = places[coordinates](position, axis);
      if (parts !== undefined && (place < 0 || place > from - 1))
        return beyond === 0 ? [] : node.refuse('it shows more than there is');
      if (mode === 'nearest') return [{ from: within(roundings[rounding](place)), share: 1 }];
      const shares: Share[] = [];
      for (let entry = Math.ceil(place - reach); entry <= place + reach; entry++) {
        const share = curve(Math.abs(entry - place) * shrinking);
        if (share !== 0 && !(leavesOut && entry !== within(entry))) shares.push({ from: within(entry), share });
      }
      const total = shares.reduce((sum, { share }) => sum + share, 0);
      return shares.map((each) => ({ from: each.from, share: each.share / total }));
    });
  };
  return { mode, coordinates, rounding, smooths, axes: resized, sharesOf };
}

const hat = (distance: number): number => Math.max(0, 1 - distance);

/** Keys, Cubic convolution interpolation for digital image processing (1981), equation 4 with a free parameter. */
function cubic(distance: number, bend: number): number {
  if (distance >= 2) return 0;
  if (distance > 1) return (((distance - 5) * distance + 8) * distance - 4) * bend;
  return ((bend + 2) * distance - (bend + 3)) * distance * distance + 1;
}

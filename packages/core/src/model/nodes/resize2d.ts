import type { Size2d } from '../../backend.ts';
import { oneOf, size2d } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { slideAxes } from './_slide-axes.ts';
import { resample, type Tap } from './_resample.ts';
import { requireImage } from './_window.ts';

/**
 * Brings a map to another size. `coordinates` says which place of the input an output position p stands for: with scale =
 * output / input, (p + 1/2) / scale - 1/2 (`halfPixel`), p / scale (`asymmetric`), or p (input - 1) / (output - 1)
 * (`alignCorners`). `bilinear` mixes the two nearest of each axis (without antialiasing); `nearest` takes the one that
 * `rounding` says: `floor`, `ceil`, or the nearest with halves down (`preferFloor`) or up (`preferCeil`).
 */
export interface ResizeNode extends NodeBase {
  readonly kind: 'resize2d';
  readonly size: Size2d;
  readonly mode: 'nearest' | 'bilinear';
  readonly coordinates: 'halfPixel' | 'asymmetric' | 'alignCorners';
  /** Of `nearest`; default `preferFloor`. */
  readonly rounding?: 'floor' | 'ceil' | 'preferFloor' | 'preferCeil';
}

/** Resizing. */
export const resize2d: NodeKind<ResizeNode> = {
  fields: {
    size: size2d,
    mode: oneOf('nearest', 'bilinear'),
    coordinates: oneOf('halfPixel', 'asymmetric', 'alignCorners'),
    rounding: { optional: oneOf('floor', 'ceil', 'preferFloor', 'preferCeil') },
  },

  infer({ size, mode, rounding }, [input], fail) {
    requireImage(input, fail);
    if (mode !== 'nearest' && rounding !== undefined) fail("have 'rounding' only for nearest", rounding);
    return { output: [...size, input[2]] };
  },

  forward(node, [input], { tape }) {
    const [, height, width] = input.shape;
    return resample(tape, input, [tapsOf(node, height, node.size[0]), tapsOf(node, width, node.size[1])]);
  },

  cost: ({ size }, [[height, width, channels]]) => ({
    multiplyAccumulates: channels * (height * width * size[1] + height * size[0] * size[1]),
    workspace: channels * height * size[1],
  }),

  follow: (_, [input], flow, shapes) => ({
    output: [...slideAxes(input, null, flow, shapes), input[2]],
  }),
};

const round = {
  floor: Math.floor,
  ceil: Math.ceil,
  preferFloor: (place: number) => Math.ceil(place - 0.5),
  preferCeil: (place: number) => Math.floor(place + 0.5),
};

function tapsOf({ mode, coordinates, rounding = 'preferFloor' }: ResizeNode, from: number, to: number): Tap[][] {
  const placeOf = {
    halfPixel: (position: number) => ((position + 0.5) * from) / to - 0.5,
    asymmetric: (position: number) => (position * from) / to,
    alignCorners: (position: number) => (to === 1 ? 0 : (position * (from - 1)) / (to - 1)),
  }[coordinates];
  const within = (place: number): number => Math.min(from - 1, Math.max(0, place));
  return Array.from({ length: to }, (_, position) => {
    const place = placeOf(position);
    if (mode === 'nearest') return [{ position: within(round[rounding](place)), share: 1 }];
    const low = Math.floor(within(place));
    const share = within(place) - low;
    return [
      { position: low, share: 1 - share },
      { position: within(low + 1), share },
    ];
  });
}

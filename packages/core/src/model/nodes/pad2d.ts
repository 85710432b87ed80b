import type { Padding2d } from '../../backend.ts';
import { add } from '../../autodiff/operations/element-wise.ts';
import { pad } from '../../autodiff/operations/layout.ts';
import { number, oneOf, padding2d } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { slideAxes } from './_slide-axes.ts';
import { passOn } from './_pass-on.ts';
import { resample, type Tap } from './_resample.ts';
import { paddedSize, requireImage } from './_window.ts';

/** Rows and columns around height and width: zeros or `value`, mirrored without the edge, or the edge repeated. */
export interface PadNode extends NodeBase {
  readonly kind: 'pad2d';
  readonly padding: Padding2d;
  /** Default `'constant'`. */
  readonly mode?: 'constant' | 'reflect' | 'edge';
  /** Of `'constant'`; default 0. */
  readonly value?: number;
}

/** Padding of maps. */
export const pad2d: NodeKind<PadNode> = {
  fields: {
    padding: padding2d,
    mode: { optional: oneOf('constant', 'reflect', 'edge') },
    value: { optional: number() },
  },

  infer({ padding: { top, bottom, left, right }, mode = 'constant', value }, [input], fail) {
    requireImage(input, fail);
    const [height, width, channels] = input;
    if (mode !== 'constant' && value !== undefined) fail("have a value only in the mode 'constant'", String(value));
    if (mode === 'reflect' && (Math.max(top, bottom) >= height || Math.max(left, right) >= width))
      fail('mirror less than it reads', `${JSON.stringify({ top, bottom, left, right })} of [${input.join(', ')}]`);
    return { output: [height + top + bottom, width + left + right, channels] };
  },

  forward({ padding: { top, bottom, left, right }, mode = 'constant', value = 0 }, [input], { tape }) {
    if (mode !== 'constant') {
      const [, height, width] = input.shape;
      return resample(tape, input, [sourcesOf(height, top, bottom, mode), sourcesOf(width, left, right, mode)]);
    }
    const padded = pad(tape, input, [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ]);
    if (value === 0) return padded;
    // Added to the border alone: beside a large value the map would lose its digits.
    const [, height, width] = padded.shape;
    const border = Float32Array.from({ length: height * width }, (_, pixel) => {
      const [row, column] = [Math.floor(pixel / width), pixel % width];
      return row < top || row >= height - bottom || column < left || column >= width - right ? value : 0;
    });
    const filling = tape.own(tape.backend.tensor(border, [1, height, width, 1]));
    const filled = passOn(tape, padded, (zeros) => add(tape, zeros, filling));
    tape.release(filling);
    return filled;
  },

  cost: ({ padding }, [input]) => ({ workspace: paddedSize(input, padding) }),

  follow: (_, [input], flow, shapes) => ({
    output: [...slideAxes(input, null, flow, shapes), input[2]],
  }),
};

/** Where each padded position reads from. */
function sourcesOf(size: number, before: number, after: number, mode: 'reflect' | 'edge'): Tap[][] {
  return Array.from({ length: before + size + after }, (_, position) => {
    const place = position - before;
    const inside =
      mode === 'edge'
        ? Math.min(size - 1, Math.max(0, place))
        : place < 0
          ? -place
          : place >= size
            ? 2 * (size - 1) - place
            : place;
    return [{ position: inside, share: 1 }];
  });
}

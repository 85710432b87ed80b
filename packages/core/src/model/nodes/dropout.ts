import { multiply } from '../../autodiff/operations/element-wise.ts';
import { reshape } from '../../autodiff/operations/layout.ts';
import { DaflError } from '../../errors.ts';
import { number } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { passChannels } from './_pass-channels.ts';
import { sizeOf } from '../../shape.ts';

/** Zeroes a share `rate` of its inputs in training and scales the rest by 1 / (1 - rate); nothing in inference. */
export interface DropoutNode extends NodeBase {
  readonly kind: 'dropout';
  readonly rate: number;
}

/** Dropout. */
export const dropout: NodeKind<DropoutNode> = {
  fields: { rate: number('a number in [0, 1)', (value) => value >= 0 && value < 1) },

  infer: (_, [input]) => ({ output: input }),

  forward({ rate }, [input], { tape, mode, random }) {
    if (mode === 'inference' || rate === 0) return reshape(tape, input, input.shape);
    if (random === undefined)
      throw new DaflError(
        'USAGE',
        "Cannot run dropout in training mode as 'random' must be given: current value is none",
      );
    const mask = random.uniform(sizeOf(input.shape));
    const kept = 1 / (1 - rate);
    for (let index = 0; index < mask.length; index++) mask[index] = mask[index] < rate ? 0 : kept;
    const maskValue = tape.own(tape.backend.tensor(mask, input.shape));
    const output = multiply(tape, input, maskValue);
    tape.release(maskValue);
    return output;
  },

  follow: passChannels,
};

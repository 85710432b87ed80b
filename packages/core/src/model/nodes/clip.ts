import { clip as limit } from '../../autodiff/operations/element-wise.ts';
import { number } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { passChannels } from './_pass-channels.ts';

/** Limits each element to minimum..maximum; a bound that is absent does not limit. */
export interface ClipNode extends NodeBase {
  readonly kind: 'clip';
  readonly minimum?: number;
  readonly maximum?: number;
}

const LARGEST_FLOAT32 = 3.4028234663852886e38;

/** Clipping. */
export const clip: NodeKind<ClipNode> = {
  fields: { minimum: { optional: number() }, maximum: { optional: number() } },

  infer({ minimum = -LARGEST_FLOAT32, maximum = LARGEST_FLOAT32 }, [input], fail) {
    if (!(minimum < maximum)) fail('have a minimum below its maximum', `${minimum} and ${maximum}`);
    return { output: input };
  },

  forward: ({ minimum = -LARGEST_FLOAT32, maximum = LARGEST_FLOAT32 }, [input], { tape }) =>
    limit(tape, input, minimum, maximum),

  follow: passChannels,
};

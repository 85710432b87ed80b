import type { Layout, NodeChannels } from '../channel-flow.ts';
import type { ModelNode } from '../model.ts';

/** For nodes that give each channel what they made of it alone. */
export function passChannels(_node: ModelNode, [input]: readonly Layout[]): NodeChannels<never> {
  return { output: input };
}

import type { ModelNode } from '../model.ts';

/** What makes probabilities of logits. */
export type Head = 'Softmax' | 'LogSoftmax' | 'Sigmoid' | 'HardSigmoid';

/** The head that a node is by itself; null where it is none. */
export function headOf(node: ModelNode): Head | null {
  if (node.kind === 'softmax') return node.logarithm ? 'LogSoftmax' : 'Softmax';
  if (node.kind !== 'activation') return null;
  if (node.function === 'softmax') return 'Softmax';
  if (node.function === 'hardSigmoid') return 'HardSigmoid';
  return node.function === 'sigmoid' ? 'Sigmoid' : null;
}

/** Whether a head looks at each unit by itself. */
export const isSigmoid = (head: Head): boolean => head === 'Sigmoid' || head === 'HardSigmoid';

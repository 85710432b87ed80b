import type { ModelNode } from '../model.ts';
import type { GraphIndex } from './graph-index.ts';

/** A head that is made of several nodes. */
export interface SpeltHead {
  /** What reads the logits: the exponential of a softmax, the sigmoid of a pair. */
  readonly head: ModelNode;
  /** The nodes behind it, from the last on; of a softmax, itself too. */
  readonly steps: readonly string[];
  readonly isSoftmax: boolean;
  /** Of a pair: whether the probability of class 1 stands first. */
  readonly isSecondFirst: boolean;
}

/** Recognises a head by its last node. */
export type HeadSpelling = (node: ModelNode, graph: GraphIndex) => SpeltHead | undefined;

/** A sigmoid that is made of several nodes: that of `source`, times `factor`. */
export interface SpeltSigmoid {
  readonly source: string;
  readonly factor: number;
  /** What the sigmoid stands for, from the last on. */
  readonly steps: readonly string[];
}

/** Recognises a sigmoid by its last node. */
export type SigmoidSpelling = (node: ModelNode, graph: GraphIndex) => SpeltSigmoid | undefined;

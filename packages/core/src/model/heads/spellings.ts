import { complementaryPair } from './complementary-pair.ts';
import { sigmoidByReciprocal } from './sigmoid-by-reciprocal.ts';
import { sigmoidByTanh } from './sigmoid-by-tanh.ts';
import { softmaxByDifference } from './softmax-by-difference.ts';
import { softmaxByShares } from './softmax-by-shares.ts';
import type { HeadSpelling, SigmoidSpelling } from './spelling.ts';

/** The ways in which a head is spelt out. A new one is a file and a line. */
export const headSpellings: readonly HeadSpelling[] = [softmaxByShares, softmaxByDifference, complementaryPair];

/** The ways in which a sigmoid is. */
export const sigmoidSpellings: readonly SigmoidSpelling[] = [sigmoidByTanh, sigmoidByReciprocal];

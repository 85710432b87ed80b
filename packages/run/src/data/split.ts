/** Which half of a data set. */
export type Split = 'train' | 'test';

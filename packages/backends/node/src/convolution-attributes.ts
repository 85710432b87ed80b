import type { Conv2dOptions } from '@dafl/core';
import type { Attributes } from './tensorflow.ts';

/** Attributes of TensorFlow's Conv2D and its gradients, of one group and without dilation. */
export function convolutionAttributes({ strides, padding }: Pick<Conv2dOptions, 'strides' | 'padding'>): Attributes {
  const { top, bottom, left, right } = padding;
  return {
    strides: { kind: 'integer', value: [1, ...strides, 1] },
    padding: { kind: 'string', value: 'EXPLICIT' },
    explicit_paddings: { kind: 'integer', value: [0, 0, top, bottom, left, right, 0, 0] },
  };
}

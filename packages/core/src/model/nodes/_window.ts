import type { Padding2d, Shape, Size2d } from '../../backend.ts';
import type { Fail } from '../node-kind.ts';
import { slideSize } from '../slide-size.ts';

/** Fails unless a node reads `[height, width, channels]`. */
export function requireImage(shape: Shape, fail: Fail): void {
  if (shape.length !== 3) fail('read [height, width, channels]', `[${shape.join(', ')}]`);
}

/** Height and width of what a window that slides over `[height, width, channels]` gives. */
export function slide(
  shape: Shape,
  windowSize: Size2d,
  strides: Size2d,
  padding: Padding2d,
  dilations: Size2d = [1, 1],
): [height: number, width: number] {
  return [
    slideSize(shape[0], padding.top, padding.bottom, windowSize[0], strides[0], dilations[0]),
    slideSize(shape[1], padding.left, padding.right, windowSize[1], strides[1], dilations[1]),
  ];
}

/** Values of a padded `[height, width, channels]`. */
export function paddedSize([height, width, channels]: Shape, { top, bottom, left, right }: Padding2d): number {
  return (height + top + bottom) * (width + left + right) * channels;
}

/** Fails where a pooling window could lie in padding alone. */
export function requireWindowsInside(windowSize: Size2d, padding: Padding2d, fail: Fail): void {
  if (
    Math.max(padding.top, padding.bottom) >= windowSize[0] ||
    Math.max(padding.left, padding.right) >= windowSize[1]
  ) {
    fail('have no window in padding alone', `padding ${JSON.stringify(padding)}`);
  }
}

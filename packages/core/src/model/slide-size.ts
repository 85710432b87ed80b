/** Output size of a window that slides along one axis. */
export function slideSize(
  size: number,
  before: number,
  after: number,
  window: number,
  stride: number,
  dilation = 1,
): number {
  return Math.floor((size + before + after - dilation * (window - 1) - 1) / stride) + 1;
}

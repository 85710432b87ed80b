/** Movement of elements: transposition, broadcasting, slices, padding and concatenation are all one strided copy. */
import { address, copyFloats, integer, smaller } from './simd';

/**
 * Copies a block of up to six axes between two strided arrays.
 *
 * Arguments: input, output, rowsPerChunk, then sizes [6], input strides [6], output strides [6], outermost first, in
 * elements. A row is one run along the last axis; chunks are ranges of rows. Works for floats and integers alike.
 */
export function stridedCopy(args: usize, chunk: i32): void {
  const input = address(args, 0);
  const output = address(args, 1);
  const rowsPerChunk = integer(args, 2);
  const s0 = integer(args, 3), s1 = integer(args, 4), s2 = integer(args, 5), s3 = integer(args, 6), s4 = integer(args, 7);
  const length = integer(args, 8);
  const inputStride = <usize>integer(args, 14) << 2;
  const outputStride = <usize>integer(args, 20) << 2;
  const last = smaller((chunk + 1) * rowsPerChunk, s0 * s1 * s2 * s3 * s4);
  for (let row = chunk * rowsPerChunk; row < last; row++) {
    let rest = row;
    const i4 = rest % s4;
    rest /= s4;
    const i3 = rest % s3;
    rest /= s3;
    const i2 = rest % s2;
    rest /= s2;
    const i1 = rest % s1;
    const i0 = rest / s1;
    let from =
      input +
      (<usize>(
        i0 * integer(args, 9) + i1 * integer(args, 10) + i2 * integer(args, 11) + i3 * integer(args, 12) +
        i4 * integer(args, 13)
      ) << 2);
    let to =
      output +
      (<usize>(
        i0 * integer(args, 15) + i1 * integer(args, 16) + i2 * integer(args, 17) + i3 * integer(args, 18) +
        i4 * integer(args, 19)
      ) << 2);
    if (inputStride == 4 && outputStride == 4) {
      copyFloats(to, from, length);
    } else {
      for (let i = 0; i < length; i++) {
        store<i32>(to, load<i32>(from));
        from += inputStride;
        to += outputStride;
      }
    }
  }
}

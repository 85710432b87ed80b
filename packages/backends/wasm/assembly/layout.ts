/** Movement of elements: transposition, broadcasting, slices, padding and concatenation are all one strided copy. */
import { StridedCopyArguments } from './generated/kernel-arguments';
import { copyFloats, smaller } from './simd';

/** Copies a block of up to six axes between two strided arrays, of floats and integers alike. */
export function stridedCopy(args: StridedCopyArguments, chunk: i32): void {
  const input = args.input;
  const output = args.output;
  const rowsPerChunk = args.rowsPerChunk;
  const s0 = args.size0, s1 = args.size1, s2 = args.size2, s3 = args.size3, s4 = args.size4;
  const length = args.size5;
  const inputStride = <usize>args.inputStride5 << 2;
  const outputStride = <usize>args.outputStride5 << 2;
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
        i0 * args.inputStride0 + i1 * args.inputStride1 + i2 * args.inputStride2 + i3 * args.inputStride3 +
        i4 * args.inputStride4
      ) << 2);
    let to =
      output +
      (<usize>(
        i0 * args.outputStride0 + i1 * args.outputStride1 + i2 * args.outputStride2 + i3 * args.outputStride3 +
        i4 * args.outputStride4
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

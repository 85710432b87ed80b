import { convolutionAttributes } from './convolution-attributes.ts';
import { concat, type Made, pad, reshape, type Shaped, slice } from './layout.ts';
import { FLOAT32, type Tensorflow, type TensorId } from './tensorflow.ts';

/**
 * Nearest upsampling by two and a 3x3 convolution as one.
 *
 * Of the upsampled image u, u[2i] = u[2i+1] = x[i], so that along one axis
 *
 *     y[2i]     = w0 x[i-1] + (w1 + w2) x[i]
 *     y[2i + 1] = (w0 + w1) x[i] + w2 x[i+1]
 *
 * and in the plane each of the four phases of the output is a 2x2 convolution of x: 16 multiplications in place of 36.
 * The two rows above are the rows of `PHASES`. The input gradient is the adjoint of all four at once, which is a
 * convolution of kernel 4x4 and stride 2. The filter gradient sums the output gradient over the 2x2 squares that each
 * tap lights, and so needs 9 products in place of 36.
 */

/** Which of w0, w1, w2 make each of the two taps, for the even and the odd outputs. */
const PHASES = [
  [
    [1, 0, 0],
    [0, 1, 1],
  ],
  [
    [1, 1, 0],
    [0, 0, 1],
  ],
] as const;

/** The taps of the adjoint: what reaches x[i] of dy[2i-1], dy[2i], dy[2i+1] and dy[2i+2]. */
const ADJOINT = [
  [0, 0, 1],
  [0, 1, 1],
  [1, 1, 0],
  [1, 0, 0],
] as const;

/** Elements of the output gradient, taken nine times, that are in memory at once: 32 MiB. */
const MOST_GRADIENT_ELEMENTS = 2 ** 23;

/** `upsampleConv2d` of the contract, without the bias. The caller owns the result. */
export function upsampleConvolve(tf: Tensorflow, input: Shaped, filter: Shaped): Made {
  const [batch, height, width] = input.shape;
  const outputs = filter.shape[3];
  const rows = [0, 1].map((vertical) => {
    const phases = [0, 1].map((horizontal) => {
      const kernel = combineTaps(tf, filter, PHASES[vertical], PHASES[horizontal]);
      // The even outputs read one pixel above (left), the odd ones one below (right).
      const padding = { top: 1 - vertical, bottom: vertical, left: 1 - horizontal, right: horizontal };
      return tf.temporary('Conv2D', [input.id, kernel], convolutionAttributes({ strides: [1, 1], padding }));
    });
    // Channels of neighbouring columns side by side are the columns of the upsampled row.
    const row = tf.keep(concat(tf, phases, 3));
    for (const phase of phases) tf.release(phase);
    return tf.keep(reshape(tf, row, [batch, height, 2 * width * outputs]));
  });
  return { id: concat(tf, rows, 2), shape: [batch, height, 4 * width * outputs] };
}

/** `upsampleConv2dInputGradient` of the contract. The caller owns the result. */
export function upsampleConvolveInputGradient(tf: Tensorflow, outputGradient: Shaped, filter: Shaped): TensorId {
  const kernel = combineTaps(tf, filter, ADJOINT, ADJOINT);
  const adjoint = tf.temporary('Transpose', [kernel, tf.integers([0, 1, 3, 2])]);
  const padding = { top: 1, bottom: 1, left: 1, right: 1 };
  return tf.run('Conv2D', [outputGradient.id, adjoint], convolutionAttributes({ strides: [2, 2], padding }));
}

/** `upsampleConv2dFilterGradient` of the contract. The caller owns the result. */
export function upsampleConvolveFilterGradient(tf: Tensorflow, input: Shaped, outputGradient: Shaped): Made {
  const [batch, height, width, inputs] = input.shape;
  const outputs = outputGradient.shape[3];
  const positions = batch * (height + 1) * (width + 1);
  // Tap 1 lights rows 2i and 2i+1, tap 0 rows 2i+1 and 2i+2, tap 2 rows 2i-1 and 2i: squares on the grid, or off it by
  // one. Either kind has a row and a column more than the input, whose own are padded with zeros, so that to move a tap
  // by a pixel is to move its start in memory.
  const squares = [0, 1].map((rows) =>
    [0, 1].map((columns) => {
      const paddings = [
        [0, 0],
        [rows, 2 - rows],
        [columns, 2 - columns],
        [0, 0],
      ] as const;
      const padded = tf.keep(pad(tf, outputGradient.id, paddings, 0));
      const means = tf.temporary('AvgPool', [padded], {
        ksize: { kind: 'integer', value: [1, 2, 2, 1] },
        strides: { kind: 'integer', value: [1, 2, 2, 1] },
        padding: { kind: 'string', value: 'VALID' },
      });
      tf.release(padded);
      return tf.keep(reshape(tf, means, [positions, outputs]));
    }),
  );
  const paddedInput = tf.keep(
    pad(
      tf,
      input.id,
      [
        [0, 0],
        [0, 1],
        [0, 1],
        [0, 0],
      ],
      0,
    ),
  );
  const pixels = tf.keep(reshape(tf, paddedInput, [positions, inputs]));
  const used = positions - width - 2;
  const rowsAtOnce = Math.max(1, Math.floor(MOST_GRADIENT_ELEMENTS / (9 * outputs)));
  const parts: TensorId[] = [];
  for (let first = 0; first < used; first += rowsAtOnce) {
    const rows = Math.min(rowsAtOnce, used - first);
    const product = tf.scope(() => {
      const taps = [0, 1, 2].flatMap((row) =>
        [0, 1, 2].map((column) => {
          const source = squares[row === 1 ? 0 : 1][column === 1 ? 0 : 1];
          const start = first + (row === 0 ? width + 1 : 0) + (column === 0 ? 1 : 0);
          return tf.keep(slice(tf, source, [start, 0], [rows, outputs]));
        }),
      );
      const left = tf.keep(slice(tf, pixels, [first, 0], [rows, inputs]));
      const right = tf.keep(concat(tf, taps, 1));
      return tf.run('MatMul', [left, right], { transpose_a: { kind: 'boolean', value: true } });
    });
    parts.push(tf.keep(product));
  }
  const products =
    parts.length === 1
      ? parts[0]
      : tf.temporary('AddN', parts, { N: { kind: 'integer', value: parts.length }, T: FLOAT32 });
  const apart = tf.keep(reshape(tf, products, [inputs, 9, outputs]));
  const filter = tf.temporary('Transpose', [apart, tf.integers([1, 0, 2])]);
  // Means of four are a quarter of their sums.
  return { id: tf.run('Mul', [filter, tf.scalar(4)]), shape: [9, inputs, outputs] };
}

/**
 * A filter whose taps are sums of the 3x3 filter's.
 *
 * @param rows For each row of the result, the weights of the three rows.
 * @returns Shape `[rows, columns, inputChannels, outputChannels]`, temporary.
 */
function combineTaps(
  tf: Tensorflow,
  filter: Shaped,
  rows: readonly (readonly number[])[],
  columns: readonly (readonly number[])[],
): TensorId {
  const [, , inputs, outputs] = filter.shape;
  const weights = rows.flatMap((row) =>
    columns.map((column) => row.flatMap((vertical) => column.map((horizontal) => vertical * horizontal))),
  );
  const flat = weights.flat();
  const combination = tf.floats(flat.join(), [weights.length, 9], () => Float32Array.from(flat));
  const taps = filter.as([9, inputs * outputs]);
  const combined = tf.temporary('MatMul', [combination, taps]);
  return tf.keep(reshape(tf, combined, [rows.length, columns.length, inputs, outputs]));
}

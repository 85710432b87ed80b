/**
 * Numbers by which the page and the compiled kernels name a kernel. Both sides read this file: TypeScript imports it,
 * and so does AssemblyScript (`assembly/index.ts`), so that they can't drift apart.
 */

export const KERNEL_FILL = 0;
export const KERNEL_UNARY = 1;
export const KERNEL_BINARY = 2;
export const KERNEL_AFFINE = 3;
export const KERNEL_LEAKY_RELU = 4;
export const KERNEL_LEAKY_RELU_GRADIENT = 5;
export const KERNEL_ONE_HOT = 6;
export const KERNEL_STRIDED_COPY = 7;
export const KERNEL_REDUCE = 8;
export const KERNEL_ARG_MAX = 9;
export const KERNEL_PACK_PANELS = 10;
export const KERNEL_CONVOLVE = 11;
export const KERNEL_FILTER_GRADIENT = 12;
export const KERNEL_COMBINE_FILTER_GRADIENT = 13;
export const KERNEL_DEPTHWISE = 14;
export const KERNEL_DEPTHWISE_INPUT_GRADIENT = 15;
export const KERNEL_MAX_POOL = 16;
export const KERNEL_MAX_POOL_GRADIENT = 17;
export const KERNEL_AVERAGE_POOL = 18;
export const KERNEL_AVERAGE_POOL_GRADIENT = 19;
export const KERNEL_UPSAMPLE = 20;
export const KERNEL_UPSAMPLE_GRADIENT = 21;
export const KERNEL_BATCH_STATISTICS = 22;
export const KERNEL_COMBINE_BATCH_STATISTICS = 23;
export const KERNEL_NORMALIZE = 24;
export const KERNEL_BATCH_GRADIENT_SUMS = 25;
export const KERNEL_COMBINE_BATCH_GRADIENT = 26;
export const KERNEL_NORMALIZE_GRADIENT = 27;
export const KERNEL_ADAM = 28;
export const KERNEL_DEPTHWISE_FILTER_GRADIENT = 29;
export const KERNEL_PACK_DOTS = 30;
export const KERNEL_PACK_TRIPLES = 31;
export const KERNEL_PACK_UPSAMPLE_FILTER = 32;
export const KERNEL_UPSAMPLE_CONVOLVE = 33;
export const KERNEL_UPSAMPLE_INPUT_GRADIENT = 34;
export const KERNEL_UPSAMPLE_FILTER_GRADIENT = 35;
export const KERNEL_SOFTMAX_DIVERGENCE = 36;
export const KERNEL_SCATTER_INPUT_GRADIENT = 37;
export const KERNEL_FROZEN_TABLE = 38;
export const KERNEL_CLIP = 39;
export const KERNEL_CLIP_GRADIENT = 40;
export const KERNEL_GELU = 41;
export const KERNEL_GELU_GRADIENT = 42;

/** Values of the `operation` argument of `KERNEL_UNARY`. */
export const UNARY_NEGATE = 0;
export const UNARY_ABS = 1;
export const UNARY_SIGN = 2;
export const UNARY_EXP = 3;
export const UNARY_LOG = 4;
export const UNARY_SQRT = 5;
export const UNARY_SQUARE = 6;
export const UNARY_RECIPROCAL = 7;
export const UNARY_TANH = 8;
export const UNARY_SIGMOID = 9;
export const UNARY_ERF = 10;
export const UNARY_STEP = 11;

/** Values of the `operation` argument of `KERNEL_BINARY`. */
export const BINARY_ADD = 0;
export const BINARY_SUBTRACT = 1;
export const BINARY_MULTIPLY = 2;
export const BINARY_DIVIDE = 3;
export const BINARY_MAXIMUM = 4;
export const BINARY_MINIMUM = 5;
export const BINARY_GREATER = 6;
export const BINARY_EQUAL = 7;

/** Values of the `form` argument of `KERNEL_BINARY`: how the two sides line up. */
export const FORM_SAME = 0;
export const FORM_RIGHT_SCALAR = 1;
export const FORM_LEFT_SCALAR = 2;
export const FORM_RIGHT_ROW = 3;
export const FORM_LEFT_ROW = 4;
export const FORM_RIGHT_COLUMN = 5;
export const FORM_LEFT_COLUMN = 6;

/** Values of the `operation` argument of `KERNEL_REDUCE`; a mean is a sum with a factor. */
export const REDUCE_SUM = 0;
export const REDUCE_MAX = 1;

/** Values of the `form` argument of `KERNEL_CONVOLVE`: what its vectors run along. */
export const CONVOLVE_TILES = 0;
export const CONVOLVE_DOTS = 1;
export const CONVOLVE_COLUMNS = 2;

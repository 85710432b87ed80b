/**
 * Numbers by which the page and the compiled kernels name an operation or a form. Both sides read this file: TypeScript
 * imports it, and so does AssemblyScript, so that they can't drift apart.
 */

/** Values of the `operation` argument of `unary`. */
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

/** Values of the `operation` argument of `binary`. */
export const BINARY_ADD = 0;
export const BINARY_SUBTRACT = 1;
export const BINARY_MULTIPLY = 2;
export const BINARY_DIVIDE = 3;
export const BINARY_MAXIMUM = 4;
export const BINARY_MINIMUM = 5;
export const BINARY_GREATER = 6;
export const BINARY_EQUAL = 7;

/** Values of the `form` argument of `binary`: how the two sides line up. */
export const FORM_SAME = 0;
export const FORM_RIGHT_SCALAR = 1;
export const FORM_LEFT_SCALAR = 2;
export const FORM_RIGHT_ROW = 3;
export const FORM_LEFT_ROW = 4;
export const FORM_RIGHT_COLUMN = 5;
export const FORM_LEFT_COLUMN = 6;

/** Values of the `operation` argument of `reduce`; a mean is a sum with a factor. */
export const REDUCE_SUM = 0;
export const REDUCE_MAX = 1;

/** Values of the `form` argument of `convolve`: what its vectors run along. */
export const CONVOLVE_TILES = 0;
export const CONVOLVE_DOTS = 1;
export const CONVOLVE_COLUMNS = 2;

/**
 * Sizes and addresses that the page and the compiled kernels agree on. Both sides read this file, as they do
 * `kernel-operations.ts`.
 */

/** Where the arguments of the running kernel stand, of four bytes each: in the block of memory that all threads share. */
export const ARGUMENTS_ADDRESS = 1344;

/** Rows of a tile of a matrix product. */
export const TILE_ROWS = 6;

/** Columns of a tile, and of a panel of packed B. */
export const TILE_COLUMNS = 8;

/** Columns that `multiplyDots` handles at most. */
export const DOT_COLUMNS = 3;

/** Floats of a run that `accumulateTurned1` sums at once. */
export const TURNED1_WIDTH = 48;

/** Floats of a run that `accumulateTurned3` sums at once, for three columns of the gradient. */
export const TURNED3_WIDTH = 16;

/** Floats of a run that `accumulateNarrow` sums at once, for each of two runs. */
export const NARROW_LENGTH = 6;

/** Output channels that `multiplyColumns` computes at once. */
export const COLUMN_CHANNELS = 3;

/** Pixels of a row that `multiplyColumns` computes at once. */
export const COLUMN_PIXELS = 16;

/** Products and sources along one axis of the convolution of an upsampled image (`assembly/upsample-convolution.ts`). */
export const UPSAMPLE_PRODUCTS = 5;
export const UPSAMPLE_SOURCES = 4;

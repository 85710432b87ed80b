import { fail } from './check.ts';
/** Where a stream stands: enough to go on from there, bit for bit. */
export interface RandomStreamState {
  /** Blocks of four numbers drawn so far. */
  readonly counter: number;
}

/**
 * A reproducible sequence of random numbers for one purpose.
 *
 * Every call starts at a fresh block of the counter, so that what is drawn depends on the order and size of the calls
 * alone.
 */
export interface RandomStream {
  /** `count` numbers, uniform in [low, high). */
  uniform(count: number, low?: number, high?: number): Float32Array;

  /** `count` numbers, normal with mean 0 and standard deviation 1 (Box-Muller). */
  normal(count: number): Float32Array;

  /** `count` integers, uniform in 0..bound-1; `bound` in 1..2^32. */
  integers(count: number, bound: number): Uint32Array;

  /** The integers 0..count-1 in random order (Fisher-Yates). */
  permutation(count: number): Uint32Array;

  state(): RandomStreamState;
  restore(state: RandomStreamState): void;
}

/** Multipliers and key increments of Philox4x32 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011). */
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** Upper 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/** One block of Philox4x32-10: four 32-bit numbers from a 128-bit counter and a 64-bit key, written to `output`. */
export function philox(counter: readonly number[], key: readonly number[], output: Uint32Array, offset: number): void {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  output[offset] = c0;
  output[offset + 1] = c1;
  output[offset + 2] = c2;
  output[offset + 3] = c3;
}

/** FNV-1a of the UTF-16 code units: turns a purpose into half of the key. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash;
}

const TWO_TO_32 = 4294967296;

/**
 * A counter-based random stream (Philox4x32-10): streams of different seeds or purposes are independent, and a stream
 * can be resumed at any point from its counter.
 *
 * @param seed Integer in 0..2^32-1; the same seed gives the same numbers on every machine (normal numbers as far as
 * the engine's `Math.log`, `Math.cos` and `Math.sin` agree).
 * @param purpose What the numbers are for, for example `'latent'`; each purpose is a stream of its own.
 * @example
 * ```ts
 * const latents = createRandomStream(0, 'latent').normal(256 * 100);
 * ```
 */
export function createRandomStream(seed: number, purpose: string): RandomStream {
  if (!Number.isInteger(seed) || seed < 0 || seed >= TWO_TO_32) {
    fail({ cannot: 'create random stream', as: "'seed' must be an integer in 0..4294967295", value: seed });
  }
  const key = [seed, hashText(purpose)];
  let counter = 0;

  function bits(count: number): Uint32Array {
    const blocks = Math.ceil(count / 4);
    const output = new Uint32Array(blocks * 4);
    for (let block = 0; block < blocks; block++, counter++) {
      philox([counter % TWO_TO_32, Math.floor(counter / TWO_TO_32), 0, 0], key, output, block * 4);
    }
    return output;
  }

  function integers(count: number, bound: number): Uint32Array {
    const drawn = bits(count);
    const output = new Uint32Array(count);
    // Multiply-shift: the bias is below bound / 2^32, far below anything that training could notice.
    for (let index = 0; index < count; index++) output[index] = Math.floor((drawn[index] / TWO_TO_32) * bound);
    return output;
  }

  return {
    uniform(count, low = 0, high = 1) {
      const drawn = bits(count);
      const output = new Float32Array(count);
      for (let index = 0; index < count; index++) {
        // 24 bits fit a float32 exactly; a range that it holds fewer numbers of may still be rounded up to its end.
        output[index] = low + ((drawn[index] >>> 8) / 16777216) * (high - low);
        if (output[index] >= high) output[index] = low;
      }
      return output;
    },
    normal(count) {
      const drawn = bits(count + (count & 1));
      const output = new Float32Array(count);
      for (let index = 0; index < count; index += 2) {
        // Half a step above 0 keeps the logarithm finite.
        const radius = Math.sqrt(-2 * Math.log((drawn[index] + 0.5) / TWO_TO_32));
        const angle = 2 * Math.PI * (drawn[index + 1] / TWO_TO_32);
        output[index] = radius * Math.cos(angle);
        if (index + 1 < count) output[index + 1] = radius * Math.sin(angle);
      }
      return output;
    },
    integers,
    permutation(count) {
      const output = Uint32Array.from({ length: count }, (_, index) => index);
      const drawn = bits(count);
      for (let index = count - 1; index > 0; index--) {
        const other = Math.floor((drawn[index] / TWO_TO_32) * (index + 1));
        const held = output[index];
        output[index] = output[other];
        output[other] = held;
      }
      return output;
    },
    state: () => ({ counter }),
    restore(state) {
      counter = state.counter;
    },
  };
}

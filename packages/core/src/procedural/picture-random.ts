import type { RandomStream } from '../random.ts';

/**
 * Single draws for one picture, for code that decides as it draws: sfc32, a small fast generator, seeded from a stream.
 *
 * Source: Doty-Humphrey, PractRand, "sfc32": three words of chaos and a counter.
 */
export class PictureRandom {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param stream Three words are drawn from it. */
  constructor(stream: RandomStream) {
    [this.#a, this.#b, this.#c] = stream.integers(3, 2 ** 32);
    for (let round = 0; round < 12; round++) this.#draw();
  }

  /** Uniform in [0, 1), a multiple of 2^-32. */
  next(): number {
    return this.#draw() / 4294967296;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** Uniform in 0..bound-1. */
  integer(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /** True with probability `share`. */
  chance(share: number): boolean {
    return this.next() < share;
  }

  /** Normal with mean 0 and standard deviation 1, up to 3.5: the sum of four uniform draws, scaled. */
  normal(): number {
    return (this.next() + this.next() + this.next() + this.next() - 2) * 1.7320508;
  }

  /** One of the values, each as likely. */
  pick<Value>(values: readonly Value[]): Value {
    return values[this.integer(values.length)];
  }

  #draw(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }
}

import { DaflError } from './errors.ts';
import { describe, expect, it } from 'vitest';
import { createRandomStream, philox } from './random.ts';

describe('philox', () => {
  // Random123 1.14.0 (https://github.com/DEShawResearch/random123), tests/kat_vectors, the lines 'philox4x32 10'.
  it.each([
    [
      'zeros',
      [0x00000000, 0x00000000, 0x00000000, 0x00000000],
      [0x00000000, 0x00000000],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      'ones',
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      'digits of pi',
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('gives the known answer of %s', (_, counter, key, expected) => {
    const output = new Uint32Array(6);
    philox(counter, key, output, 1);
    expect(Array.from(output)).toEqual([0, ...expected, 0]);
  });
});

describe('createRandomStream', () => {
  it('gives the same numbers for the same seed and purpose', () => {
    const draw = () => {
      const stream = createRandomStream(5, 'latent');
      return [stream.uniform(7), stream.normal(5), stream.integers(3, 10), stream.permutation(9)];
    };
    expect(draw()).toEqual(draw());
  });

  it('gives other numbers for another seed or purpose, and no others for another stream in between', () => {
    const alone = createRandomStream(5, 'latent').uniform(1000);
    const others = [createRandomStream(6, 'latent'), createRandomStream(5, 'replay')].map((other) =>
      other.uniform(1000),
    );
    for (const other of others) {
      expect(alone.filter((value, index) => value === other[index]).length).toBe(0);
      const product = alone.reduce((sum, value, index) => sum + (value - 0.5) * (other[index] - 0.5), 0);
      // A correlation of independent uniform numbers deviates by 1 / sqrt(1000).
      expect(Math.abs(product / 1000) * 12).toBeLessThan(0.1);
    }
    const stream = createRandomStream(5, 'latent');
    const first = stream.uniform(500);
    createRandomStream(5, 'replay').uniform(100);
    const second = stream.uniform(500);
    expect([...first, ...second]).toEqual([...alone]);
  });

  it('goes on from a restored state bit for bit', () => {
    const stream = createRandomStream(1, 'x');
    stream.normal(3);
    stream.uniform(10);
    const state = stream.state();
    expect(state).toEqual({ counter: 4 });
    const expected = [stream.normal(5), stream.permutation(6)];
    const resumed = createRandomStream(1, 'x');
    resumed.restore(state);
    expect([resumed.normal(5), resumed.permutation(6)]).toEqual(expected);
    stream.restore(state);
    expect([stream.normal(5), stream.permutation(6)]).toEqual(expected);
  });

  it('counts on beyond 2^32 blocks', () => {
    const stream = createRandomStream(1, 'x');
    const at = (counter: number) => {
      stream.restore({ counter });
      return stream.integers(4, 2 ** 32);
    };
    const first = at(0);
    expect(at(2 ** 32)).not.toEqual(first);
    expect(at(2 ** 32 - 1)).not.toEqual(at(2 ** 32));
    // One draw across the border is the last block before it and the first behind.
    stream.restore({ counter: 2 ** 32 - 1 });
    const across = stream.integers(8, 2 ** 32);
    expect([...across]).toEqual([...at(2 ** 32 - 1), ...at(2 ** 32)]);
  });

  it('draws nothing for a count of 0', () => {
    const stream = createRandomStream(1, 'x');
    expect(
      [stream.uniform(0), stream.normal(0), stream.integers(0, 5), stream.permutation(0)].map((drawn) => drawn.length),
    ).toEqual([0, 0, 0, 0]);
    expect(stream.state()).toEqual({ counter: 0 });
  });

  it.each([-1, 0.5, 2 ** 32, Number.NaN])('refuses the seed %d', (seed) => {
    expect(() => createRandomStream(seed, 'x')).toThrow(
      new DaflError(
        'USAGE',
        `Cannot create random stream as 'seed' must be an integer in 0..4294967295: current value is ${seed}`,
      ),
    );
  });

  it('takes the largest seed', () => {
    expect(createRandomStream(2 ** 32 - 1, 'x').uniform(4)).not.toEqual(createRandomStream(0, 'x').uniform(4));
  });
});

describe('uniform', () => {
  it('stays in its range and fills it evenly', () => {
    const drawn = createRandomStream(3, 'x').uniform(100_000, -2, 3);
    expect(drawn.every((value) => value >= -2 && value < 3)).toBe(true);
    const bins = new Array<number>(10).fill(0);
    for (const value of drawn) bins[Math.floor((value + 2) * 2)]++;
    // 10,000 in each, with a standard deviation of 95.
    for (const bin of bins) expect(Math.abs(bin - 10_000)).toBeLessThan(450);
  });

  it('is in 0..1 unless told otherwise', () => {
    const drawn = createRandomStream(3, 'x').uniform(1000);
    expect(drawn.every((value) => value >= 0 && value < 1)).toBe(true);
  });

  it('never gives its upper bound, though float32 would round to it', () => {
    // Between 1 and 2 float32 has half as many numbers as the stream draws.
    const drawn = createRandomStream(0, 'x').uniform(1 << 22, 1, 1 + 2 ** -20);
    expect(drawn.every((value) => value < 1 + 2 ** -20)).toBe(true);
  });
});

describe('normal', () => {
  it('has the moments of the normal distribution', () => {
    const count = 200_000;
    const drawn = createRandomStream(4, 'x').normal(count);
    const moment = (power: number) => drawn.reduce((sum, value) => sum + value ** power, 0) / count;
    // Standard errors: 0.0022, 0.0032, 0.0087, 0.022.
    expect(Math.abs(moment(1))).toBeLessThan(0.009);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.013);
    expect(Math.abs(moment(3))).toBeLessThan(0.035);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.09);
    expect(drawn.every(Number.isFinite)).toBe(true);
  });

  it('has independent neighbours', () => {
    const drawn = createRandomStream(4, 'x').normal(100_000);
    for (const distance of [1, 2, 3, 4]) {
      let product = 0;
      for (let index = distance; index < drawn.length; index++) product += drawn[index] * drawn[index - distance];
      expect(Math.abs(product / drawn.length)).toBeLessThan(0.013);
    }
  });

  it('gives an odd count', () => {
    const [odd, even] = [7, 8].map((count) => createRandomStream(4, 'x').normal(count));
    expect([...odd]).toEqual([...even.subarray(0, 7)]);
  });
});

describe('integers', () => {
  it('gives each number below the bound and none other', () => {
    const drawn = createRandomStream(5, 'x').integers(70_000, 7);
    const counts = new Array<number>(7).fill(0);
    for (const value of drawn) counts[value]++;
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(70_000);
    // 10,000 each, with a standard deviation of 93.
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(450);
  });

  it('takes the bounds 1 and 2^32', () => {
    expect([...createRandomStream(5, 'x').integers(100, 1)]).toEqual(new Array(100).fill(0));
    const large = createRandomStream(5, 'x').integers(1000, 2 ** 32);
    expect(Math.max(...large)).toBeGreaterThan(2 ** 32 * 0.99);
  });
});

describe('permutation', () => {
  it('is one', () => {
    for (const count of [1, 2, 100]) {
      const drawn = createRandomStream(6, 'x').permutation(count);
      expect([...drawn].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
    }
  });

  it('is each of the six of three equally often', () => {
    const stream = createRandomStream(6, 'x');
    const counts = new Map<string, number>();
    for (let index = 0; index < 6000; index++) {
      const drawn = stream.permutation(3).join('');
      counts.set(drawn, (counts.get(drawn) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // 1,000 each, with a standard deviation of 29.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(145);
  });
});

import { type Constant, sizeOf } from './constant.ts';

/** One of the entries that an entry along an axis is made of, and its share. */
export interface Share {
  readonly from: number;
  readonly share: number;
}

/**
 * A constant each of whose entries along an axis is a sum of others along it.
 *
 * @param entries What each entry is made of; nothing gives 0.
 */
export function mapAxis(constant: Constant, axis: number, entries: readonly (readonly Share[])[]): Constant {
  const { shape, values } = constant;
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  const length = shape[axis];
  const made = new (values.constructor as Float64ArrayConstructor)(outer * entries.length * inner);
  let target = 0;
  for (let row = 0; row < outer; row++) {
    for (const shares of entries) {
      for (const { from, share } of shares) {
        const start = (row * length + from) * inner;
        for (let index = 0; index < inner; index++) made[target + index] += share * values[start + index];
      }
      target += inner;
    }
  }
  return { ...constant, shape: shape.with(axis, entries.length), values: made };
}

/** Entries taken as they are, by number. */
export function takeEntries(numbers: readonly number[]): Share[][] {
  return numbers.map((from) => [{ from, share: 1 }]);
}

/**
 * Which entry of an axis stands at each place of it with a border; undefined where the border is a number, or where it would
 * mirror more than there is.
 */
export function borderedEntries(
  mode: string,
  length: number,
  before: number,
  after: number,
): (number | undefined)[] | undefined {
  if (mode === 'reflect' && Math.max(before, after) >= length) return undefined;
  return Array.from({ length: before + length + after }, (_, place) => {
    const entry = place - before;
    if (entry >= 0 && entry < length) return entry;
    if (mode === 'edge') return entry < 0 ? 0 : length - 1;
    if (mode === 'wrap') return ((entry % length) + length) % length;
    if (mode === 'reflect') return entry < 0 ? -entry : 2 * (length - 1) - entry;
    return undefined;
  });
}

import type { Reject } from '../_reject.ts';
import type { ByteCursor } from './byte-cursor.ts';

/** Type of a data set's or an attribute's elements, as far as model files have them. */
export type Hdf5Type =
  | { readonly class: 'integer'; readonly bytes: number; readonly isSigned: boolean; readonly isBigEndian: boolean }
  | { readonly class: 'float'; readonly bytes: number; readonly isBrain: boolean; readonly isBigEndian: boolean }
  | { readonly class: 'text'; readonly bytes: number }
  /** Text of any length, in a heap. */
  | { readonly class: 'heap text'; readonly bytes: 16 }
  | { readonly class: 'other'; readonly bytes: number; readonly name: string };

const otherClasses = ['', '', 'time', '', 'bit field', 'opaque', 'compound', 'reference', '', 'sequence', 'array'];
const MOST_NESTED = 8;

/** Reads a datatype message. */
export function readDatatype(cursor: ByteCursor, reject: Reject, depth = 0): Hdf5Type {
  if (depth > MOST_NESTED) reject(`its datatypes must nest at most ${MOST_NESTED} deep`, 'deeper');
  const kind = cursor.unsigned(1) & 15;
  const flags = cursor.unsigned(3);
  const bytes = cursor.unsigned(4);
  const isBigEndian = (flags & 1) === 1;
  switch (kind) {
    case 0: {
      if (![1, 2, 4, 8].includes(bytes)) reject('its integers must have 1, 2, 4 or 8 bytes', String(bytes));
      return { class: 'integer', bytes, isSigned: (flags & 8) !== 0, isBigEndian };
    }
    case 1: {
      cursor.skip(5);
      const exponentBits = cursor.unsigned(1);
      const mantissa = [cursor.unsigned(1), cursor.unsigned(1)][1];
      const known: Readonly<Record<string, boolean>> = {
        '2/5/10': true,
        '2/8/7': true,
        '4/8/23': true,
        '8/11/52': true,
      };
      const form = `${bytes}/${exponentBits}/${mantissa}`;
      if (!Object.hasOwn(known, form))
        reject(
          'its floats must be of half, brain, single or double precision',
          `${bytes} bytes, ${exponentBits} bits of exponent`,
        );
      return { class: 'float', bytes, isBrain: form === '2/8/7', isBigEndian };
    }
    case 3:
      return { class: 'text', bytes };
    // An enumeration, as booleans are, lies as the integers that it is made of.
    case 8:
      return readDatatype(cursor, reject, depth + 1);
    case 9:
      if ((flags & 15) === 1) return { class: 'heap text', bytes: 16 };
      return { class: 'other', bytes, name: 'sequence' };
    default:
      return { class: 'other', bytes, name: otherClasses[kind] ?? String(kind) };
  }
}

/** Most axes of an array: HDF5's own limit. */
const HIGHEST_RANK = 32;

/** Reads a dataspace message: the shape; `[]` for one element, undefined for none. */
export function readDataspace(cursor: ByteCursor, reject: Reject): number[] | undefined {
  const version = cursor.unsigned(1);
  const rank = cursor.unsigned(1);
  cursor.skip(1);
  if (version !== 1 && version !== 2) reject('its dataspaces must have a version of [1, 2]', String(version));
  if (rank > HIGHEST_RANK) reject(`its arrays must have at most ${HIGHEST_RANK} axes`, String(rank));
  const isNull = cursor.unsigned(version === 1 ? 5 : 1) === 2 && version === 2;
  return isNull ? undefined : Array.from({ length: rank }, () => cursor.unsigned(8));
}

import { showValue } from '@dafl/core';
import type { Reject } from '../_reject.ts';

/** A class or function that a pickle names. It is never looked up. */
export class PickleGlobal {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** What a pickle makes by calling something that is not known or not wanted here: nothing but a mark. */
export class PickleUnknown {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A tuple: a list that nothing is appended to. */
export type PickleTuple = readonly PickleValue[];

/** A dict of any kind. Keys are compared as JavaScript's `Map` does. */
export type PickleDict = Map<PickleValue, PickleValue>;

/** What the pickles of tensors are made of. `object` is what `build` and `load` return. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickleValue[]
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | object;

/** What a pickle may do beside building dicts, lists, tuples, numbers and strings. */
export interface PickleOptions {
  /** Calls what a pickle names; undefined: it is not known. */
  readonly call: (name: string, parameters: PickleTuple) => PickleValue | undefined;
  /** Whether a name may stand in it at all. */
  readonly isKnown: (name: string) => boolean;
  /** What a persistent id stands for. */
  readonly load: (id: PickleValue) => PickleValue;
}

/** What was read, and which names in it are not known: what they made is `PickleUnknown`. */
export interface Unpickled {
  readonly value: PickleValue;
  readonly unknown: ReadonlySet<string>;
  /** Position behind the pickle. */
  readonly end: number;
}

/** Each may take a hundred bytes of memory. */
const MOST_OPERATIONS = 1_000_000;
const MOST_UNKNOWN = 20;

const mark = Symbol('mark');
type Slot = PickleValue | typeof mark;

/**
 * Reads a Python pickle, protocols 2 to 5, of what tensors are stored in. Nothing is imported or run: a name that `call` does not
 * know becomes a mark, and is listed.
 *
 * Source: CPython, Lib/pickletools.py.
 */
export function unpickle(bytes: Uint8Array, start: number, options: PickleOptions, reject: Reject): Unpickled {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: Slot[] = [];
  const memo = new Map<number, PickleValue>();
  const unknown = new Set<string>();
  let position = start;

  const fail = (rule: string): never => reject(`its pickle must ${rule}`, `byte ${position} of ${bytes.length}`);
  const take = (length: number): number => {
    if (!(position + length <= bytes.length)) fail('end inside the file');
    position += length;
    return position - length;
  };
  const byte = (): number => bytes[take(1)];
  const short = (): number => view.getUint16(take(2), true);
  const word = (): number => view.getUint32(take(4), true);
  const long = (): number => Number(view.getBigUint64(take(8), true));
  const text = (length: number, encoding: 'utf-8' | 'latin1' = 'utf-8'): string => {
    const from = take(length);
    return new TextDecoder(encoding).decode(bytes.subarray(from, from + length));
  };
  const line = (): string => {
    const end = bytes.indexOf(0x0a, position);
    if (end < 0) fail('end its lines');
    const read = text(end - position);
    position++;
    return read;
  };
  const pop = (): PickleValue => {
    const value = stack.pop();
    return value === undefined || value === mark ? fail('find what it takes from its stack') : value;
  };
  const popToMark = (): PickleValue[] => {
    const from = stack.lastIndexOf(mark);
    if (from < 0) fail('find what it takes from its stack');
    const values = stack.splice(from) as PickleValue[];
    return values.slice(1);
  };
  const top = (): PickleValue => {
    const value = stack.at(-1);
    return value === undefined || value === mark ? fail('find what it takes from its stack') : value;
  };
  const remember = (index: number): void => void memo.set(index, top());
  const recall = (index: number): void => {
    const value = memo.get(index);
    stack.push(value === undefined ? fail('recall what it remembers') : value);
  };
  const setItems = (items: readonly PickleValue[]): void => {
    const target = top();
    if (target instanceof PickleUnknown) return;
    if (!(target instanceof Map) || items.length % 2 !== 0) return void fail('set items of dicts');
    for (let index = 0; index < items.length; index += 2) target.set(items[index], items[index + 1]);
  };
  const append = (items: readonly PickleValue[]): void => {
    const target = top();
    if (target instanceof PickleUnknown) return;
    if (!Array.isArray(target) || Object.isFrozen(target)) return void fail('append to lists');
    for (const item of items) (target as PickleValue[]).push(item);
  };
  const tuple = (items: PickleValue[]): PickleTuple => Object.freeze(items);
  const name = (path: string): void => {
    if (!options.isKnown(path)) noteUnknown(path);
    stack.push(new PickleGlobal(path));
  };
  const call = (): void => {
    const parameters = pop();
    const callee = pop();
    const { name: called } =
      callee instanceof PickleGlobal || callee instanceof PickleUnknown ? callee : fail('call what it names');
    const made =
      callee instanceof PickleGlobal && Array.isArray(parameters) ? options.call(called, parameters) : undefined;
    if (made === undefined) noteUnknown(called);
    stack.push(made === undefined ? new PickleUnknown(called) : made);
  };
  const noteUnknown = (path: string): void => {
    if (unknown.size < MOST_UNKNOWN) unknown.add(path);
  };
  /** A number of up to 32 bytes, little-endian, in two's complement. */
  const integer = (length: number): number | bigint => {
    if (length > 32) fail('hold numbers of at most 32 bytes');
    let value = 0n;
    const from = take(length);
    for (let index = length - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[from + index]);
    const signed = BigInt.asIntN(length * 8, value);
    return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
  };

  const operations: Readonly<Record<number, () => void>> = {
    0x80: () => {
      const protocol = byte();
      if (protocol < 2 || protocol > 5) reject('its pickle must be of protocol 2 to 5', String(protocol));
    },
    0x95: () => void long(), // FRAME
    0x28: () => void stack.push(mark),
    0x30: () => void stack.pop(), // POP
    0x31: () => void popToMark(), // POP_MARK
    0x32: () => void stack.push(top()), // DUP
    0x4e: () => void stack.push(null),
    0x88: () => void stack.push(true),
    0x89: () => void stack.push(false),
    0x4b: () => void stack.push(byte()),
    0x4d: () => void stack.push(short()),
    0x4a: () => void stack.push(view.getInt32(take(4), true)),
    0x8a: () => void stack.push(integer(byte())), // LONG1
    0x8b: () => void stack.push(integer(word())), // LONG4
    0x47: () => void stack.push(view.getFloat64(take(8), false)), // BINFLOAT
    0x8c: () => void stack.push(text(byte())), // SHORT_BINUNICODE
    0x58: () => void stack.push(text(word())), // BINUNICODE
    0x8d: () => void stack.push(text(long())), // BINUNICODE8
    0x55: () => void stack.push(text(byte(), 'latin1')), // SHORT_BINSTRING
    0x54: () => void stack.push(text(word(), 'latin1')), // BINSTRING
    0x43: () => void stack.push(text(byte(), 'latin1')), // SHORT_BINBYTES
    0x42: () => void stack.push(text(word(), 'latin1')), // BINBYTES
    0x29: () => void stack.push(tuple([])),
    0x85: () => void stack.push(tuple([pop()])),
    0x86: () => {
      const second = pop();
      stack.push(tuple([pop(), second]));
    },
    0x87: () => {
      const [third, second] = [pop(), pop()];
      stack.push(tuple([pop(), second, third]));
    },
    0x74: () => void stack.push(tuple(popToMark())),
    0x5d: () => void stack.push([]),
    0x6c: () => void stack.push(popToMark()), // LIST
    0x7d: () => void stack.push(new Map()),
    0x64: () => {
      const items = popToMark();
      stack.push(new Map());
      setItems(items);
    },
    0x8f: () => void stack.push([]), // EMPTY_SET
    0x90: () => append(popToMark()), // ADDITEMS
    0x91: () => void stack.push(tuple(popToMark())), // FROZENSET
    0x61: () => append([pop()]),
    0x65: () => append(popToMark()),
    0x73: () => {
      const value = pop();
      setItems([pop(), value]);
    },
    0x75: () => setItems(popToMark()),
    0x71: () => remember(byte()),
    0x72: () => remember(word()),
    0x94: () => remember(memo.size),
    0x68: () => recall(byte()),
    0x6a: () => recall(word()),
    0x63: () => name(`${line()}.${line()}`), // GLOBAL
    0x93: () => {
      const attribute = pop();
      const module = pop();
      if (typeof module !== 'string' || typeof attribute !== 'string')
        return void fail('name what it calls by strings');
      name(`${module}.${attribute}`);
    },
    0x52: call, // REDUCE
    0x81: call, // NEWOBJ
    0x92: () => {
      pop(); // NEWOBJ_EX
      call();
    },
    0x62: () => void pop(), // BUILD: attributes of dicts and tensors, which no weight is kept in
    0x51: () => void stack.push(options.load(pop())), // BINPERSID
  };

  for (let count = 0; ; count++) {
    if (count === MOST_OPERATIONS) fail(`take at most ${MOST_OPERATIONS} operations`);
    const code = byte();
    if (code === 0x2e) break;
    const operation = operations[code];
    if (operation === undefined) {
      position--;
      fail(`hold only what tensors are stored in, not operation 0x${code.toString(16)},`);
    }
    operation();
  }
  const value = pop();
  if (stack.length > 0) fail(`leave one value, not ${showValue(stack.length + 1)},`);
  return { value, unknown, end: position };
}

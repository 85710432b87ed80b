import { showValue } from '@dafl/core';
import type { Reject } from '../_reject.ts';
import { ByteCursor, UNDEFINED_ADDRESS } from './byte-cursor.ts';
import { decodeText } from './decode-text.ts';
import { FractalHeap } from './fractal-heap.ts';
import { type Hdf5Type, readDataspace, readDatatype } from './hdf5-types.ts';
import { readBTreeRecords } from './read-b-tree-records.ts';
import { readSymbolTable } from './read-symbol-table.ts';

/** An array of numbers in a file. */
export interface Hdf5Dataset {
  readonly shape: readonly number[];
  readonly type: Hdf5Type;
  /** Its bytes as they lie: a view, no copy. */
  readonly bytes: Uint8Array;
}

/** An attribute: numbers, or texts. */
export interface Hdf5Attribute {
  readonly shape: readonly number[];
  readonly values: readonly (number | string)[];
}

/** A group or a data set. */
export interface Hdf5Object {
  /** Addresses of what a group holds, by name. */
  readonly links: ReadonlyMap<string, number>;
  /** By name. */
  readonly attributes: ReadonlyMap<string, Hdf5Attribute>;
  /** Absent in a group. */
  readonly dataset?: Hdf5Dataset;
}

const messages = {
  dataspace: 1,
  linkInfo: 2,
  datatype: 3,
  link: 6,
  layout: 8,
  filters: 11,
  attribute: 12,
  continuation: 16,
  symbolTable: 17,
  attributeInfo: 21,
} as const;

/** A message of an object's header. */
interface Message {
  readonly type: number;
  readonly flags: number;
  readonly start: number;
  readonly size: number;
}

/** Names, links and heaps of a model's file are few beside its bytes: more steps than these are a trap. */
const STEPS_BESIDE_BYTES = 10_000;
const MOST_ATTRIBUTE_VALUES = 1_000_000;

/**
 * Reads HDF5 files (versions 0 to 3 of their superblock) from untrusted sources, as far as files of weights go: groups,
 * attributes of numbers and texts, and arrays that lie in one piece. All is checked against the file's size before it is
 * read, nothing is copied, and a bound on the steps ends what points to itself.
 *
 * Format: The HDF Group, "HDF5 File Format Specification Version 3.0".
 */
export class Hdf5File {
  readonly root: Hdf5Object;
  readonly #bytes: Uint8Array;
  readonly #reject: Reject;
  readonly #objects = new Map<number, Hdf5Object>();
  #steps: number;

  constructor(bytes: Uint8Array, reject: Reject) {
    this.#bytes = bytes;
    this.#reject = reject;
    this.#steps = STEPS_BESIDE_BYTES + bytes.length;
    this.root = this.#object(this.#rootAddress());
  }

  /** What a group holds under a name. */
  child(parent: Hdf5Object, name: string): Hdf5Object | undefined {
    const address = parent.links.get(name);
    return address === undefined ? undefined : this.#object(address);
  }

  /** What stands at a path of names between slashes. */
  find(parent: Hdf5Object, path: string): Hdf5Object | undefined {
    let found: Hdf5Object | undefined = parent;
    for (const name of path.split('/').filter((part) => part !== '')) {
      found = this.child(found, name);
      if (found === undefined) return undefined;
    }
    return found;
  }

  readonly #step = (count = 1): void => {
    this.#steps -= count;
    if (this.#steps < 0)
      this.#reject('its structures must not point to themselves', 'more of them than the file holds');
  };

  #cursor(position: number): ByteCursor {
    this.#step();
    return new ByteCursor(this.#bytes, position, this.#reject);
  }

  readonly #open = (position: number): ByteCursor => this.#cursor(position);

  #rootAddress(): number {
    const cursor = this.#cursor(0);
    cursor.signature('\u0089HDF\r\n\u001a\n');
    const version = cursor.unsigned(1);
    if (version > 3) this.#reject('its HDF5 version must be one of [0, 1, 2, 3]', String(version));
    if (version < 2) cursor.skip(4);
    const sizes = [cursor.unsigned(1), cursor.unsigned(1)];
    if (sizes.some((size) => size !== 8)) this.#reject('its addresses must have 8 bytes', `[${sizes.join(', ')}]`);
    cursor.skip(version < 2 ? [11, 15][version] - 2 : 1);
    const base = cursor.unsigned(8);
    if (base !== 0) this.#reject('it must begin with its HDF5 header', `addresses from ${base} on`);
    cursor.skip(8);
    const end = cursor.unsigned(8);
    if (end > this.#bytes.length)
      this.#reject(`it must be whole: ${end} bytes as its header says`, `${this.#bytes.length} bytes`);
    if (version < 2) cursor.skip(16);
    return cursor.unsigned(8);
  }

  #object(address: number): Hdf5Object {
    const known = this.#objects.get(address);
    if (known !== undefined) return known;
    const parts = this.#messages(address);
    const object: Hdf5Object = {
      links: this.#links(parts),
      attributes: this.#attributes(parts),
      ...this.#dataset(parts),
    };
    this.#objects.set(address, object);
    return object;
  }

  #messages(address: number): Message[] {
    const cursor = this.#cursor(address);
    const first = cursor.unsigned(1);
    if (first === 1) return this.#firstMessages(cursor);
    cursor.position = address;
    cursor.signature('OHDR');
    const version = cursor.unsigned(1);
    if (version !== 2) this.#reject('its object headers must have a version of [1, 2]', String(version));
    const flags = cursor.unsigned(1);
    if ((flags & 0x20) !== 0) cursor.skip(16);
    if ((flags & 0x10) !== 0) cursor.skip(4);
    const size = cursor.unsigned(2 ** (flags & 3));
    const blocks = [{ start: cursor.position, size }];
    const found: Message[] = [];
    for (const block of blocks) {
      cursor.position = block.start;
      const end = block.start + block.size;
      const headSize = (flags & 4) === 0 ? 4 : 6;
      while (cursor.position + headSize <= end) {
        this.#step();
        const type = cursor.unsigned(1);
        const length = cursor.unsigned(2);
        const messageFlags = cursor.unsigned(1);
        if (headSize === 6) cursor.skip(2);
        found.push({ type, flags: messageFlags, start: cursor.position, size: length });
        cursor.skip(length);
        if (type !== messages.continuation) continue;
        const next = this.#continuation(found.at(-1)!);
        this.#open(next.start).signature('OCHK');
        // Signature and checksum are no messages.
        blocks.push({ start: next.start + 4, size: next.size - 8 });
      }
    }
    return found;
  }

  #firstMessages(cursor: ByteCursor): Message[] {
    cursor.skip(1);
    let count = cursor.unsigned(2);
    cursor.skip(4);
    const blocks = [{ start: cursor.position + 8, size: cursor.unsigned(4) }];
    const found: Message[] = [];
    for (const block of blocks) {
      cursor.position = block.start;
      const end = block.start + block.size;
      while (count > 0 && cursor.position + 8 <= end) {
        this.#step();
        count--;
        const type = cursor.unsigned(2);
        const length = cursor.unsigned(2);
        const flags = cursor.unsigned(1);
        cursor.skip(3);
        found.push({ type, flags, start: cursor.position, size: length });
        cursor.skip(length);
        if (type === messages.continuation) blocks.push(this.#continuation(found.at(-1)!));
      }
    }
    return found;
  }

  #continuation({ start }: Message): { start: number; size: number } {
    const cursor = this.#cursor(start);
    return { start: cursor.unsigned(8), size: cursor.unsigned(8) };
  }

  #links(parts: readonly Message[]): Map<string, number> {
    const links = new Map<string, number>();
    const add = (name: string, address: number): void => {
      this.#step();
      if (links.has(name)) this.#reject('each name of a group must stand for one thing', `${showValue(name)} twice`);
      links.set(name, address);
    };
    for (const { type, start } of parts) {
      if (type === messages.symbolTable) readSymbolTable(this.#open, start, add, this.#reject);
      if (type === messages.link) readLink(this.#cursor(start), add, this.#reject);
      if (type !== messages.linkInfo) continue;
      const cursor = this.#cursor(start);
      cursor.skip(1);
      if ((cursor.unsigned(1) & 1) !== 0) cursor.skip(8);
      for (const entry of this.#denseEntries(cursor.unsigned(8), cursor.unsigned(8), 4))
        readLink(entry, add, this.#reject);
    }
    return links;
  }

  #attributes(parts: readonly Message[]): Map<string, Hdf5Attribute> {
    const attributes = new Map<string, Hdf5Attribute>();
    for (const message of parts) {
      if (message.type === messages.attribute) {
        this.#refuseShared(message);
        this.#attribute(this.#cursor(message.start), attributes);
      }
      if (message.type !== messages.attributeInfo) continue;
      const cursor = this.#cursor(message.start);
      cursor.skip(1);
      if ((cursor.unsigned(1) & 1) !== 0) cursor.skip(2);
      for (const entry of this.#denseEntries(cursor.unsigned(8), cursor.unsigned(8), 0))
        this.#attribute(entry, attributes);
    }
    return attributes;
  }

  /** What a heap holds, one by one. `before` is how many bytes of each record stand before the place in the heap. */
  #denseEntries(heapAddress: number, treeAddress: number, before: number): ByteCursor[] {
    if (heapAddress === UNDEFINED_ADDRESS || treeAddress === UNDEFINED_ADDRESS) return [];
    const heap = new FractalHeap(this.#open, heapAddress, this.#reject);
    return readBTreeRecords(this.#open, treeAddress, this.#reject).map((record) => {
      record.skip(before);
      return this.#cursor(heap.locate(record));
    });
  }

  #attribute(cursor: ByteCursor, attributes: Map<string, Hdf5Attribute>): void {
    const version = cursor.unsigned(1);
    if (version < 1 || version > 3) this.#reject('its attributes must have a version of [1, 2, 3]', String(version));
    const flags = cursor.unsigned(1);
    const [nameSize, typeSize, spaceSize] = [cursor.unsigned(2), cursor.unsigned(2), cursor.unsigned(2)];
    if (version === 3) cursor.skip(1);
    const padded = (size: number): number => (version === 1 ? Math.ceil(size / 8) * 8 : size);
    const nameStart = cursor.position;
    const name = decodeText(cursor.bytes(nameSize), this.#reject);
    if (version > 1 && (flags & 3) !== 0)
      this.#reject('its datatypes must stand where they are used', `shared by attribute ${showValue(name)}`);
    const typeStart = nameStart + padded(nameSize);
    cursor.position = typeStart;
    const type = readDatatype(cursor, this.#reject);
    const spaceStart = typeStart + padded(typeSize);
    cursor.position = spaceStart;
    const shape = readDataspace(cursor, this.#reject);
    cursor.position = spaceStart + padded(spaceSize);
    if (attributes.has(name)) this.#reject('each attribute must stand once', `${showValue(name)} twice`);
    const count = shape === undefined ? 0 : sizeOf(shape);
    if (!(count <= MOST_ATTRIBUTE_VALUES))
      this.#reject(`its attributes must have at most ${MOST_ATTRIBUTE_VALUES} values`, String(count));
    // What nobody asks for may be of any type.
    const values = type.class === 'other' ? [] : this.#values(cursor.bytes(count * type.bytes), type, count);
    attributes.set(name, { shape: shape ?? [0], values });
  }

  #values(bytes: Uint8Array, type: Hdf5Type, count: number): (number | string)[] {
    this.#step(count + bytes.length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: count }, (_, index) => {
      const start = index * type.bytes;
      switch (type.class) {
        case 'text':
          return decodeText(bytes.subarray(start, start + type.bytes), this.#reject);
        case 'heap text':
          return this.#heapText(new ByteCursor(bytes, start, this.#reject));
        case 'integer': {
          const { isSigned, isBigEndian } = type;
          if (type.bytes === 8)
            return Number(isSigned ? view.getBigInt64(start, !isBigEndian) : view.getBigUint64(start, !isBigEndian));
          if (type.bytes === 4)
            return isSigned ? view.getInt32(start, !isBigEndian) : view.getUint32(start, !isBigEndian);
          if (type.bytes === 2)
            return isSigned ? view.getInt16(start, !isBigEndian) : view.getUint16(start, !isBigEndian);
          return isSigned ? view.getInt8(start) : view.getUint8(start);
        }
        case 'float':
          if (type.bytes === 8) return view.getFloat64(start, !type.isBigEndian);
          return type.bytes === 4 ? view.getFloat32(start, !type.isBigEndian) : Number.NaN;
        default:
          return Number.NaN;
      }
    });
  }

  /** Text in a global heap: its length, the heap's address and its number there. */
  #heapText(place: ByteCursor): string {
    const length = place.unsigned(4);
    const address = place.unsigned(8);
    const wanted = place.unsigned(4);
    if (length === 0) return '';
    const cursor = this.#cursor(address);
    cursor.signature('GCOL');
    cursor.skip(4);
    const end = address + cursor.unsigned(8);
    while (cursor.position + 16 <= end) {
      this.#step();
      const index = cursor.unsigned(2);
      cursor.skip(6);
      const size = cursor.unsigned(8);
      if (index === 0) break;
      if (index !== wanted) {
        cursor.skip(Math.ceil(size / 8) * 8);
        continue;
      }
      if (size < length) break;
      this.#step(length);
      return decodeText(cursor.bytes(length), this.#reject);
    }
    return this.#reject('its texts must be in its heaps', `text ${wanted} of the heap at ${address}`);
  }

  #refuseShared({ flags }: Message): void {
    if ((flags & 2) !== 0) this.#reject('its messages must stand where they are used', 'a shared message');
  }

  #dataset(parts: readonly Message[]): { dataset?: Hdf5Dataset } {
    const layout = parts.find(({ type }) => type === messages.layout);
    const space = parts.find(({ type }) => type === messages.dataspace);
    const datatype = parts.find(({ type }) => type === messages.datatype);
    if (layout === undefined || space === undefined || datatype === undefined) return {};
    for (const message of [layout, space, datatype]) this.#refuseShared(message);
    const shape = readDataspace(this.#cursor(space.start), this.#reject) ?? [0];
    const type = readDatatype(this.#cursor(datatype.start), this.#reject);
    const size = sizeOf(shape) * type.bytes;
    const cursor = this.#cursor(layout.start);
    const version = cursor.unsigned(1);
    if (version !== 3 && version !== 4) this.#reject('its layouts must have a version of [3, 4]', String(version));
    const kind = cursor.unsigned(1);
    if (kind === 0) {
      const length = cursor.unsigned(2);
      return { dataset: { shape, type, bytes: cursor.bytes(Math.min(length, size)) } };
    }
    if (kind !== 1)
      return this.#reject(
        'its arrays must lie in one piece (in Keras, save the model anew)',
        kind === 2 ? 'chunks' : `layout ${kind}`,
      );
    const address = cursor.unsigned(8);
    const stored = cursor.unsigned(8);
    if (address === UNDEFINED_ADDRESS || size === 0) {
      if (size > 0) this.#reject('its arrays must have values', `none for [${shape.join(', ')}]`);
      return { dataset: { shape, type, bytes: new Uint8Array() } };
    }
    if (stored < size) this.#reject(`an array of [${shape.join(', ')}] must have ${size} bytes`, String(stored));
    return { dataset: { shape, type, bytes: this.#cursor(address).bytes(size) } };
  }
}

/** Takes a link message. Links to other files, and those by name, are left out: nothing of a model is behind them. */
function readLink(cursor: ByteCursor, add: (name: string, address: number) => void, reject: Reject): void {
  const version = cursor.unsigned(1);
  if (version !== 1) reject('its links must have version 1', String(version));
  const flags = cursor.unsigned(1);
  const type = (flags & 8) === 0 ? 0 : cursor.unsigned(1);
  if ((flags & 4) !== 0) cursor.skip(8);
  if ((flags & 16) !== 0) cursor.skip(1);
  const name = decodeText(cursor.bytes(cursor.unsigned(2 ** (flags & 3))), reject);
  if (type === 0) add(name, cursor.unsigned(8));
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((total, length) => total * length, 1);
}

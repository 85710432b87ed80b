import { fail, type HostTensor } from '@dafl/core';
import { encodeFloat32 } from '../float32.ts';

/** A group in the making: groups and arrays of float32 by name, and texts as attributes. */
export interface Hdf5Group {
  readonly attributes?: Readonly<Record<string, string>>;
  readonly children: ReadonlyMap<string, Hdf5Group | HostTensor>;
}

const SUPERBLOCK_BYTES = 96;
const UNDEFINED = 0xffffffffffffffffn;
const LONGEST_MESSAGE = 65_528;

/** Whether a group holds it as an array. */
function isTensor(child: Hdf5Group | HostTensor): child is HostTensor {
  return 'data' in child;
}

/** Bytes in the making. */
class ByteList {
  readonly #bytes: number[] = [];

  unsigned(count: number, value: number | bigint): this {
    let rest = BigInt(value);
    for (let index = 0; index < count; index++, rest >>= 8n) this.#bytes.push(Number(rest & 0xffn));
    return this;
  }

  append(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  /** Zeros to a multiple of 8. */
  pad(): this {
    while (this.#bytes.length % 8 !== 0) this.#bytes.push(0);
    return this;
  }

  get bytes(): readonly number[] {
    return this.#bytes;
  }
}

/**
 * Writes an HDF5 file of groups, texts and float32 arrays, as the oldest readers take it (version 0 of its superblock,
 * version 1 of its object headers): each array in one piece, and each group's links in its header.
 *
 * Format: The HDF Group, "HDF5 File Format Specification Version 3.0".
 */
export function writeHdf5(root: Hdf5Group): Uint8Array<ArrayBuffer> {
  const blocks: { readonly address: number; readonly bytes: Uint8Array | readonly number[] }[] = [];
  let end = SUPERBLOCK_BYTES;
  const place = (bytes: Uint8Array | readonly number[]): number => {
    const address = end;
    blocks.push({ address, bytes });
    end += Math.ceil(bytes.length / 8) * 8;
    return address;
  };
  const placeHeader = (messages: readonly (readonly [type: number, content: ByteList])[]): number => {
    const body = new ByteList();
    for (const [type, content] of messages) {
      const { bytes } = content.pad();
      if (bytes.length > LONGEST_MESSAGE)
        fail({
          code: 'MODEL',
          cannot: 'write an HDF5 file',
          as: `its names and texts must have at most ${LONGEST_MESSAGE} bytes`,
          value: bytes.length,
        });
      body.unsigned(2, type).unsigned(2, bytes.length).unsigned(4, 0).append(bytes);
    }
    const header = new ByteList()
      .unsigned(2, 1)
      .unsigned(2, messages.length)
      .unsigned(4, 1)
      .unsigned(8, body.bytes.length);
    return place(header.append(body.bytes).bytes);
  };
  const placeTensor = ({ shape, data }: HostTensor): number => {
    const address = data.length === 0 ? UNDEFINED : place(encodeFloat32(data));
    return placeHeader([
      [1, dataspace(shape)],
      // IEEE float32, little-endian: 8 bits of exponent from bit 23 on, 23 of mantissa, bias 127.
      [
        3,
        new ByteList().append([0x11, 0x20, 31, 0]).unsigned(4, 4).append([0, 0, 32, 0, 23, 8, 0, 23]).unsigned(4, 127),
      ],
      // No fill value: all is written.
      [5, new ByteList().append([2, 2, 0, 0])],
      [
        8,
        new ByteList()
          .append([3, 1])
          .unsigned(8, address)
          .unsigned(8, data.length * 4),
      ],
    ]);
  };
  const placeGroup = ({ attributes = {}, children }: Hdf5Group): number => {
    const links = [...children].map(([name, child]): readonly [number, ByteList] => {
      const address = isTensor(child) ? placeTensor(child) : placeGroup(child);
      const bytes = new TextEncoder().encode(name);
      // UTF-8, the name's length in two bytes.
      return [6, new ByteList().append([1, 0x11, 1]).unsigned(2, bytes.length).append(bytes).unsigned(8, address)];
    });
    const texts = Object.entries(attributes).map(([name, text]): readonly [number, ByteList] => [
      12,
      attribute(name, text),
    ]);
    const linkInfo = new ByteList().append([0, 0]).unsigned(8, UNDEFINED).unsigned(8, UNDEFINED);
    return placeHeader([[2, linkInfo], [10, new ByteList().append([0, 0])], ...links, ...texts]);
  };
  const address = placeGroup(root);
  const superblock = new ByteList()
    .append([0x89, 0x48, 0x44, 0x46, 13, 10, 0x1a, 10])
    .append([0, 0, 0, 0, 0, 8, 8, 0])
    .unsigned(2, 4)
    .unsigned(2, 16)
    .unsigned(4, 0)
    .unsigned(8, 0)
    .unsigned(8, UNDEFINED)
    .unsigned(8, end)
    .unsigned(8, UNDEFINED)
    .unsigned(8, 0)
    .unsigned(8, address);
  const file = new Uint8Array(end);
  file.set(superblock.bytes, 0);
  for (const block of blocks) file.set(block.bytes, block.address);
  return file;
}

function dataspace(shape: readonly number[]): ByteList {
  const list = new ByteList().append([1, shape.length, 0, 0]).unsigned(4, 0);
  for (const size of shape) list.unsigned(8, size);
  return list;
}

/** A text as an attribute of a fixed length, with a NUL behind it. */
function attribute(name: string, text: string): ByteList {
  const [nameBytes, content] = [name, text].map((words) => new TextEncoder().encode(`${words}\0`));
  const type = new ByteList().append([0x13, 0x10, 0, 0]).unsigned(4, content.length);
  const space = dataspace([]);
  const head = new ByteList().append([1, 0]).unsigned(2, nameBytes.length).unsigned(2, 8).unsigned(2, 8);
  return head.append(nameBytes).pad().append(type.bytes).append(space.bytes).append(content);
}

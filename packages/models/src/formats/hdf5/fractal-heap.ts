import type { Reject } from '../_reject.ts';
import { type ByteCursor, UNDEFINED_ADDRESS } from './byte-cursor.ts';

/** A part of the heap's space that lies in one piece in the file. */
interface Block {
  /** In the heap's space. */
  readonly begin: number;
  readonly size: number;
  readonly address: number;
}

/** Where the names and attributes of large groups lie: a table of blocks, each row twice as large as the one before. */
export class FractalHeap {
  readonly #blocks: Block[] = [];
  readonly #offsetBytes: number;
  readonly #lengthBytes: number;
  readonly #reject: Reject;

  constructor(open: (position: number) => ByteCursor, address: number, reject: Reject) {
    this.#reject = reject;
    const header = open(address);
    header.signature('FRHP');
    header.skip(3);
    const filterSize = header.unsigned(2);
    header.skip(1);
    const mostManaged = header.unsigned(4);
    header.skip(12 * 8);
    const width = header.unsigned(2);
    const first = header.unsigned(8);
    const mostDirect = header.unsigned(8);
    const spaceBits = header.unsigned(2);
    header.skip(2);
    const root = header.unsigned(8);
    const rows = header.unsigned(2);
    const isPower = (size: number) => size >= 1 && size <= 2 ** 31 && Number.isInteger(Math.log2(size));
    if (filterSize !== 0 || ![first, mostDirect, width].every(isPower) || spaceBits < 8 || spaceBits > 48)
      reject('its heaps must be unfiltered, of blocks of powers of 2', `[${first}, ${mostDirect}], ${width} a row`);
    this.#offsetBytes = Math.ceil(spaceBits / 8);
    this.#lengthBytes = Math.ceil(Math.ceil(Math.log2(Math.min(mostDirect, mostManaged) + 1)) / 8);
    if (root === UNDEFINED_ADDRESS) return;
    if (rows === 0) {
      this.#blocks.push({ begin: 0, size: first, address: root });
      return;
    }
    const rowSize = (row: number) => first * 2 ** Math.max(0, row - 1);
    const directRows = Math.log2(mostDirect) - Math.log2(first) + 2;
    const readTable = (start: number, tableRows: number, begin: number): void => {
      const cursor = open(start);
      cursor.signature('FHIB');
      cursor.skip(9 + this.#offsetBytes);
      let place = begin;
      for (let row = 0; row < tableRows; row++) {
        for (let column = 0; column < width; column++) {
          const child = cursor.unsigned(8);
          const size = rowSize(row);
          if (child !== UNDEFINED_ADDRESS && row < directRows)
            this.#blocks.push({ begin: place, size, address: child });
          // A table of blocks that fill as much as one of this row.
          else if (child !== UNDEFINED_ADDRESS) {
            open(child);
            readTable(child, Math.log2(size) - Math.log2(first * width) + 1, place);
          }
          place += size;
        }
      }
    };
    if (rows > spaceBits) reject('its heaps must have a row for each power of 2', `${rows} rows`);
    readTable(root, rows, 0);
  }

  /** The address of what a heap's identifier names. */
  locate(identifier: ByteCursor): number {
    const kind = identifier.unsigned(1);
    if ((kind & 0x30) !== 0) return this.#reject('names and attributes must lie within their heaps', `kind ${kind}`);
    const offset = identifier.unsigned(this.#offsetBytes);
    const length = identifier.unsigned(this.#lengthBytes);
    const block = this.#blocks.find(({ begin, size }) => offset >= begin && offset + length <= begin + size);
    if (block === undefined)
      return this.#reject('names and attributes must lie within their heaps', `${length} bytes at ${offset}`);
    return block.address + offset - block.begin;
  }
}

import { type Storage, StoredTensor } from '@dafl/core/backend-base';

/** What tensors share: a block of the heap. */
export interface WasmStorage extends Storage {
  readonly address: number;
}

/** A tensor of this backend. */
export class WasmTensor extends StoredTensor<WasmStorage> {
  /** Where its elements begin, in bytes. */
  get address(): number {
    return this.storage.address;
  }
}

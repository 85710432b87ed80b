import type { DataType, MemoryInfo, Shape, Tensor, TensorData } from '../backend.ts';
import { check, fail } from '../check.ts';
import { formatShape, sizeOf } from '../shape.ts';
import type { Storage, StoredTensor } from './stored-tensor.ts';

/** What a store is of. */
export interface TensorStoreOptions<Held extends Storage, Stored extends StoredTensor<Held>> {
  /** The backend's, for the texts of errors. */
  readonly name: string;
  readonly tensorClass: new (owner: object, shape: Shape, dataType: DataType, held: Held) => Stored;
  /** Gives back the memory of a storage that nobody needs any longer. */
  readonly free: (storage: Held) => void;
}

/**
 * The tensors of one backend: which are its own and alive, who shares memory with whom, and how much that is. What
 * all backends promise of the life of a tensor (`TensorBackend` says it) is kept here.
 */
export class TensorStore<Held extends Storage, Stored extends StoredTensor<Held>> {
  readonly #options: TensorStoreOptions<Held, Stored>;
  /** Tensors made since the innermost `atomically` began. */
  #made: Stored[] | null = null;
  #tensors = 0;
  #bytes = 0;
  #isClosed = false;

  constructor(options: TensorStoreOptions<Held, Stored>) {
    this.#options = options;
  }

  /** @throws {DaflError} `USAGE` once the backend was closed. */
  mustBeOpen(action: string): void {
    if (this.#isClosed) fail({ cannot: action, as: `the ${this.#options.name} backend must be open`, value: 'closed' });
  }

  /**
   * Checks a handle.
   *
   * @param action What cannot be done otherwise, such as `compute conv2d`.
   * @param parameter Name of the argument.
   * @returns The tensor, alive and of this backend, which is open.
   * @throws {DaflError} `USAGE`
   */
  own(tensor: Tensor, action: string, parameter: string): Stored {
    this.mustBeOpen(action);
    const { name, tensorClass } = this.#options;
    if (!(tensor instanceof tensorClass) || tensor.owner !== this) {
      fail({
        cannot: action,
        as: `'${parameter}' must be a tensor of this ${name} backend`,
        value: tensor instanceof tensorClass ? `another ${name} backend's` : "another backend's",
      });
    }
    if (tensor.held === null) {
      fail({
        cannot: action,
        as: `'${parameter}' must be a live tensor`,
        value: `a disposed tensor of shape ${formatShape(tensor.shape)}`,
      });
    }
    return tensor;
  }

  /** Checks what a tensor is to be made of. */
  mustFit(data: TensorData, shape: Shape): void {
    check(data.length === sizeOf(shape), {
      cannot: 'make a tensor',
      as: `'data' must have the ${sizeOf(shape)} elements of shape ${formatShape(shape)}`,
      value: `${data.length} elements`,
    });
  }

  /** The first tensor of a storage. Whoever allocates calls `mustBeOpen` before. */
  add(storage: Held, shape: Shape, dataType: DataType): Stored {
    this.#bytes += storage.bytes;
    return this.#make(storage, shape, dataType);
  }

  /** One more tensor of a storage. */
  share(storage: Held, shape: Shape, dataType: DataType): Stored {
    storage.references += 1;
    return this.#make(storage, shape, dataType);
  }

  /** `reshape` of the contract. */
  reshape(input: Tensor, shape: Shape): Stored {
    const source = this.own(input, 'reshape', 'input');
    if (sizeOf(shape) !== source.size) {
      fail({ cannot: 'reshape', as: `'shape' must have ${source.size} elements`, value: formatShape(shape) });
    }
    return this.share(source.storage, shape, source.dataType);
  }

  /** `dispose` of the contract. */
  dispose(tensor: Tensor): void {
    const source = this.own(tensor, 'dispose', 'tensor');
    const { storage } = source;
    source.held = null;
    this.#tensors -= 1;
    this.release(storage);
  }

  /** Says that somebody needs a storage no longer. */
  release(storage: Held): void {
    storage.references -= 1;
    if (storage.references > 0) return;
    this.#bytes -= storage.bytes;
    this.#options.free(storage);
  }

  /** Runs `body`; if it throws, as it does where memory runs out, the tensors that it had made are freed. */
  atomically<Result>(body: () => Result): Result {
    const outer = this.#made;
    const made: Stored[] = [];
    this.#made = made;
    try {
      const result = body();
      outer?.push(...made);
      return result;
    } catch (error) {
      for (const tensor of made) if (tensor.held !== null) this.dispose(tensor);
      throw error;
    } finally {
      this.#made = outer;
    }
  }

  /** `memory` of the contract. */
  memory(): MemoryInfo {
    return { tensors: this.#tensors, bytes: this.#bytes };
  }

  /** Forgets all tensors. Their memory goes with whatever holds it. Returns whether the store was open. */
  close(): boolean {
    const wasOpen = !this.#isClosed;
    this.#isClosed = true;
    this.#tensors = 0;
    this.#bytes = 0;
    return wasOpen;
  }

  #make(storage: Held, shape: Shape, dataType: DataType): Stored {
    const tensor = new this.#options.tensorClass(this, shape, dataType, storage);
    this.#tensors += 1;
    this.#made?.push(tensor);
    return tensor;
  }
}

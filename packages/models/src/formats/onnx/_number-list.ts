/** Numbers that are collected one after another, in memory of a few bytes for each. */
export class NumberList {
  #values: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
  #length = 0;

  /** @param isSingle Whether float32 holds them. */
  constructor(isSingle = false) {
    this.#values = isSingle ? new Float32Array(4) : new Float64Array(4);
  }

  get length(): number {
    return this.#length;
  }

  add(value: number): void {
    if (this.#length === this.#values.length) {
      const wider = new (this.#values.constructor as Float64ArrayConstructor)(this.#length * 2);
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values[this.#length++] = value;
  }

  /** What was collected, without a copy. */
  get values(): Float32Array | Float64Array {
    return this.#values.subarray(0, this.#length);
  }
}

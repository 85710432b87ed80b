/**
 * Pictures as bytes, sorted by the class that the teacher sees in them, with as much room for each class.
 *
 * A class that is full goes on changing: a new picture takes the place of an old one; where it is known how strange pictures
 * are, that of the strangest, unless it is stranger still.
 */
export class PicturePool {
  /** Bytes of one picture. */
  readonly pictureSize: number;
  readonly quota: number;
  readonly #pixels: Uint8Array;
  readonly #strangeness: Float32Array;
  /** Places of the pictures of each class. */
  readonly #members: number[][];
  #count = 0;

  /**
   * @param capacity Pictures in all, at least one for each class.
   * @param pictureSize Bytes of one picture.
   */
  constructor(capacity: number, classes: number, pictureSize: number) {
    this.pictureSize = pictureSize;
    this.quota = Math.max(1, Math.floor(capacity / classes));
    this.#pixels = new Uint8Array(this.quota * classes * pictureSize);
    this.#strangeness = new Float32Array(this.quota * classes);
    this.#members = Array.from({ length: classes }, () => []);
  }

  /** Pictures in the pool. */
  get count(): number {
    return this.#count;
  }

  /** Pictures of each class. */
  get classCounts(): number[] {
    return this.#members.map(({ length }) => length);
  }

  /** Classes that have a picture. */
  get knownClasses(): number[] {
    return this.#members.flatMap(({ length }, label) => (length > 0 ? [label] : []));
  }

  /** How much a picture of a class is wanted: 1 where there is none yet, 0 where the class is full. */
  want(label: number): number {
    return 1 - this.#members[label].length / this.quota;
  }

  /**
   * Takes a picture in.
   *
   * @param replaced In [0, 1): which picture makes room where the class is full and nothing is known of strangeness.
   * @param strangeness Of the picture; of all pictures, or of none.
   */
  add(picture: Uint8Array, label: number, replaced: number, strangeness?: number): void {
    const members = this.#members[label];
    const isFull = members.length === this.quota;
    let place = this.#count;
    if (!isFull) {
      members.push(place);
      this.#count++;
    } else if (strangeness === undefined) {
      place = members[Math.floor(replaced * members.length)];
    } else {
      place = this.#strangest(members);
      if (strangeness >= this.#strangeness[place]) return;
    }
    this.#strangeness[place] = strangeness ?? 0;
    this.#pixels.set(picture, place * this.pictureSize);
  }

  #strangest(members: readonly number[]): number {
    let worst = members[0];
    for (const place of members) if (this.#strangeness[place] > this.#strangeness[worst]) worst = place;
    return worst;
  }

  /** One of a class's pictures; shares the pool's memory. @param share In [0, 1). */
  pick(label: number, share: number): Uint8Array {
    const members = this.#members[label];
    const place = members[Math.floor(share * members.length)];
    return this.#pixels.subarray(place * this.pictureSize, (place + 1) * this.pictureSize);
  }
}

import type { RandomStream } from '../random.ts';
import type { PictureSize } from './canvas.ts';
import { drawPicture, type PictureKind } from './draw-picture.ts';
import { pictureFamilies, type PictureFamilyName } from './picture-families.ts';
import { PicturePool } from './picture-pool.ts';
import { PictureRandom } from './picture-random.ts';
import { varyPicture } from './vary-picture.ts';
import { createTurn, type Turn } from '../turn.ts';

/** Options of a picture source. */
export interface PictureSourceOptions {
  readonly size: PictureSize;
  readonly classes: number;
  /** Pictures that are kept for the student. */
  readonly capacity: number;
  /** Pictures that are kept apart, to compare student and teacher on. */
  readonly heldOut: number;
  /** Mean of the pixels that the teacher was made for, in (0, 1); absent where nothing is known of it. */
  readonly brightness?: number;
  /** The same stream for the same purpose. */
  readonly createRandom: (purpose: string) => RandomStream;
  /** Taken now and then, as thousands of pictures take seconds; default: a macrotask. */
  readonly turn?: Turn;
}

/** What a teacher says of pictures, one of each for every picture. */
export interface PictureLabels {
  /** The class that it sees. */
  readonly labels: ArrayLike<number>;
  /** How unlike its training images they are, where it tells. @see lookAtImages */
  readonly strangeness?: ArrayLike<number> | null;
}

/** Pictures drawn between two turns at most, and their bytes: some tens of milliseconds. */
const DRAWN_AT_ONCE = 128;
const BYTES_AT_ONCE = 2 ** 17;
/** One of so many pictures of each class is kept apart, beginning with this one. */
const HELD_OUT_EVERY = 12;
const FIRST_HELD_OUT = 3;
/** From so many pictures on, half of the new ones are made from known ones of the rarer classes. */
const FRESH_ONLY = 3_000;
/** No kind of picture is drawn less often than this share of its due. */
const LEAST_WANT = 0.1;

interface Proposal {
  readonly picture: Uint8Array;
  /** Null: made from known pictures. */
  readonly kind: number | null;
  readonly replaced: number;
}

/**
 * Draws pictures and keeps those that the teacher's classes need: kinds of pictures that give rare classes are drawn more
 * often, and half of the pictures are variations of those of rare classes. Only the teacher's answers are needed.
 */
export class PictureSource {
  readonly training: PicturePool;
  readonly heldOut: PicturePool;
  readonly #options: PictureSourceOptions;
  readonly #turn: Turn;
  readonly #kinds: WeighedKind[];
  /** How much the pictures of each kind were wanted: total, and number. */
  readonly #wanted: { total: number; count: number }[];
  /** The teacher's class of each picture so far. */
  readonly #answers: number[] = [];
  readonly #strangeness: number[] = [];
  /** How many pictures of each class there were so far. */
  readonly #seen: number[];

  constructor(options: PictureSourceOptions) {
    this.#options = options;
    this.#turn = options.turn ?? createTurn();
    const { size, classes, capacity, heldOut } = options;
    const pictureSize = size.height * size.width * size.channels;
    this.training = new PicturePool(capacity, classes, pictureSize);
    this.heldOut = new PicturePool(heldOut, classes, pictureSize);
    this.#kinds = weighKinds(size.channels, options.brightness ?? 0.5);
    this.#seen = Array<number>(classes).fill(0);
    this.#wanted = this.#kinds.map(() => ({ total: 1, count: 1 }));
  }

  /** Pictures drawn so far. */
  get drawn(): number {
    return this.#answers.length;
  }

  /** The teacher's classes of all pictures so far, in order: with them, `replay` makes the same pools again. */
  get answers(): readonly number[] {
    return this.#answers;
  }

  /** How strange they all were; empty where the teacher does not tell. */
  get strangeness(): readonly number[] {
    return this.#strangeness;
  }

  /**
   * Draws pictures, asks the teacher and keeps what is wanted.
   *
   * @param answer Says what the teacher sees in the pictures, `[count, height, width, channels]` bytes.
   */
  async draw(count: number, answer: (pictures: Uint8Array) => Promise<PictureLabels>): Promise<void> {
    const proposals = await this.#proposeAll(count);
    const { pictureSize } = this.training;
    const pictures = new Uint8Array(count * pictureSize);
    for (const [index, { picture }] of proposals.entries()) pictures.set(picture, index * pictureSize);
    this.#take(proposals, await answer(pictures));
  }

  /** Makes the pools again from the answers of an earlier session, given as they were: draw by draw. */
  async replay(answers: PictureLabels): Promise<void> {
    this.#take(await this.#proposeAll(answers.labels.length), answers);
  }

  /** All rest on the pools as they are now, whoever has a turn meanwhile. */
  async #proposeAll(count: number): Promise<Proposal[]> {
    const proposals: Proposal[] = [];
    const atOnce = Math.max(1, Math.min(DRAWN_AT_ONCE, Math.floor(BYTES_AT_ONCE / this.training.pictureSize)));
    while (proposals.length < count) {
      if (proposals.length % atOnce === 0) await this.#turn();
      proposals.push(this.#propose(this.drawn + proposals.length));
    }
    return proposals;
  }

  #propose(index: number): Proposal {
    const { size, createRandom } = this.#options;
    const random = createRandom(`picture ${index}`);
    const draws = new PictureRandom(random);
    const picture = new Uint8Array(this.training.pictureSize);
    const replaced = draws.next();
    const known = this.training.knownClasses;
    if (index >= FRESH_ONLY && known.length > 1 && draws.chance(0.5)) {
      const label = this.#pickRare(known, draws.next());
      const parents = {
        picture: this.training.pick(label, draws.next()),
        relative: this.training.pick(label, draws.next()),
        stranger: this.training.pick(draws.pick(known), draws.next()),
      };
      varyPicture(parents, size, random, picture);
      return { picture, kind: null, replaced };
    }
    const kind = this.#pickKind(draws.next());
    drawPicture(this.#kinds[kind], size, random, picture);
    return { picture, kind, replaced };
  }

  #take(proposals: readonly Proposal[], { labels, strangeness }: PictureLabels): void {
    for (const [index, { picture, kind, replaced }] of proposals.entries()) {
      const label = labels[index];
      const isHeldOut = this.#seen[label]++ % HELD_OUT_EVERY === FIRST_HELD_OUT;
      if (kind !== null) {
        this.#wanted[kind].total += this.training.want(label);
        this.#wanted[kind].count++;
      }
      const strange = strangeness?.[index];
      (isHeldOut ? this.heldOut : this.training).add(picture, label, replaced, strange);
      this.#answers.push(label);
      if (strange !== undefined) this.#strangeness.push(strange);
    }
  }

  /** A class, the more likely the fewer pictures it has. */
  #pickRare(known: readonly number[], share: number): number {
    const wants = known.map((label) => this.training.want(label) + 1e-3);
    return known[pickByWeight(wants, share)];
  }

  #pickKind(share: number): number {
    return pickByWeight(
      this.#wanted.map(({ total, count }, kind) => this.#kinds[kind].weight * Math.max(LEAST_WANT, total / count)),
      share,
    );
  }
}

/** A kind of picture, and how likely the task is to be of that kind, before the teacher has been asked. */
interface WeighedKind extends PictureKind {
  readonly weight: number;
}

/**
 * How much of each family there is at first. Grey pictures are drawings and scans of things more often than photographs of
 * surfaces and scenes.
 */
const FAMILY_WEIGHTS: Readonly<Record<PictureFamilyName, { readonly grey: number; readonly colour: number }>> = {
  shapes: { grey: 1, colour: 1 },
  silhouettes: { grey: 1, colour: 1 },
  strokes: { grey: 1, colour: 0.5 },
  glyphs: { grey: 1, colour: 0.25 },
  waves: { grey: 0.3, colour: 0.5 },
  leaves: { grey: 0.3, colour: 1 },
  clouds: { grey: 0.3, colour: 0.5 },
  fields: { grey: 0, colour: 1.5 },
  scenes: { grey: 0, colour: 3 },
};
/** However bright or dark pictures are on average, some are the other way round. */
const LEAST_POLARITY_WEIGHT = 0.2;

/** Families are mostly dark: a teacher of dark pictures gets few that are inverted, one of light pictures many. */
function weighKinds(channels: number, brightness: number): WeighedKind[] {
  const odds = brightness / (1 - brightness);
  const limit = (value: number): number => Math.min(1, Math.max(LEAST_POLARITY_WEIGHT, value));
  return (Object.keys(pictureFamilies) as PictureFamilyName[]).flatMap((family) => {
    const ofFamily = FAMILY_WEIGHTS[family][channels === 1 ? 'grey' : 'colour'];
    return [false, true].map((isInverted) => ({
      family,
      isInverted,
      weight: ofFamily * limit(isInverted ? odds : 1 / odds),
    }));
  });
}

function pickByWeight(weights: readonly number[], share: number): number {
  let left = share * weights.reduce((total, weight) => total + weight, 0);
  for (const [index, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return index;
  }
  return weights.length - 1;
}

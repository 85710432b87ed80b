import { check } from './check.ts';

/** That the length of a run was changed on the way: from `step` steps done on, it ends after `end`. */
export interface PaceChange {
  readonly step: number;
  readonly end: number;
}

/**
 * How a run comes to its end where its length is changed on the way, as to hold a time. What moves with a run (learning
 * rates, how many pictures are drawn) is planned for `steps` steps; after each change, what is left of that plan is gone
 * through in the steps that are left. The changes are all that repeats such a run.
 */
export class Pace {
  readonly #steps: number;
  readonly #changes: PaceChange[] = [];

  /**
   * @param steps Planned length, >= 1.
   * @throws {DaflError} `USAGE` if changes are not in order or end before they begin.
   */
  constructor(steps: number, changes: readonly PaceChange[] = []) {
    this.#steps = steps;
    for (const change of changes) this.change(change);
  }

  /** In their order. */
  get changes(): readonly PaceChange[] {
    return this.#changes;
  }

  /** Length of the run, as planned once `step` steps are done. */
  endAt(step: number): number {
    return this.#changes.findLast((change) => change.step <= step)?.end ?? this.#steps;
  }

  /** @throws {DaflError} `USAGE` as the constructor. */
  change({ step, end }: PaceChange): void {
    const last = this.#changes.at(-1)?.step ?? 0;
    check(Number.isInteger(step) && step > last && step < this.endAt(last) && Number.isInteger(end) && end >= step, {
      cannot: 'distill',
      as: `'pace' must change after a step > ${last} and < ${this.endAt(last)}, to an end that is not before it`,
      value: `[${step}, ${end}]`,
    });
    this.#changes.push({ step, end });
  }

  /** Where in the plan a step stands: in 0..`steps`, with fractions; the step itself up to the first change. */
  positionAt(step: number): number {
    let [position, from, end] = [0, 0, this.#steps];
    const moveTo = (until: number): void => {
      // The product first: it keeps whole numbers whole.
      position += ((this.#steps - position) * (until - from)) / Math.max(1, end - from);
      from = until;
    };
    for (const change of this.#changes) {
      if (change.step > step) break;
      moveTo(change.step);
      end = change.end;
    }
    moveTo(step);
    return position;
  }
}

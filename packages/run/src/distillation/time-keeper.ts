/** What a `TimeKeeper` holds a run to. */
export interface TimeKeeperOptions {
  /** By `clock`: when all must be done. */
  readonly deadlineMs: number;
  /** What comes after the last step. */
  readonly tailMs: number;
  /** Milliseconds from any start. */
  readonly clock: () => number;
}

/** Shares of the time, or of the steps, after which the length is fitted anew: steps do not cost the same from the first to the last. */
const REFIT_SHARES = [0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 0.96];
/** Steps that a length is fitted by. */
const LEAST_MEASURED = 2;

/**
 * Fits the length of a run to a time while it runs, by what its steps and all between them took. The run's changes of
 * length are recorded, so it is repeated without a clock.
 */
export class TimeKeeper {
  readonly #options: TimeKeeperOptions;
  readonly #startedMs: number;
  /** When the work that is measured next began. */
  #begunMs: number;
  /** Of the steps since the length was last fitted. */
  #stepMs: number[] = [];
  #besidesMs = 0;
  #done = 0;
  #refits = 0;

  constructor(options: TimeKeeperOptions) {
    this.#options = options;
    this.#startedMs = options.clock();
    this.#begunMs = this.#startedMs;
  }

  /** To be called where a step, or something between steps, begins: as the next event is asked for. */
  begin(): void {
    const nowMs = this.#options.clock();
    // Of what came after a step: what is before the first is paid once.
    if (this.#done > 0) this.#besidesMs += nowMs - this.#begunMs;
    this.#begunMs = nowMs;
  }

  /**
   * To be called after each step; `distill`'s `replan`.
   *
   * @returns How many steps the run shall have, >= `done`.
   */
  readonly replan = (done: number, end: number): number => {
    const { deadlineMs, tailMs, clock } = this.#options;
    const nowMs = clock();
    // The very first allocates and compiles.
    if (done > 1) this.#stepMs.push(nowMs - this.#begunMs);
    this.#begunMs = nowMs;
    this.#done = done;
    const leftMs = deadlineMs - tailMs - nowMs;
    if (leftMs <= 0) return done;
    const share = Math.max(done / end, (nowMs - this.#startedMs) / (deadlineMs - this.#startedMs));
    // A run that was planned for too few is not to end before it could be fitted.
    const least = done === end - 1 ? 1 : LEAST_MEASURED;
    if (this.#stepMs.length < least || share < (REFIT_SHARES[this.#refits] ?? Infinity)) return end;
    this.#refits = REFIT_SHARES.filter((refit) => refit <= share).length;
    const meanMs = this.#stepMs.reduce((total, ms) => total + ms, 0) / this.#stepMs.length;
    this.#stepMs = [];
    return done + Math.floor(leftMs / Math.max(1e-3, meanMs + this.#besidesMs / done));
  };
}

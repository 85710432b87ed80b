import { type Checkpoint, tensorsUnder } from '../checkpoint.ts';
import type { HostTensor } from '../model/model.ts';
import type { Marks } from './examination.ts';

/** The student of a run that did best in its examinations so far. */
interface Best {
  /** Steps done. */
  readonly step: number;
  readonly agreement: number;
  readonly weights: ReadonlyMap<string, HostTensor>;
}

/** How far the last student must be behind: points that matter, */
const LEAST_DIFFERENCE = 0.03;
/** and more standard errors than chance gives in ten examinations. */
const STANDARD_ERRORS = 3;
/** Of names in a checkpoint. */
const PREFIX = 'best/';

/** Remembers the best student of a run, and says when it is to be taken in place of the last one. */
export class BestStudent {
  #best: Best | undefined;

  /** Takes note of a student. @param read Gives its weights; asked only where it is the best so far. */
  async offer(step: number, { agreement }: Marks, read: () => Promise<ReadonlyMap<string, HostTensor>>): Promise<void> {
    if (this.#best !== undefined && agreement <= this.#best.agreement) return;
    this.#best = { step, agreement, weights: await read() };
  }

  /** The best student, where one with these marks is clearly worse: beyond what chance makes of so many pictures. */
  insteadOf({ agreement, pictures }: Marks): Pick<Best, 'step' | 'weights'> | undefined {
    const best = this.#best;
    if (best === undefined) return undefined;
    const standardError = Math.sqrt((best.agreement * (1 - best.agreement)) / pictures);
    const isClear = best.agreement - agreement > Math.max(LEAST_DIFFERENCE, STANDARD_ERRORS * standardError);
    return isClear ? best : undefined;
  }

  /** What a checkpoint keeps of it; nothing before the first examination. */
  state(): { readonly counters: Record<string, number>; readonly tensors: ReadonlyMap<string, HostTensor> } {
    if (this.#best === undefined) return { counters: {}, tensors: new Map() };
    const { step, agreement, weights } = this.#best;
    return {
      counters: { [`${PREFIX}step`]: step, [`${PREFIX}agreement`]: agreement },
      tensors: new Map([...weights].map(([name, tensor]) => [PREFIX + name, tensor])),
    };
  }

  restore({ counters, tensors }: Checkpoint): void {
    const { [`${PREFIX}step`]: step, [`${PREFIX}agreement`]: agreement } = counters;
    this.#best = step === undefined ? undefined : { step, agreement, weights: tensorsUnder(tensors, PREFIX) };
  }
}

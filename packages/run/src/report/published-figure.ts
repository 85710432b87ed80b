import type { DistillationOptions } from '../options/distillation-options.ts';
import { table1 } from '../experiments/table1.ts';
import { table2 } from '../experiments/table2.ts';
import { table3 } from '../experiments/table3.ts';

/** An accuracy that a paper gives for the same networks and data. */
export interface PublishedFigure {
  /** 0..1. */
  readonly accuracy: number;
  /** What reached it, and where that stands. */
  readonly label: string;
}

/**
 * What is published for a run's teacher, student and data: by the run's method, else by DAFL.
 *
 * @returns Null where nothing is.
 */
export function publishedFigure(run: DistillationOptions): PublishedFigure | null {
  for (const { rows, source } of [table1, table2, table3]) {
    const alike = rows.flatMap(({ published, task }) => {
      if (published === null || task.kind !== 'distill') return [];
      const { teacher, student, eval: data, method = 'dafl' } = task.options;
      const isSame = teacher === run.teacher && student === run.student && data === run.eval;
      return isSame ? [{ accuracy: published / 100, method }] : [];
    });
    const found = alike.find(({ method }) => method === run.method) ?? alike.find(({ method }) => method === 'dafl');
    if (found !== undefined) {
      const { accuracy, method } = found;
      return { accuracy, label: `${method === 'dafl' ? 'DAFL' : String(method)}, ${source}` };
    }
  }
  return null;
}

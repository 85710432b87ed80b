import { describeModel, inferShapes } from '@dafl/core';
import { widthShares } from '../options/width-shares.ts';
import type { StudentSource } from './load-model.ts';

/** So many layers are named. */
const NAMED = 3;

/** What to say of a student that was to be a share of its teacher's widths and is hardly smaller; null where it is, or was not to be. */
export function describeWidth(
  source: string | number,
  { wideGraph: teacher, graph: student }: StudentSource,
): string | null {
  const ratio = typeof source === 'number' ? source : widthShares.get(source);
  if (teacher === undefined || ratio === undefined || ratio === 1) return null;
  const [before, after] = [describeModel(teacher), describeModel(student)];
  const parameters = after.parameters / before.parameters;
  const operations = after.multiplyAccumulates / before.multiplyAccumulates;
  if (Math.min(parameters, operations) <= (1 + ratio) / 2) return null;
  const [wide, narrow] = [inferShapes(teacher), inferShapes(student)];
  const kept = teacher.nodes.filter(
    ({ kind, name }) =>
      (kind === 'conv2d' || kind === 'dense') &&
      name !== teacher.outputs['logits'] &&
      wide.get(name)!.output.at(-1)! > 1 &&
      wide.get(name)!.output.at(-1) === narrow.get(name)?.output.at(-1),
  );
  const names = kept.slice(0, NAMED).map(({ name }) => `'${name}'`);
  const others = kept.length > NAMED ? ` and ${kept.length - NAMED} more` : '';
  const which = kept.length === 0 ? '' : `: ${names.join(', ')}${others} must keep their width`;
  return `The student is hardly smaller than its teacher: it has ${percent(parameters)} of the parameters and ${percent(operations)} of the multiply-accumulates${which}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

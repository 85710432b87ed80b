import type { RunRecord } from '../folder/run-record.ts';
import { escapeHtml } from './escape-html.ts';

/** Of more classes, the worst come first and the rest opens on demand. */
const MOST_OPEN = 20;

/** A bar for each class: the share of its images that the student gets right, with a mark at the teacher's. */
export function renderClassBars(
  confusion: NonNullable<RunRecord['confusion']>,
  ofTeacher: RunRecord['confusion'],
  names: readonly string[],
): string {
  const share = (matrix: NonNullable<RunRecord['confusion']>, label: number): number | null => {
    const total = matrix[label].reduce((sum, count) => sum + count, 0);
    return total === 0 ? null : matrix[label][label] / total;
  };
  const classes = confusion.map((row, label) => ({
    label,
    count: row.reduce((sum, count) => sum + count, 0),
    right: share(confusion, label),
    teacher: ofTeacher === null ? null : share(ofTeacher, label),
    taken: mostTaken(row, label),
  }));
  const ordered =
    classes.length <= MOST_OPEN ? classes : [...classes].sort((one, other) => (one.right ?? 2) - (other.right ?? 2));
  const lines = ordered.map(({ label, right, teacher, taken }) => {
    const width = right === null ? 0 : right * 100;
    const mark = teacher === null ? '' : `<u style="left:calc(${(teacher * 100).toFixed(2)}% - 1px)"></u>`;
    const error = taken === null ? '' : `mostly taken for ${escapeHtml(names[taken])}`;
    return `<tr title="${error}"><th scope="row">${escapeHtml(names[label])}</th><td class="bar"><span class="track"><i style="width:${width.toFixed(2)}%"></i>${mark}</span></td><td>${right === null ? 'no image' : `${(right * 100).toFixed(1)} %`}</td></tr>`;
  });
  const table = (rows: readonly string[]): string => `<table class="bars"><tbody>${rows.join('')}</tbody></table>`;
  if (lines.length <= MOST_OPEN) return table(lines);
  return `<p class="soft">The ${MOST_OPEN} worst of ${lines.length} classes</p>${table(lines.slice(0, MOST_OPEN))}<details><summary>The other ${lines.length - MOST_OPEN}</summary>${table(lines.slice(MOST_OPEN))}</details>`;
}

/** The class that a class is most often taken for; null where it never is. */
function mostTaken(row: readonly number[], label: number): number | null {
  let best: number | null = null;
  row.forEach((count, predicted) => {
    if (predicted !== label && count > 0 && (best === null || count > row[best])) best = predicted;
  });
  return best;
}

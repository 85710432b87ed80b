import { escapeHtml } from './escape-html.ts';

const MOST = 10;
/** Of no more classes, the matrix itself has names and counts. */
const FEW_CLASSES = 20;

/** The mistakes of a confusion matrix that come most often, in words: of many classes no picture tells them apart. Empty for few. */
export function renderFrequentMistakes(confusion: readonly (readonly number[])[], names: readonly string[]): string {
  if (confusion.length <= FEW_CLASSES) return '';
  const mistakes = confusion.flatMap((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.flatMap((count, predicted) =>
      count === 0 || predicted === truth ? [] : [{ truth, predicted, count, total }],
    );
  });
  const rows = mistakes
    .sort((one, other) => other.count - one.count)
    .slice(0, MOST)
    .map(
      ({ truth, predicted, count, total }) =>
        `<tr><th scope="row">${escapeHtml(names[truth])} taken for ${escapeHtml(names[predicted])}</th><td>${count} of ${total}</td></tr>`,
    );
  return rows.length === 0
    ? ''
    : `<h3>Most frequent mistakes</h3><div class="scroll"><table class="wrap"><tbody>${rows.join('')}</tbody></table></div>`;
}

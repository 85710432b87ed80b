import type { StoredSamples } from './samples-image.ts';
import type { Examples } from './collect-examples.ts';
import { inlineFigure } from './figures/inline-figure.ts';
import type { Picture } from './figures/picture.ts';
import { renderPictureGrid } from './figures/picture-grid.ts';

const FEW_CLASSES = 12;
const MOST_CLASSES = 100;
const OF_CLASS = 4;

/** Generated images beside real ones of the same class. @returns HTML; null where one kind is missing. */
export function renderExamples({ ofClass }: Examples, samples: StoredSamples, names: readonly string[]): string | null {
  const generatedOf = (label: number): Picture[] =>
    samples.images.filter((image) => image.label === label).map(({ picture }) => picture);
  if (samples.images.length === 0 || ofClass.length === 0) return null;
  const shown = names.slice(0, MOST_CLASSES);
  const isFew = names.length <= FEW_CLASSES;
  const count = isFew ? OF_CLASS : 1;
  const pictures = shown.flatMap((_, label) => {
    const [generated, real] = [generatedOf(label), ofClass[label] ?? []];
    const take = (from: readonly Picture[]) => Array.from({ length: count }, (__, index) => from[index] ?? null);
    return [...take(generated), ...(isFew ? [null] : []), ...take(real)];
  });
  const figure = renderPictureGrid(
    isFew
      ? {
          title: 'Of each class, images that the student learnt from at the left, real ones at the right',
          rowNames: names,
          pictures,
          columns: 2 * OF_CLASS + 1,
          tileWidth: 32,
        }
      : {
          title: 'Of each class an image that the student learnt from, and a real one',
          captions: shown.flatMap((name) => [name, 'real']),
          pictures,
          columns: 12,
          tileWidth: 54,
        },
  );
  return figure === null ? null : inlineFigure(figure);
}

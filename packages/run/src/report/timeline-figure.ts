import type { StoredSamples } from './samples-image.ts';
import type { Figure } from './figures/figure.ts';
import { renderPictureGrid } from './figures/picture-grid.ts';

/** Of more classes, those that most moments have an image of. */
const MOST_CLASSES = 12;
const MOST_MOMENTS = 16;
const TILE = 34;

/**
 * Generated images by class over the training: a row for each moment, its step at the left, a column for each class (the
 * paper's figure of generated digits). At most 12 classes and 16 moments, the last included.
 *
 * @param samples In the order of their steps.
 * @returns Null below two moments.
 */
export function renderTimelineFigure(samples: readonly StoredSamples[], names: readonly string[]): Figure | null {
  if (samples.length < 2) return null;
  const count = Math.min(samples.length, MOST_MOMENTS);
  const chosen = Array.from(
    { length: count },
    (_, index) => samples[Math.ceil(((index + 1) * samples.length) / count) - 1],
  );
  const moments = names.map(
    (_, label) => chosen.filter(({ images }) => images.some((image) => image.label === label)).length,
  );
  const shown = [...names.keys()]
    .sort((one, other) => moments[other] - moments[one])
    .slice(0, MOST_CLASSES)
    .sort((one, other) => one - other);
  return renderPictureGrid({
    title: 'Generated images over the run: a column for each class, a row for each moment',
    rowNames: chosen.map(({ step }) => step.toLocaleString('en-US')),
    columnNames: shown.map((label) => names[label]),
    columns: shown.length,
    tileWidth: TILE,
    pictures: chosen.flatMap(({ images }) =>
      shown.map((label) => images.find((image) => image.label === label)?.picture ?? null),
    ),
  });
}

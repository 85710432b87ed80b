import type { StoredSamples } from './samples-image.ts';
import type { Figure } from './figures/figure.ts';
import type { Picture } from './figures/picture.ts';
import { renderPictureGrid } from './figures/picture-grid.ts';

/** Up to so many classes have a row of images each, of more each has one image with its name beneath. */
const FEW_CLASSES = 12;
const OF_CLASS = 8;
const MOST_CLASSES = 100;

/** Generated images by class, a frame for each moment: what a player shows. @returns Null where there is none. */
export function renderSamplesFigure(samples: readonly StoredSamples[], names: readonly string[]): Figure | null {
  if (samples.length === 0) return null;
  const title = 'Generated images by class';
  if (names.length <= FEW_CLASSES) {
    const frames = samples.map(({ images }) =>
      names.flatMap((_, label) => {
        const own: (Picture | null)[] = images.filter((image) => image.label === label).map(({ picture }) => picture);
        return Array.from({ length: OF_CLASS }, (__, index) => own[index] ?? null);
      }),
    );
    const last = samples.at(-1)!;
    const captions = names.flatMap((_, label) => {
      const own = last.images.filter((image) => image.label === label).slice(0, OF_CLASS);
      return Array.from({ length: OF_CLASS }, (__, index) =>
        own[index] === undefined
          ? ''
          : `${names[label]}: the teacher is ${(own[index].confidence * 100).toFixed(1)} % sure`,
      );
    });
    return renderPictureGrid({
      title,
      rowNames: names,
      columns: OF_CLASS,
      tileWidth: 34,
      pictures: frames.at(-1)!,
      frames,
      tips: captions,
    });
  }
  const shown = names.slice(0, MOST_CLASSES);
  const frames = samples.map(({ images }) =>
    shown.map((_, label) => images.find((image) => image.label === label)?.picture ?? null),
  );
  return renderPictureGrid({ title, captions: shown, columns: 8, tileWidth: 56, pictures: frames.at(-1)!, frames });
}

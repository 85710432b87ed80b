import { type Model } from '@dafl/core';
import type { Figure } from './figures/figure.ts';
import { type FilterPictures, filterPictures } from './figures/filter-pictures.ts';
import { renderPictureGrid } from './figures/picture-grid.ts';

/** The first layer of a network. */
export interface FiltersFigure {
  readonly figure: Figure;
  readonly filters: FilterPictures;
}

const TILE = 38;
const COLUMNS = 8;

/**
 * Draws the first convolution's filters with their numbers.
 *
 * @param origins Of each filter, the number of the teacher's that it began as.
 * @returns Null if the model has no convolution.
 */
export function renderFiltersFigure(role: string, model: Model, origins?: readonly number[]): FiltersFigure | null {
  const filters = filterPictures(model);
  if (filters === null) return null;
  const { pictures } = filters;
  const figure = renderPictureGrid({
    title: `First-layer filters of the ${role.toLowerCase()}`,
    captions: pictures.map((_, index) =>
      origins?.[index] === undefined ? String(index + 1) : `was ${origins[index] + 1}`,
    ),
    pictures,
    columns: Math.min(COLUMNS, pictures.length),
    tileWidth: TILE,
  });
  return figure === null ? null : { figure, filters };
}

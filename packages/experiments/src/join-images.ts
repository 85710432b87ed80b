import { fail, type ImageSet } from '@dafl/core';

/** Images of several sets, as large as each other; the labels of each follow those of the sets before it. */
export function joinImages(sets: readonly ImageSet[]): ImageSet {
  const [first] = sets;
  const size = ({ height, width, channels }: ImageSet): string => [height, width, channels].join('x');
  const other = sets.find((images) => size(images) !== size(first));
  if (other !== undefined) {
    fail({ code: 'DATA', cannot: 'join images', as: `all must be ${size(first)}`, value: size(other) });
  }
  let offset = 0;
  const labels = sets.flatMap((images) => {
    const shifted = [...images.labels!].map((label) => label + offset);
    offset = shifted.reduce((most, label) => Math.max(most, label), -1) + 1;
    return shifted;
  });
  return {
    ...first,
    count: labels.length,
    pixels: new Uint8Array(Buffer.concat(sets.map(({ pixels }) => pixels))),
    labels: Uint32Array.from(labels),
    classNames: undefined,
  };
}

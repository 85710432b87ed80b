import type { DecodedImage } from './decode-image.ts';

/**
 * A picture as it is to be looked at.
 *
 * @param orientation 1..8, as Exif counts them: 2 is mirrored left to right, 3 upside down, 6 turned so that its left side becomes the
 *   top.
 */
export function turnImage(image: DecodedImage, orientation: number): DecodedImage {
  if (orientation === 1) return image;
  const { width, height, channels, pixels } = image;
  // From 5 on, rows are columns; then what comes last in the file may come first.
  const isSwapped = orientation >= 5;
  const isMirrored = [2, 3, 6, 7].includes(orientation);
  const isFlipped = [3, 4, 7, 8].includes(orientation);
  const [rows, columns] = isSwapped ? [width, height] : [height, width];
  const turned = new Uint8Array(pixels.length);
  let position = 0;
  for (let row = 0; row < rows; row++) {
    const from = isFlipped ? rows - 1 - row : row;
    for (let column = 0; column < columns; column++) {
      const across = isMirrored ? columns - 1 - column : column;
      const pixel = (isSwapped ? across * width + from : from * width + across) * channels;
      for (let channel = 0; channel < channels; channel++) turned[position++] = pixels[pixel + channel];
    }
  }
  return { width: columns, height: rows, channels, pixels: turned };
}

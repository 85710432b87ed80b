/** Red, green and blue, 0..255. */
export type Colour = readonly [number, number, number];

/** The colours of the charts and matrices that are drawn as PNG. */
export const figureColours: Readonly<Record<'paper' | 'ink' | 'blue' | 'red', Colour>> = {
  paper: [250, 250, 250],
  ink: [40, 40, 45],
  blue: [37, 99, 235],
  red: [220, 60, 40],
};

/** A drawing, authored once: the report holds it as it is, a file of its own takes it with its style. */
export interface Figure {
  /** What it shows, for those who cannot see it. */
  readonly title: string;
  /** Of the view box. Text is 12 units high, so a figure is shown at no less than 0.92 of its size. */
  readonly width: number;
  readonly height: number;
  /** SVG elements; names in them are escaped. Colours are classes of `figureStyle`. */
  readonly body: string;
  /** What the pointer finds in it; absent for figures whose elements have titles of their own. */
  readonly hover?: readonly HoverSeries[];
}

/** A line that tells its values. */
export interface HoverSeries {
  readonly name: string;
  /** Place in the view box, and what is told there. */
  readonly points: readonly (readonly [x: number, y: number, text: string])[];
}

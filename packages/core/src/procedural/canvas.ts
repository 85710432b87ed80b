/** Size of a picture. */
export interface PictureSize {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** One value in 0..1 for each channel. */
export type Colour = readonly number[];

/** Where to paint, and how strongly: 0 (not at all) to 1 (covered). */
export type Coverage = (x: number, y: number) => number;

/** A rectangle in canvas coordinates. */
export interface Bounds {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/**
 * A picture that is being painted. The shorter side reaches from -1 to 1; x grows to the right, y downwards, (0, 0) is the
 * middle. Values lie in 0..1 once the picture is finished.
 */
export class Canvas implements PictureSize {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Shape `[height, width, channels]`. */
  readonly values: Float32Array;
  /** Pixels in one unit of length. */
  readonly pixelsPerUnit: number;

  constructor({ height, width, channels }: PictureSize) {
    this.height = height;
    this.width = width;
    this.channels = channels;
    this.values = new Float32Array(height * width * channels);
    this.pixelsPerUnit = Math.min(height, width) / 2;
  }

  /** The x of a column's centre. */
  x(column: number): number {
    return (column + 0.5 - this.width / 2) / this.pixelsPerUnit;
  }

  /** The y of a row's centre. */
  y(row: number): number {
    return (row + 0.5 - this.height / 2) / this.pixelsPerUnit;
  }

  /** Paints `colour` over what is there, as far as `coverage` says, inside `bounds`. */
  paint(coverage: Coverage, colour: Colour, bounds?: Bounds): void {
    this.paintShaded(coverage, null, colour, bounds);
  }

  /** Like `paint`, with the colour multiplied by `shade` at each place. */
  paintShaded(coverage: Coverage, shade: Coverage | null, colour: Colour, bounds?: Bounds): void {
    const { width, channels, values } = this;
    const { left, right, top, bottom } = this.pixelsOf(bounds);
    for (let row = top; row < bottom; row++) {
      const y = this.y(row);
      for (let column = left; column < right; column++) {
        const x = this.x(column);
        const share = coverage(x, y);
        if (share <= 0) continue;
        const factor = shade === null ? 1 : shade(x, y);
        const at = (row * width + column) * channels;
        for (let channel = 0; channel < channels; channel++) {
          values[at + channel] += share * (colour[channel] * factor - values[at + channel]);
        }
      }
    }
  }

  /** The pixels of a rectangle: columns from `left` to before `right`, rows from `top` to before `bottom`. */
  pixelsOf(bounds?: Bounds): Bounds {
    const { width, height, pixelsPerUnit } = this;
    if (bounds === undefined) return { left: 0, right: width, top: 0, bottom: height };
    const column = (x: number): number => x * pixelsPerUnit + width / 2;
    const row = (y: number): number => y * pixelsPerUnit + height / 2;
    return {
      left: Math.max(0, Math.floor(column(bounds.left))),
      right: Math.min(width, Math.ceil(column(bounds.right))),
      top: Math.max(0, Math.floor(row(bounds.top))),
      bottom: Math.min(height, Math.ceil(row(bounds.bottom))),
    };
  }
}

/** Coverage of a place whose distance to an edge, inwards, is `depth` pixels: a ramp one pixel wide and smooth. */
export function softEdge(depth: number): number {
  if (depth <= -0.5) return 0;
  if (depth >= 0.5) return 1;
  const share = depth + 0.5;
  return share * share * (3 - 2 * share);
}

import type { Canvas } from '../canvas.ts';
import { paintGround } from '../ground.ts';
import { paintPath } from '../paint-path.ts';
import type { PictureRandom } from '../picture-random.ts';
import { randomColour } from '../random-colour.ts';

const MOST_LINES = 3;
/** Straight pieces of an arc, or between two points of a curve. */
const ARC_PIECES = 24;
const CURVE_PIECES = 6;

type Point = readonly [x: number, y: number];

/**
 * A sign in the middle, of one to three lines that mostly begin on each other: arcs, loops, winding curves and straight
 * lines of one pen, slanted as handwriting is. Letters, digits, symbols.
 */
export function glyphs(canvas: Canvas, random: PictureRandom): void {
  const isDark = random.chance(0.75);
  paintGround(canvas, random, isDark ? 1 : 0);
  const colour = randomColour(random, canvas.channels, isDark ? random.between(0.7, 1) : random.next());
  const thickness = random.between(0.05, 0.16);
  const softness = random.between(1, 2.5);
  const breadth = random.between(0.25, 0.65);
  const length = random.between(0.45, 0.8);
  const slant = 0.25 * random.normal();
  const turn = 0.15 * random.normal();
  const [cosine, sine] = [Math.cos(turn), Math.sin(turn)];
  const [offX, offY] = [0.06 * random.normal(), 0.06 * random.normal()];
  const place = ([x, y]: Point): Point => {
    const [slanted, down] = [breadth * x - slant * length * y, length * y];
    return [offX + cosine * slanted - sine * down, offY + sine * slanted + cosine * down];
  };
  let known: Point[] = [];
  const count = 1 + random.integer(MOST_LINES);
  for (let line = 0; line < count; line++) {
    const start = known.length > 0 && random.chance(0.8) ? random.pick(known) : undefined;
    const drawn = random.pick([arc, arc, curve, curve, straight])(random, start);
    paintPath(canvas, drawn.map(place), { thickness: thickness * random.between(0.85, 1.15), softness, colour });
    known = [...known, ...drawn];
  }
}

function somewhere(random: PictureRandom): Point {
  return [random.between(-1, 1), random.between(-1, 1)];
}

/** A quarter of an ellipse to somewhat more than all of it. */
function arc(random: PictureRandom, start: Point | undefined): Point[] {
  const [radiusX, radiusY] = [random.between(0.3, 1), random.between(0.25, 1)];
  const from = random.between(0, 2 * Math.PI);
  const sweep = (random.chance(0.5) ? 1 : -1) * random.between(0.5 * Math.PI, 2.2 * Math.PI);
  const [centreX, centreY] =
    start === undefined
      ? [random.between(-1, 1) * (1 - radiusX), random.between(-1, 1) * (1 - radiusY)]
      : [start[0] - radiusX * Math.cos(from), start[1] - radiusY * Math.sin(from)];
  return Array.from({ length: ARC_PIECES + 1 }, (_, index): Point => {
    const angle = from + (sweep * index) / ARC_PIECES;
    return inside([centreX + radiusX * Math.cos(angle), centreY + radiusY * Math.sin(angle)]);
  });
}

/** A line that winds its way down, or across. */
function curve(random: PictureRandom, start: Point | undefined): Point[] {
  const count = 3 + random.integer(3);
  const isAcross = random.chance(0.25);
  const points = Array.from({ length: count }, (_, index): Point => {
    const along = inUnit(-1 + (2 * index) / (count - 1) + 0.3 * random.normal());
    const aside = random.between(-1, 1);
    return isAcross ? [along, aside] : [aside, along];
  });
  if (start !== undefined) points[0] = start;
  const at = (index: number): Point => points[Math.min(count - 1, Math.max(0, index))];
  const path: Point[] = [];
  for (let piece = 0; piece < count - 1; piece++) {
    for (let step = 0; step < CURVE_PIECES; step++) {
      path.push(between([at(piece - 1), at(piece), at(piece + 1), at(piece + 2)], step / CURVE_PIECES));
    }
  }
  path.push(at(count - 1));
  return path;
}

function straight(random: PictureRandom, start: Point | undefined): Point[] {
  return [start ?? somewhere(random), somewhere(random)];
}

/** The Catmull-Rom spline through the two points in the middle. */
function between([a, b, c, d]: readonly Point[], t: number): Point {
  const value = (axis: 0 | 1): number =>
    0.5 *
    (2 * b[axis] +
      (c[axis] - a[axis]) * t +
      (2 * a[axis] - 5 * b[axis] + 4 * c[axis] - d[axis]) * t * t +
      (3 * b[axis] - a[axis] - 3 * c[axis] + d[axis]) * t ** 3);
  return [value(0), value(1)];
}

function inside([x, y]: Point): Point {
  return [inUnit(x), inUnit(y)];
}

/** Signs reach a little beyond the square that points are chosen in. */
function inUnit(value: number): number {
  return Math.min(1.1, Math.max(-1.1, value));
}

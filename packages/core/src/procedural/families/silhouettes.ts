import { type Canvas, softEdge } from '../canvas.ts';
import { paintGround } from '../ground.ts';
import type { PictureRandom } from '../picture-random.ts';
import { randomColour } from '../random-colour.ts';
import { valueNoise } from '../value-noise.ts';

const MOST_PARTS = 3;
/** A part reaches from t = -1 to 1, and is no more to be seen beyond this, soft edges included. */
const MOST_T = 1.5;
const OUTLINE_POINTS = 96;

/**
 * One thing in the middle of a ground: a body with a curved outline and up to two further parts, mostly the same on both
 * sides, shaded, striped or textured; some parts are cut out of it.
 *
 * Things that people photograph stand in the middle, and most of them are symmetric.
 */
export function silhouettes(canvas: Canvas, random: PictureRandom): void {
  const { channels, height, width, pixelsPerUnit, values } = canvas;
  paintGround(canvas, random, 0.65);
  const ground = values.slice();
  const isSymmetric = random.chance(0.7);
  const parts = 1 + random.integer(MOST_PARTS);
  for (let part = 0; part < parts; part++) {
    const isBody = part === 0;
    const angle = (random.chance(0.4) ? 0.25 * random.normal() : 0) + (random.chance(0.15) ? Math.PI / 2 : 0);
    const cosine = Math.cos(angle);
    const sine = Math.sin(angle);
    const isMirrored = !isBody && isSymmetric;
    const offset = isBody ? 0.05 * random.normal() : random.between(-0.6, 0.6);
    const centreX = isMirrored ? Math.abs(offset) : offset;
    const centreY = isBody ? random.between(-0.2, 0.2) : random.between(-0.6, 0.6);
    const length = isBody ? random.between(0.15, 1) : random.between(0.08, 0.68);
    const breadth = isBody ? random.between(0.1, 0.85) : random.between(0.05, 0.35);
    const slope = 0.35 * random.normal();
    const bumps = [1, 2, 3].map((order) => ({
      order: Math.PI * order,
      amount: (0.3 * random.normal()) / order,
      phase: random.between(0, 6.28),
    }));
    const softness = random.between(1, 2.5);
    const isCut = !isBody && random.chance(0.35);
    const colour = randomColour(random, channels, random.between(0.25, 1));
    const shadeU = (0.2 * random.normal()) / breadth;
    const shadeV = (0.2 * random.normal()) / length;
    const stripes = random.chance(0.35) ? random.between(0, 0.5) : 0;
    const stripeU = random.chance(0.5) ? random.between(4, 29) : 0;
    const stripeV = random.chance(0.5) ? random.between(4, 29) : 0;
    const phase = random.between(0, 6.28);
    const coarse = random.chance(0.4) ? random.between(0, 0.4) : 0;
    const fine = random.chance(0.5) ? random.between(0, 0.25) : 0;
    const coarseNoise = coarse > 0 ? valueNoise(random, canvas, 8) : undefined;
    const fineNoise = fine > 0 ? valueNoise(random, canvas, Math.max(height, width)) : undefined;
    // How broad it is along its length, tabulated: cosines are dear.
    const outline = new Float64Array(OUTLINE_POINTS + 2);
    for (let point = 0; point < outline.length; point++) {
      const t = MOST_T * ((2 * point) / OUTLINE_POINTS - 1);
      let profile = 1 + slope * t;
      for (const { order, amount, phase: start } of bumps) profile += amount * Math.cos(order * t + start);
      outline[point] = Math.max(0.02, breadth * profile);
    }
    for (let row = 0; row < height; row++) {
      const fromY = canvas.y(row) - centreY;
      for (let column = 0; column < width; column++) {
        const x = canvas.x(column);
        const fromX = (isMirrored ? Math.abs(x) : x) - centreX;
        const u = cosine * fromX + sine * fromY;
        const v = cosine * fromY - sine * fromX;
        const t = v / length;
        if (t < -MOST_T || t > MOST_T) continue;
        const place = (0.5 + (0.5 * t) / MOST_T) * OUTLINE_POINTS;
        const before = Math.floor(place);
        const edge = outline[before] + (place - before) * (outline[before + 1] - outline[before]);
        const depth = edge - Math.abs(u);
        const share =
          softEdge((depth * pixelsPerUnit) / softness) *
          softEdge(((1 - Math.abs(t)) * length * pixelsPerUnit) / softness);
        if (share === 0) continue;
        const pixel = row * width + column;
        let factor = 1 + shadeU * u + shadeV * t;
        if (stripes > 0) factor *= 1 + stripes * Math.sin(stripeU * u + stripeV * v + phase);
        if (coarseNoise !== undefined) factor += coarse * coarseNoise[pixel];
        if (fineNoise !== undefined) factor += fine * fineNoise[pixel];
        for (let channel = 0; channel < channels; channel++) {
          const at = pixel * channels + channel;
          const painted = isCut ? ground[at] : Math.min(1, Math.max(0, colour[channel] * factor));
          values[at] += share * (painted - values[at]);
        }
      }
    }
  }
  if (random.chance(0.25)) {
    const depth = random.between(0, 0.6);
    canvas.paint((x) => depth * Math.exp(-((x / 0.05) ** 2)), randomColour(random, channels, 0));
  }
}

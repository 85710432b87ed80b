import { type Canvas, softEdge } from '../canvas.ts';
import { paintGround } from '../ground.ts';
import type { PictureRandom } from '../picture-random.ts';
import { randomColour } from '../random-colour.ts';

const MOST_SHAPES = 6;
/** 2^k-th powers, as their roots are cheap: diamonds, ellipses, rounded boxes, boxes. */
const EXPONENTS = [0, 1, 1, 2, 3, 3] as const;

/** |u|^p + |v|^p to the 1/p, with p = 2^k. */
function norm(u: number, v: number, k: number): number {
  let left = Math.abs(u);
  let right = Math.abs(v);
  for (let time = 0; time < k; time++) {
    left *= left;
    right *= right;
  }
  let result = left + right;
  for (let time = 0; time < k; time++) result = Math.sqrt(result);
  return result;
}

/** One to six soft super-ellipses of any size and direction, some of them rings, some striped. */
export function shapes(canvas: Canvas, random: PictureRandom): void {
  const { channels, pixelsPerUnit } = canvas;
  paintGround(canvas, random, 0.55);
  const count = 1 + random.integer(MOST_SHAPES);
  for (let shape = 0; shape < count; shape++) {
    const centreX = random.between(-0.8, 0.8);
    const centreY = random.between(-0.8, 0.8);
    const angle = random.between(0, Math.PI);
    const cosine = Math.cos(angle);
    const sine = Math.sin(angle);
    const width = 0.06 + random.next() ** 2 * 0.9;
    const height = 0.06 + random.next() ** 2 * 0.9;
    const exponent = random.pick(EXPONENTS);
    // Of an edge, in pixels: some are blurred.
    const softness = random.chance(0.5) ? 1 : random.between(1, pixelsPerUnit / 3);
    const scale = (Math.min(width, height) * pixelsPerUnit) / softness;
    const hole = random.chance(0.15) ? random.between(0.4, 0.85) : 0;
    const strength = random.between(0.5, 1);
    const waveU = random.between(-1, 1);
    const waveV = random.between(-1, 1);
    const frequency = random.between(3, 28);
    const phase = random.between(0, 6.28);
    const contrast = random.chance(0.4) ? random.between(0, 0.6) : 0;
    const reach = 1.5 * Math.max(width, height) + softness / pixelsPerUnit;
    canvas.paintShaded(
      (x, y) => {
        const u = (cosine * (x - centreX) + sine * (y - centreY)) / width;
        const v = (-sine * (x - centreX) + cosine * (y - centreY)) / height;
        const distance = norm(u, v, exponent);
        const outer = softEdge((1 - distance) * scale);
        return strength * (hole === 0 ? outer : outer * softEdge((distance - hole) * scale));
      },
      (x, y) => {
        if (contrast === 0) return 1;
        const u = cosine * (x - centreX) + sine * (y - centreY);
        const v = -sine * (x - centreX) + cosine * (y - centreY);
        return 1 + contrast * Math.sin(frequency * (waveU * u + waveV * v) + phase);
      },
      randomColour(random, channels),
      { left: centreX - reach, right: centreX + reach, top: centreY - reach, bottom: centreY + reach },
    );
  }
}

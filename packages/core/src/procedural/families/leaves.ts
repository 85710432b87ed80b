import { type Canvas, softEdge } from '../canvas.ts';
import type { PictureRandom } from '../picture-random.ts';
import { randomColour } from '../random-colour.ts';

const LEAVES = 40;

/**
 * Dead leaves: overlapping ellipses and boxes, the large ones beneath, whose sizes follow a power law.
 *
 * Source: Baradad et al., "Learning to See by Looking at Noise", NeurIPS 2021, for the idea and the law of sizes.
 */
export function leaves(canvas: Canvas, random: PictureRandom): void {
  const { channels, pixelsPerUnit } = canvas;
  canvas.values.fill(0);
  canvas.paint(() => 1, randomColour(random, channels));
  for (let leaf = 0; leaf < LEAVES; leaf++) {
    const size = Math.min(1.2, 0.05 * (1 - random.next() * 0.97) ** -0.8) * (1.6 * (1 - leaf / LEAVES) + 0.3);
    const centreX = random.between(-1.1, 1.1);
    const centreY = random.between(-1.1, 1.1);
    const angle = random.between(0, Math.PI);
    const cosine = Math.cos(angle);
    const sine = Math.sin(angle);
    const stretch = random.between(0.3, 1);
    const isBox = random.chance(0.5);
    const reach = size * 1.5;
    canvas.paint(
      (x, y) => {
        const u = cosine * (x - centreX) + sine * (y - centreY);
        const v = (-sine * (x - centreX) + cosine * (y - centreY)) / stretch;
        const distance = isBox ? Math.max(Math.abs(u), Math.abs(v)) : Math.sqrt(u * u + v * v);
        return softEdge((size - distance) * pixelsPerUnit);
      },
      randomColour(random, channels),
      { left: centreX - reach, right: centreX + reach, top: centreY - reach, bottom: centreY + reach },
    );
  }
}

import type { Canvas } from '../canvas.ts';
import type { PictureRandom } from '../picture-random.ts';

const UNITS = 8;
/** Both coordinates, the distance from the middle, rays around it, and a saddle. */
const INPUTS = 5;
/** Share of the weights that are not zero. */
const DENSITY = 0.75;

type Curve = (value: number) => number;

/** What a unit makes of its sum. */
const curves: readonly Curve[] = [
  Math.sin,
  Math.sin,
  (value) => Math.cos(2 * value),
  (value) => value / (1 + Math.abs(value)),
  (value) => Math.abs(value) - 1,
  (value) => 1 / (1 + value * value),
  (value) => value - Math.floor(value),
  (value) => Math.max(0, value),
];

/** One layer: a row of weights for each unit, its bias first. */
interface Layer {
  readonly inputs: number;
  readonly weights: Float64Array;
  readonly curves: readonly Curve[];
}

/**
 * Small random networks of the coordinates, a curve for each unit: folds, rings, symmetric figures and textures.
 *
 * Source: Stanley, "Compositional Pattern Producing Networks", Genetic Programming and Evolvable Machines 8, 2007, for the
 * idea.
 */
export function fields(canvas: Canvas, random: PictureRandom): void {
  const { height, width, channels, values } = canvas;
  const zoom = Math.exp(random.between(-0.7, 1));
  const centreX = random.between(-0.8, 0.8);
  const centreY = random.between(-0.8, 0.8);
  const angle = random.between(0, 2 * Math.PI);
  const cosine = Math.cos(angle) * zoom;
  const sine = Math.sin(angle) * zoom;
  const isFolded = random.chance(0.3);
  const rays = random.integer(6);
  const layers = drawLayers(random);
  const tint = channels === 1 ? 0 : random.next();
  const head = drawHead(random, channels, tint);
  let current = new Float64Array(UNITS);
  let next = new Float64Array(UNITS);
  for (let row = 0, at = 0; row < height; row++) {
    const fromY = canvas.y(row) - centreY;
    for (let column = 0; column < width; column++) {
      const fromX = canvas.x(column) - centreX;
      const x = cosine * fromX + sine * fromY;
      const y = cosine * fromY - sine * fromX;
      const radius = Math.sqrt(x * x + y * y);
      current[0] = isFolded ? Math.abs(x) : x;
      current[1] = y;
      current[2] = radius;
      current[3] = rays === 0 ? x * y : Math.sin(rays * Math.atan2(y, x)) * Math.min(1, radius);
      current[4] = x * x - y * y;
      for (const { inputs, weights, curves: ofUnits } of layers) {
        for (let unit = 0, index = 0; unit < UNITS; unit++) {
          let sum = weights[index++];
          for (let input = 0; input < inputs; input++) sum += weights[index++] * current[input];
          next[unit] = ofUnits[unit](sum);
        }
        [current, next] = [next, current];
      }
      for (let channel = 0, index = 0; channel < channels; channel++) {
        let sum = head[index++];
        for (let unit = 0; unit < UNITS; unit++) sum += head[index++] * current[unit];
        values[at++] = sum;
      }
    }
  }
  spreadTones(canvas, random, tint);
}

function drawLayers(random: PictureRandom): Layer[] {
  return Array.from({ length: 2 + random.integer(3) }, (_, layer) => {
    const inputs = layer === 0 ? INPUTS : UNITS;
    const gain = random.between(1, 2.5) / Math.sqrt(layer === 0 ? 2 : 0.6 * inputs);
    return {
      inputs,
      weights: Float64Array.from({ length: UNITS * (inputs + 1) }, () =>
        random.chance(DENSITY) ? gain * random.normal() : 0,
      ),
      curves: Array.from({ length: UNITS }, () => random.pick(curves)),
    };
  });
}

/** What each channel makes of the last units: the same for all, and a part of its own. */
function drawHead(random: PictureRandom, channels: number, own: number): Float64Array {
  const shared = Array.from({ length: UNITS + 1 }, () => random.normal());
  return Float64Array.from(
    { length: channels * (UNITS + 1) },
    (_, index) => shared[index % (UNITS + 1)] + (own === 0 ? 0 : own * random.normal()),
  );
}

/** Tones of a picture, however large the sums. */
function spreadTones({ height, width, channels, values }: Canvas, random: PictureRandom, tint: number): void {
  const count = height * width;
  const sums = new Float64Array(channels);
  const squares = new Float64Array(channels);
  for (let index = 0, channel = 0; index < values.length; index++) {
    sums[channel] += values[index];
    squares[channel] += values[index] ** 2;
    channel = channel + 1 === channels ? 0 : channel + 1;
  }
  let deviation = 0;
  for (let channel = 0; channel < channels; channel++)
    deviation += Math.sqrt(Math.max(1e-9, squares[channel] / count - (sums[channel] / count) ** 2)) / channels;
  const contrast = random.between(0.1, 0.35) / deviation;
  const level = random.between(0.25, 0.75);
  const levels = Array.from({ length: channels }, () => level + (tint === 0 ? 0 : tint * random.between(-0.2, 0.2)));
  for (let index = 0, channel = 0; index < values.length; index++) {
    values[index] = levels[channel] + contrast * (values[index] - sums[channel] / count);
    channel = channel + 1 === channels ? 0 : channel + 1;
  }
}

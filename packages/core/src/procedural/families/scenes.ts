import { Canvas, softEdge } from '../canvas.ts';
import type { PictureRandom } from '../picture-random.ts';
import { randomColour } from '../random-colour.ts';
import { clouds } from './clouds.ts';
import { fields } from './fields.ts';
import { waves } from './waves.ts';

const FEW_THINGS = 3;
const MANY_THINGS = 7;

/** Things before a ground, sometimes with a horizon, each with a texture and a light of its own: what photographs show. */
export function scenes(canvas: Canvas, random: PictureRandom): void {
  fill(canvas, random);
  const texture = new Canvas(canvas);
  if (random.chance(0.4)) {
    fill(texture, random);
    paintGroundBelow(canvas, texture, random);
  }
  const things = 1 + random.integer(random.chance(0.3) ? MANY_THINGS : FEW_THINGS);
  for (let thing = 0; thing < things; thing++) {
    fill(texture, random);
    paintThing(canvas, texture, random, things > FEW_THINGS);
  }
}

/** Covers a canvas with a texture or a shading. */
function fill(canvas: Canvas, random: PictureRandom): void {
  const texture = random.pick([clouds, clouds, waves, fields, null]);
  if (texture !== null) {
    texture(canvas, random);
    return;
  }
  const { height, width, channels, values } = canvas;
  const colour = randomColour(random, channels);
  const slopeX = random.between(-0.4, 0.4);
  const slopeY = random.between(-0.4, 0.4);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const shade = slopeX * canvas.x(column) + slopeY * canvas.y(row);
      for (let channel = 0; channel < channels; channel++) values[at++] = colour[channel] + shade;
    }
  }
}

function paintGroundBelow(canvas: Canvas, texture: Canvas, random: PictureRandom): void {
  const { height, width, channels, values, pixelsPerUnit } = canvas;
  const level = random.between(-0.6, 0.8);
  const slope = 0.15 * random.normal();
  const softness = random.between(1, 4);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const depth = canvas.y(row) - level - slope * canvas.x(column);
      const share = softEdge((depth * pixelsPerUnit) / softness);
      for (let channel = 0; channel < channels; channel++, at++)
        values[at] += share * (texture.values[at] - values[at]);
    }
  }
}

/** A super-ellipse, often lobed, lit from one side. */
function paintThing(canvas: Canvas, texture: Canvas, random: PictureRandom, isOneOfMany: boolean): void {
  const { height, width, channels, values, pixelsPerUnit } = canvas;
  const tint = randomColour(random, channels);
  const tinting = random.between(0, 0.9);
  const size = isOneOfMany ? random.between(0.1, 0.5) : random.between(0.2, 0.95);
  const spread = isOneOfMany ? 0.9 : 0.45;
  const centreX = random.between(-spread, spread);
  const centreY = random.between(-spread, spread);
  const angle = random.chance(0.5) ? 0.2 * random.normal() : random.between(0, Math.PI);
  const cosine = Math.cos(angle);
  const sine = Math.sin(angle);
  const stretch = random.between(0.3, 1);
  const power = random.pick([1.5, 2, 2, 2.5, 4, 8]);
  const lobes = 1 + random.integer(6);
  const lobeDepth = random.chance(0.6) ? random.between(0, 0.35) : 0;
  const phase = random.between(0, 2 * Math.PI);
  const light = random.between(0, 2 * Math.PI);
  const lightX = Math.cos(light) * random.between(0, 0.5);
  const lightY = Math.sin(light) * random.between(0, 0.5);
  const softness = random.between(1, 2);
  for (let row = 0, at = 0; row < height; row++) {
    const fromY = canvas.y(row) - centreY;
    for (let column = 0; column < width; column++, at += channels) {
      const fromX = canvas.x(column) - centreX;
      const u = (cosine * fromX + sine * fromY) / size;
      const v = (cosine * fromY - sine * fromX) / (size * stretch);
      const squared = u * u + v * v;
      // No corner and no lobe reaches further.
      if (squared > 6) continue;
      let distance = power === 2 ? Math.sqrt(squared) : (Math.abs(u) ** power + Math.abs(v) ** power) ** (1 / power);
      if (lobeDepth > 0) distance *= 1 + lobeDepth * Math.sin(lobes * Math.atan2(v, u) + phase);
      const share = softEdge(((1 - distance) * size * stretch * pixelsPerUnit) / softness);
      if (share === 0) continue;
      const shade = 1 + lightX * u + lightY * v;
      for (let channel = 0; channel < channels; channel++) {
        const base = texture.values[at + channel];
        const painted = (base + tinting * (tint[channel] * (0.6 + 0.8 * base) - base)) * shade;
        values[at + channel] += share * (Math.min(1, Math.max(0, painted)) - values[at + channel]);
      }
    }
  }
}

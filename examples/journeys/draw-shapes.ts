/**
 * Draws what docs/journeys.md trains on: four kinds of shapes in two random colours, 32x32 PNG files in class folders,
 * 200 of each to train on and 50 to test on.
 *
 * Run: node examples/journeys/draw-shapes.ts [FOLDER]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandomStream } from '@dafl/core';
import { encode } from 'fast-png';

const SIDE = 32;
/** Points of each pixel, along each side. */
const SAMPLES = 4;

/** Whether a point is within a shape of radius 1 around the origin. */
const shapes: Readonly<Record<string, (x: number, y: number) => boolean>> = {
  circle: (x, y) => Math.hypot(x, y) < 0.9,
  ring: (x, y) => Math.hypot(x, y) < 1 && Math.hypot(x, y) > 0.55,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) < 0.75,
  star(x, y) {
    // Between two points of the star, its edge runs from radius 1 to radius 0.4.
    const turn = Math.abs((((((Math.atan2(y, x) / Math.PI) * 5) % 2) + 2) % 2) - 1) * (Math.PI / 5);
    const [across, along] = [Math.hypot(x, y) * Math.sin(turn), Math.hypot(x, y) * Math.cos(turn)];
    const [edgeAcross, edgeAlong] = [0.4 * Math.sin(Math.PI / 5), 0.4 * Math.cos(Math.PI / 5)];
    return (along - edgeAlong) * edgeAcross < (1 - edgeAlong) * (edgeAcross - across);
  },
};

const [folder = 'shapes'] = process.argv.slice(2);
const random = createRandomStream(0, 'shapes');
let count = 0;
for (const [split, pictures] of Object.entries({ train: 200, test: 50 })) {
  for (const [name, holds] of Object.entries(shapes)) {
    mkdirSync(join(folder, split, name), { recursive: true });
    for (let index = 0; index < pictures; index++, count++) {
      const file = join(folder, split, name, `${String(index).padStart(3, '0')}.png`);
      writeFileSync(file, encode({ width: SIDE, height: SIDE, channels: 3, data: draw(holds) }));
    }
  }
}
console.log(`${folder}: ${count} pictures of ${Object.keys(shapes).join(', ')}`);

function draw(holds: (x: number, y: number) => boolean): Uint8Array {
  const draws = random.uniform(10);
  const radius = (0.25 + 0.2 * draws[0]) * SIDE;
  const [left, top] = [draws[1], draws[2]].map((share) => radius + share * (SIDE - 2 * radius));
  const [sine, cosine] = [Math.sin(draws[3] * 2 * Math.PI), Math.cos(draws[3] * 2 * Math.PI)];
  const ground = [...draws.subarray(4, 7)];
  // Far enough from the ground to be seen.
  const colour = ground.map((value, channel) => (value + 0.3 + 0.4 * draws[7 + channel]) % 1);
  const data = new Uint8Array(SIDE * SIDE * 3);
  for (let place = 0; place < SIDE * SIDE; place++) {
    let inside = 0;
    for (let sample = 0; sample < SAMPLES ** 2; sample++) {
      const x = ((place % SIDE) + ((sample % SAMPLES) + 0.5) / SAMPLES - left) / radius;
      const y = (Math.floor(place / SIDE) + (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES - top) / radius;
      if (holds(x * cosine + y * sine, y * cosine - x * sine)) inside++;
    }
    const share = inside / SAMPLES ** 2;
    for (let channel = 0; channel < 3; channel++)
      data[place * 3 + channel] = Math.round(255 * (share * colour[channel] + (1 - share) * ground[channel]));
  }
  return data;
}

import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { createRandomStream } from '../random.ts';
import { pictureRules } from './picture-rules.ts';
import { type PictureLabels, PictureSource } from './picture-source.ts';

const size = { height: 8, width: 8, channels: 1 };
const pixels = 64;

function create(): PictureSource {
  const createRandom = (purpose: string) => createRandomStream(4, purpose);
  return new PictureSource({ size, classes: 3, capacity: 900, heldOut: 90, createRandom });
}

/** A teacher that sees class 2 in light pictures only, class 1 in few others. */
async function answer(pictures: Uint8Array): Promise<PictureLabels> {
  const labels = meansOf(pictures).map((mean, index) => (mean > 240 ? 2 : pictures[index * pixels] > 250 ? 1 : 0));
  return { labels };
}

function meansOf(pictures: Uint8Array): number[] {
  return Array.from({ length: pictures.length / pixels }, (_, index) => {
    const picture = pictures.subarray(index * pixels, (index + 1) * pixels);
    return picture.reduce((sum, value) => sum + value, 0) / pixels;
  });
}

function all(pool: PictureSource['training'], label: number): Uint8Array[] {
  const count = pool.classCounts[label];
  return Array.from({ length: count }, (_, index) => pool.pick(label, (index + 0.5) / count));
}

it('fills rare classes by what it has found of them', async () => {
  const source = create();
  await source.draw(3_000, answer);
  const [, , rareAtFirst] = source.training.classCounts;
  await source.draw(1_500, answer);
  const [common, , rare] = source.training.classCounts;
  expect(common).toBe(300);
  expect(rareAtFirst).toBeLessThan(300);
  // Of 1,500 blind draws the rare class would have got half as many again.
  expect(rare).toBeGreaterThan(Math.min(290, rareAtFirst * 1.6));
});

it('draws dark pictures for a teacher of dark ones, and light ones for a teacher of light ones', async () => {
  const meanAt = async (brightness: number): Promise<number> => {
    const createRandom = (purpose: string) => createRandomStream(4, purpose);
    const source = new PictureSource({ size, classes: 3, capacity: 900, heldOut: 90, brightness, createRandom });
    let mean = 0;
    await source.draw(600, async (pictures) => {
      mean = pictures.reduce((sum, value) => sum + value, 0) / pictures.length / 255;
      return { labels: new Uint32Array(600) };
    });
    return mean;
  };
  expect(await meanAt(0.1)).toBeLessThan(0.45);
  expect(await meanAt(0.9)).toBeGreaterThan(0.55);
});

it('never teaches a picture that it keeps apart', async () => {
  const source = create();
  await source.draw(400, answer);
  const known = new Set<string>();
  for (const label of source.training.knownClasses) {
    for (let index = 0; index < source.training.classCounts[label]; index++)
      known.add(source.training.pick(label, (index + 0.5) / source.training.classCounts[label]).join());
  }
  for (const label of source.heldOut.knownClasses) {
    for (let index = 0; index < source.heldOut.classCounts[label]; index++)
      expect(known).not.toContain(source.heldOut.pick(label, (index + 0.5) / source.heldOut.classCounts[label]).join());
  }
});

it('makes the same pools again from the answers alone', async () => {
  const first = create();
  await first.draw(3_100, answer);
  await first.draw(500, answer);
  const again = create();
  await again.replay({ labels: first.answers.slice(0, 3_100) });
  await again.replay({ labels: first.answers.slice(3_100) });
  expect(again.training.classCounts).toEqual(first.training.classCounts);
  for (const label of first.training.knownClasses)
    expect(again.training.pick(label, 0.99)).toEqual(first.training.pick(label, 0.99));
});

it('keeps what is least strange to the teacher of a class that is full', async () => {
  const seen: number[] = [];
  const strange = async (pictures: Uint8Array): Promise<PictureLabels> => {
    const { labels } = await answer(pictures);
    const strangeness = meansOf(pictures);
    strangeness.forEach((mean, index) => labels[index] === 0 && seen.push(mean));
    return { labels, strangeness };
  };
  const first = create();
  await first.draw(3_000, strange);
  await first.draw(600, strange);
  const kept = all(first.training, 0).map((picture) => meansOf(picture)[0]);
  const heldOut = all(first.heldOut, 0).map((picture) => meansOf(picture)[0]);
  expect(kept.length).toBe(300);
  // One of twelve is kept apart.
  const darkest = seen.toSorted((a, b) => a - b).slice(0, 360);
  expect(Math.max(...kept)).toBeLessThanOrEqual(darkest[darkest.length - 1]);
  // What is kept apart is chosen alike: it is shown as what the student learns from.
  expect(Math.max(...heldOut)).toBeLessThanOrEqual(darkest[darkest.length - 1]);
  const again = create();
  const told = (begin: number, end?: number): PictureLabels => ({
    labels: first.answers.slice(begin, end),
    strangeness: first.strangeness.slice(begin, end),
  });
  await again.replay(told(0, 3_000));
  await again.replay(told(3_000));
  expect(all(again.training, 0)).toEqual(all(first.training, 0));
});

it('lets signals and timers be heard while it draws, and as it makes the pools again', async () => {
  let turns = 0;
  const createRandom = (purpose: string) => createRandomStream(4, purpose);
  const turn = async (): Promise<void> => void turns++;
  const source = new PictureSource({ size, classes: 3, capacity: 900, heldOut: 90, createRandom, turn });
  await source.draw(1_000, answer);
  expect(turns).toBe(8);
  const again = new PictureSource({ size, classes: 3, capacity: 900, heldOut: 90, createRandom, turn });
  await again.replay({ labels: source.answers });
  expect(turns).toBe(16);
});

it('chooses and varies by the rules that it is known for', async () => {
  const hash = createHash('sha256');
  const note = async (pictures: Uint8Array): Promise<PictureLabels> => {
    hash.update(pictures);
    return await answer(pictures);
  };
  const source = create();
  await source.draw(3_000, note);
  await source.draw(400, note);
  // As in draw-picture.test.ts: other pictures are other rules.
  expect([pictureRules, hash.digest('hex').slice(0, 16)]).toEqual([3, 'e1f9c3aaefe79939']);
});

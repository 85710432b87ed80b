import type { Canvas } from '../canvas.ts';
import type { PictureRandom } from '../picture-random.ts';

const WAVES = 10;

/**
 * Sums of sinusoids whose amplitude falls with their frequency, as in natural images; some cut into two tones.
 *
 * Source: the mean power spectrum of natural images falls with the square of the frequency (Field, 1987).
 */
export function waves(canvas: Canvas, random: PictureRandom): void {
  const { height, width, channels, values } = canvas;
  const isCut = random.chance(0.4);
  const gain = random.between(0.15, 0.5);
  const level = 0.5 + 0.2 * random.normal();
  const components = Array.from({ length: WAVES }, () => {
    const frequency = 0.25 + 5 * random.next() ** 2;
    const angle = random.between(0, 2 * Math.PI);
    const shared = random.normal();
    return {
      across: Math.PI * 2 * frequency * Math.cos(angle),
      down: Math.PI * 2 * frequency * Math.sin(angle),
      phase: random.between(0, 2 * Math.PI),
      amplitudes: Array.from(
        { length: channels },
        () => (0.5 * (shared + (channels === 1 ? shared : 0.6 * random.normal()))) / frequency,
      ),
    };
  });
  const sums = new Float32Array(values.length);
  for (const { across, down, phase, amplitudes } of components) {
    // Along a row the angle grows by the same amount, so that sine and cosine turn instead of being computed anew.
    const turn = across / canvas.pixelsPerUnit;
    const turnSine = Math.sin(turn);
    const turnCosine = Math.cos(turn);
    let at = 0;
    for (let row = 0; row < height; row++) {
      const angle = across * canvas.x(0) + down * canvas.y(row) + phase;
      let sine = Math.sin(angle);
      let cosine = Math.cos(angle);
      for (let column = 0; column < width; column++) {
        for (let channel = 0; channel < channels; channel++) sums[at++] += amplitudes[channel] * sine;
        const next = sine * turnCosine + cosine * turnSine;
        cosine = cosine * turnCosine - sine * turnSine;
        sine = next;
      }
    }
  }
  for (let index = 0; index < values.length; index++) {
    values[index] = level + gain * (isCut ? Math.sign(sums[index]) : sums[index]);
  }
}

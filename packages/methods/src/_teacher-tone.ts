import type { Preprocessing } from '@dafl/core';

/** What normal values are scaled and shifted by before the sigmoid. */
export interface Tone {
  readonly contrast: number;
  readonly brightness: number;
}

/** Where a preprocessing tells nothing of the images: mid-grey, and all tones. */
const UNKNOWN: Tone = { contrast: 2, brightness: 0 };
/** Beyond it nearly every pixel is black or white. */
const MOST_CONTRAST = 6;
const LEAST_CONTRAST = 0.1;
/** Points at which the normal distribution is summed, from -4 to 4. */
const POINTS = 161;

/**
 * The tone at which pixels, sigmoid(contrast x + brightness) of normal x, have the mean and the deviation that a teacher's
 * preprocessing takes off its images, on average over the channels.
 */
export function teacherTone({ mean, standardDeviation }: Preprocessing): Tone {
  const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [wantedMean, wantedDeviation] = [average(mean), average(standardDeviation)];
  // Half black and half white has a deviation of 0.5.
  if (!(wantedMean > 0 && wantedMean < 1 && wantedDeviation > 0 && wantedDeviation <= 0.5)) return UNKNOWN;
  // The deviation grows with the contrast at a given mean, and the mean with the brightness.
  const contrast = bisect(LEAST_CONTRAST, MOST_CONTRAST, (value) => {
    return pixelMoments(value, brightnessFor(wantedMean, value)).deviation - wantedDeviation;
  });
  return { contrast, brightness: brightnessFor(wantedMean, contrast) };
}

function brightnessFor(mean: number, contrast: number): number {
  return bisect(-30, 30, (brightness) => pixelMoments(contrast, brightness).mean - mean);
}

function pixelMoments(contrast: number, brightness: number): { mean: number; deviation: number } {
  let [total, first, second] = [0, 0, 0];
  for (let point = 0; point < POINTS; point++) {
    const x = -4 + (8 * point) / (POINTS - 1);
    const density = Math.exp((-x * x) / 2);
    const pixel = 1 / (1 + Math.exp(-contrast * x - brightness));
    total += density;
    first += density * pixel;
    second += density * pixel * pixel;
  }
  const mean = first / total;
  return { mean, deviation: Math.sqrt(Math.max(0, second / total - mean * mean)) };
}

/** Where a growing function crosses 0, or the end that is nearer to it. */
function bisect(low: number, high: number, evaluate: (value: number) => number): number {
  for (let round = 0; round < 50; round++) {
    const middle = (low + high) / 2;
    if (evaluate(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

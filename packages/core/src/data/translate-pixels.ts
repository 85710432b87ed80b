import type { Preprocessing } from '../model/model.ts';

/**
 * What each byte of a pixel is in a network's input space: 256 numbers for each channel, (byte / 255 - mean) / deviation.
 *
 * @returns Shape `[channels, 256]`.
 */
export function pixelTable({
  mean,
  standardDeviation,
}: Pick<Preprocessing, 'mean' | 'standardDeviation'>): Float32Array {
  return Float32Array.from({ length: 256 * mean.length }, (_, index) => {
    const channel = Math.floor(index / 256);
    return ((index % 256) / 255 - mean[channel]) / standardDeviation[channel];
  });
}

/**
 * Looks up `length` bytes, channels last, beginning with the first channel: a batch has as many bytes as a small network
 * has operations.
 *
 * @param table Of `pixelTable`.
 */
export function translatePixels(
  bytes: Uint8Array,
  from: number,
  length: number,
  table: Float32Array,
  output: Float32Array,
  to: number,
): void {
  const channels = table.length / 256;
  // Loops of their own, without a branch for each channel.
  for (let channel = 0; channel < channels; channel++) {
    const base = 256 * channel;
    for (let offset = channel; offset < length; offset += channels)
      output[to + offset] = table[base + bytes[from + offset]];
  }
}

import type { SamplesEvent } from '@dafl/core';

/** Channels that a picture of images of so many channels has: colour for three, else grey. */
export function visibleChannels(channels: number): 1 | 3 {
  return channels === 3 ? 3 : 1;
}

/** Samples as a picture can show them: images of other than one or three channels become the mean of their channels. */
export function visibleSamples(samples: SamplesEvent): SamplesEvent {
  const { images, channels } = samples;
  if (visibleChannels(channels) === channels) return samples;
  const grey = Float32Array.from({ length: images.length / channels }, (_, pixel) => {
    const values = images.subarray(pixel * channels, (pixel + 1) * channels);
    return values.reduce((total, value) => total + value, 0) / channels;
  });
  return { ...samples, images: grey, channels: 1 };
}

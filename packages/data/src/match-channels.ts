import type { ImageSet } from '@dafl/core';
import { greyShares } from './_grey-shares.ts';

/**
 * The same images with as many channels as a network reads: grey is repeated to three, colours are mixed to grey. A
 * set that fits, or whose channels are of another number, is returned as it is.
 */
export function matchChannels(images: ImageSet, channels: number): ImageSet {
  const from = images.channels;
  const isKnown = (from === 1 && channels === 3) || (from === 3 && channels === 1);
  if (!isKnown) return images;
  const places = images.count * images.height * images.width;
  const pixels = new Uint8Array(places * channels);
  for (let place = 0; place < places; place++) {
    if (channels === 3) {
      pixels.fill(images.pixels[place], place * 3, place * 3 + 3);
    } else {
      const start = place * 3;
      pixels[place] = Math.round(
        greyShares.reduce((sum, share, colour) => sum + share * images.pixels[start + colour], 0),
      );
    }
  }
  return { ...images, channels, pixels };
}

import type { HostTensor } from '@dafl/core';

/** A small image as it is shown. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  /** Grey, RGB or RGBA. */
  readonly channels: 1 | 3 | 4;
  /** 0..255, shape `[height, width, channels]`. */
  readonly data: Uint8Array;
}

/** Where one of several images lies. */
export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** One of several images, in 0..1, as a picture: images of other than one or three channels become the mean of theirs. */
export function pictureOf(images: HostTensor['data'], index: number, shape: ImageShape): Picture {
  return takePicture(images, index, shape, 255);
}

/** The same of bytes. */
export function pictureOfBytes(images: Uint8Array, index: number, shape: ImageShape): Picture {
  return takePicture(images, index, shape, 1);
}

function takePicture(
  images: ArrayLike<number>,
  index: number,
  { height, width, channels }: ImageShape,
  scale: number,
): Picture {
  const places = height * width;
  const start = index * places * channels;
  if (channels === 3 || channels === 1) {
    const data = Uint8Array.from({ length: places * channels }, (_, offset) =>
      Math.round(images[start + offset] * scale),
    );
    return { height, width, channels, data };
  }
  const data = Uint8Array.from({ length: places }, (_, place) => {
    let total = 0;
    for (let channel = 0; channel < channels; channel++) total += images[start + place * channels + channel];
    return Math.round((total / channels) * scale);
  });
  return { height, width, channels: 1, data };
}

/** The picture, or one of a whole fraction of its size, by means, whose sides are at most so long. */
export function fitPicture(picture: Picture, mostSide: number): Picture {
  const factor = Math.ceil(Math.max(picture.height, picture.width) / mostSide);
  if (factor <= 1) return picture;
  const { channels } = picture;
  const [height, width] = [Math.ceil(picture.height / factor), Math.ceil(picture.width / factor)];
  const data = new Uint8Array(height * width * channels);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let channel = 0; channel < channels; channel++) {
        let [total, count] = [0, 0];
        for (let row = y * factor; row < Math.min(picture.height, (y + 1) * factor); row++)
          for (let column = x * factor; column < Math.min(picture.width, (x + 1) * factor); column++) {
            total += picture.data[(row * picture.width + column) * channels + channel];
            count++;
          }
        data[(y * width + x) * channels + channel] = Math.round(total / count);
      }
  return { height, width, channels, data };
}

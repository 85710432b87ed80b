/** Labelled or unlabelled pictures on the host. */
export interface ImageSet {
  readonly height: number;
  readonly width: number;
  /** 1 (grey) or 3 (red, green, blue). */
  readonly channels: number;
  readonly count: number;
  /** Shape `[count, height, width, channels]`, 0..255. */
  readonly pixels: Uint8Array;
  /** Class of each image, shape `[count]`; absent for unlabelled pictures. */
  readonly labels?: Uint32Array;
  /** Of the classes, where known. */
  readonly classNames?: readonly string[];
}

/** The images `begin`..`end - 1` as a set of their own; shares memory with the original. */
export function sliceImageSet(images: ImageSet, begin: number, end: number): ImageSet {
  const size = images.height * images.width * images.channels;
  return {
    ...images,
    count: end - begin,
    pixels: images.pixels.subarray(begin * size, end * size),
    labels: images.labels?.subarray(begin, end),
  };
}

import type { Graph } from '@dafl/core';

/** Pillow's number for bilinear resizing, which Hugging Face's files use. */
const BILINEAR = 2;

/**
 * What to do to pictures before a model, and what its classes are called, in the words of Hugging Face's
 * `preprocessor_config.json` and `config.json`: for those who deploy a file that leaves these to its caller.
 *
 * @param options.includesPreprocessing Whether the file does all but resizing itself.
 * @example
 * ```ts
 * await writeFile('student.preprocessor_config.json', JSON.stringify(describePreprocessor(student.graph)));
 * ```
 */
export function describePreprocessor(
  { inputShape, preprocessing, classNames }: Graph,
  options: { readonly includesPreprocessing?: boolean } = {},
): Readonly<Record<string, unknown>> {
  const { includesPreprocessing = false } = options;
  const [height, width, channels] = inputShape;
  const isNormalized = preprocessing !== undefined && !includesPreprocessing;
  return {
    do_resize: true,
    size: { height, width },
    resample: BILINEAR,
    do_convert_rgb: channels === 3,
    do_rescale: !includesPreprocessing,
    rescale_factor: 1 / 255,
    do_normalize: isNormalized,
    ...(isNormalized ? { image_mean: preprocessing.mean, image_std: preprocessing.standardDeviation } : {}),
    ...(classNames === undefined
      ? {}
      : { id2label: Object.fromEntries(classNames.map((name, index) => [String(index), name])) }),
  };
}

import { describeClassifier, type Graph, type ImageSet } from '@dafl/core';
import { fitImages } from './fit-images.ts';
import { type LoadOptions, loadLabelledImages } from './load-images.ts';

/**
 * Loads labelled images as a model reads them, see `loadLabelledImages` and `fitImages`. Pictures of many sizes are brought
 * to the model's at once.
 *
 * @throws {DaflError} `MODEL` if it is no classifier; `DATA` if the images are missing, damaged or of classes that it does not know.
 */
export async function loadImagesFor(
  graph: Graph,
  source: string,
  options: Omit<LoadOptions, 'pictureSize'> = {},
): Promise<ImageSet> {
  const [height, width] = describeClassifier(graph).inputShape;
  return fitImages(await loadLabelledImages(source, { ...options, pictureSize: [height, width] }), graph);
}

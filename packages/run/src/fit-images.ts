import { DaflError, describeClassifier, type Graph, type ImageSet } from '@dafl/core';
import { matchChannels } from '@dafl/data';

/**
 * Images as a model reads them: with its channels and, where both have names of classes, with its labels for those names, so
 * that folders of classes may lack some or stand in another order.
 *
 * @throws {DaflError} `MODEL` if it is no classifier; `DATA` if it does not know a class.
 */
export function fitImages(images: ImageSet, graph: Graph): ImageSet {
  const { inputShape } = describeClassifier(graph);
  const fitted = matchChannels(images, inputShape[2]);
  const { classNames: known } = graph;
  const { classNames: given, labels } = images;
  if (known === undefined || given === undefined || labels === undefined) return fitted;
  const order = given.map((name) => known.indexOf(name));
  const unknown = labels.find((label) => order[label] === -1);
  if (unknown !== undefined) {
    throw new DaflError(
      'DATA',
      `Cannot use the images with '${graph.name}' as it must know their classes: current value is '${given[unknown]}', not one of [${known.join(', ')}]`,
    );
  }
  return { ...fitted, labels: labels.map((label) => order[label]), classNames: known };
}

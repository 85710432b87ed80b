import { DaflError, describeClassifier, fail, type Graph, type ImageSet } from '@dafl/core';
import { matchChannels } from '@dafl/data';

/**
 * Images as a model reads them: with its channels and with its labels. Where both have names of classes, a label is the
 * model's for that name, so that folders of classes may lack some or stand in another order. Where only the images have
 * names, these are the model's labels if they are numbers, and otherwise there must be one for each class, in order.
 *
 * @throws {DaflError} `MODEL` if it is no classifier; `DATA` if it does not know a class, or none can tell which it is.
 */
export function fitImages(images: ImageSet, graph: Graph): ImageSet {
  const { inputShape, classes } = describeClassifier(graph);
  const fitted = matchChannels(images, inputShape[2]);
  const { classNames: given, labels } = images;
  if (given === undefined || labels === undefined) return fitted;
  const { classNames: known } = graph;
  if (known === undefined) return { ...fitted, labels: labelsByNumber(given, labels, classes, graph.name) };
  // macOS takes an accent apart in the names of files, others do not.
  const composed = known.map((name) => name.normalize());
  const order = given.map((name) => composed.indexOf(name.normalize()));
  const unknown = labels.find((label) => order[label] === -1);
  if (unknown !== undefined) {
    fail({
      code: 'DATA',
      cannot: `use the images with '${graph.name}'`,
      as: 'it must know their classes',
      value: `'${given[unknown]}', not one of [${known.join(', ')}]`,
    });
  }
  return { ...fitted, labels: labels.map((label) => order[label]), classNames: known };
}

function labelsByNumber(names: readonly string[], labels: Uint32Array, classes: number, model: string): Uint32Array {
  const numbers = names.map((name) => (/^\d+$/.test(name) ? Number(name) : NaN));
  if (numbers.every((number) => number < classes)) return labels.map((label) => numbers[label]);
  if (names.length === classes) return labels;
  throw new DaflError(
    'DATA',
    `Cannot use the images with '${model}' as it has no names of classes, so that theirs must be numbers in 0..${classes - 1} or there must be ${classes}: current names are [${names.slice(0, 12).join(', ')}${names.length > 12 ? ', ...' : ''}]`,
  );
}

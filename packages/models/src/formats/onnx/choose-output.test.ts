/** Files with several outputs, and those that end in a decision. */
import { describe, expect, it } from 'vitest';
import { chooseOutput } from './choose-output.ts';
import type { OnnxModel, OnnxNode } from './parse-onnx.ts';

const step = (
  operator: string,
  from: string,
  to: string,
  attributes: [string, readonly string[]][] = [],
): OnnxNode => ({
  name: `${operator} to ${to}`,
  operator,
  domain: '',
  inputs: from.split(','),
  outputs: to.split(','),
  attributes: new Map(attributes),
});
const common = [step('Conv', 'x,k', 'map'), step('Flatten', 'map', 'features'), step('MatMul', 'features,w', 'logits')];

function choose(outputs: readonly string[], ...nodes: OnnxNode[]) {
  const named = (name: string) => ({ name });
  const file: OnnxModel = {
    irVersion: 8,
    producer: '',
    opset: 17,
    graphName: '',
    nodes: [...common, ...nodes],
    initializers: [],
    inputs: [named('x')],
    outputs: outputs.map(named),
    metadata: new Map(),
  };
  return chooseOutput(file);
}
const probabilities = step('Softmax', 'logits', 'p');
const label = step('ArgMax', 'p', 'label');

describe('the classes', () => {
  it.each<[string, string, readonly string[], OnnxNode[]]>([
    ['the logits, not the features they are made of', 'logits', ['features', 'logits'], []],
    ['the same in the other order', 'logits', ['logits', 'features'], []],
    ['the probabilities, not the class', 'p', ['label', 'p'], [probabilities, label]],
    [
      'the probabilities, not how large the largest is',
      'p',
      ['sure', 'label', 'p'],
      [probabilities, label, step('ReduceMax', 'p', 'sure')],
    ],
    ['the first of two heads', 'logits', ['logits', 'other'], [step('MatMul', 'map,v', 'other')]],
  ])('are read from %s', (_, expected, outputs, nodes) => {
    const shown = outputs.map((name) => `'${name}'`).join(', ');
    expect(choose(outputs, ...nodes)).toEqual({
      name: expected,
      output: expected,
      notes: [`It has several outputs [${shown}]: the classes are read from '${expected}'`],
    });
  });

  it.each([
    ['ArgMax', [step('ArgMax', 'p', 'y')]],
    ['ArgMax', [step('ArgMax', 'p', 'a'), step('Cast', 'a', 'y')]],
    ['TopK', [step('TopK', 'p,k', 'y,places')]],
    ['ArgMax', [step('ArgMax', 'p', 'a'), step('ArrayFeatureExtractor', 'names,a', 'y')]],
  ])('are what %s reads', (operator, nodes) => {
    expect(choose(['y'], probabilities, ...nodes)).toEqual({
      name: 'p',
      output: 'y',
      notes: [`${operator} '${nodes[0].name}' at its end is left out: what it reads tells all classes`],
    });
  });

  it('are called what ZipMap calls them', () => {
    const zip = step('ZipMap', 'p', 'named', [['classlabels_strings', ['ant', 'bee']]]);
    expect(choose(['label', 'named'], probabilities, label, zip)).toMatchObject({
      name: 'p',
      classNames: ['ant', 'bee'],
    });
  });

  it('are the one output that there is', () => {
    expect(choose(['logits'])).toEqual({ name: 'logits', output: 'logits', notes: [] });
    expect(choose(['mean'], step('ReduceMean', 'map', 'mean'))).toEqual({ name: 'mean', output: 'mean', notes: [] });
    expect(choose(['y'], step('Hardmax', 'x', 'y'))).toMatchObject({ name: 'y' });
    expect(choose([])).toBeUndefined();
  });
});

it('a choice in the middle of a network is no end of it', () => {
  const nodes = [step('TopK', 'logits,k', 'best,place'), step('Gemm', 'best,v', 'y')];
  expect(choose(['y'], ...nodes)).toEqual({ name: 'y', output: 'y', notes: [] });
});

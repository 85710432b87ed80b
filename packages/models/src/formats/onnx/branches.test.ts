/** Branches that are taken as the file is read. What ONNX Runtime computes for them is in `read-onnx.test.ts`. */
import { describe, expect, it } from 'vitest';
import { nodeMessage } from './_onnx-messages.ts';
import { ProtobufWriter } from './_protobuf-writer.ts';
import { buildOnnx, floats, integers, node } from './_testing/build-onnx.ts';
import { runModel } from './_testing/run-model.ts';
import { readOnnx } from './read-onnx.ts';

/** A graph that makes `inner` by nodes, or by what stands in its place. */
function graph(...nodes: readonly ProtobufWriter[]): ProtobufWriter {
  const message = new ProtobufWriter();
  for (const each of nodes) message.message(1, each);
  return message.text(2, 'branch').message(12, new ProtobufWriter().text(1, 'inner'));
}

function branching(condition: string, output: string, then: ProtobufWriter, otherwise: ProtobufWriter) {
  const attribute = (name: string, value: ProtobufWriter) =>
    new ProtobufWriter().text(1, name).message(6, value).integer(20, 5);
  return new ProtobufWriter()
    .text(1, condition)
    .text(2, output)
    .text(4, 'If')
    .message(5, attribute('then_branch', then))
    .message(5, attribute('else_branch', otherwise));
}

const weights = [floats('w', [2, 2], [1, 2, 3, 4]), integers('no', [0]), integers('pair', [0, 1])];
const step = (formula: string): ProtobufWriter => nodeMessage(node(formula));
const read = (...constants: readonly ProtobufWriter[]) =>
  readOnnx(buildOnnx({ shape: ['N', 2], weights, nodes: [] }, { constants }), 'x.onnx');

describe('a branch', () => {
  const product = graph(step('MatMul x,w -> inner'));

  it('that is not taken may hold anything', async () => {
    const { model } = read(branching('no', 'y', graph(step('Unheard x -> inner')), product));
    expect(await runModel(model, Float32Array.of(1, 1), [1, 2])).toEqual([4, 6]);
  });

  it('that is taken is named where it cannot be read', () => {
    expect(() => read(branching('no', 'y', product, graph(step('Unheard x -> inner'))))).toThrow(
      "current value is one is not: Unheard 'inner'",
    );
  });

  it.each([
    ['a condition that depends on the picture', [branching('x', 'y', product, product)]],
    ['a condition of two values', [branching('pair', 'y', product, product)]],
  ])('is not taken by %s', (_, nodes) => {
    expect(() => read(...nodes)).toThrow("one is not: If 'y' (its condition is computed)");
  });

  it('must be a graph of as many outputs', () => {
    const none = new ProtobufWriter().text(2, 'branch');
    expect(() => read(branching('no', 'y', product, none))).toThrow("If 'y' (its branch does not make what it gives)");
  });

  it('sees nothing of the other', () => {
    const hidden = branching(
      'no',
      'y',
      graph(step('MatMul x,w -> z'), step('Relu z -> inner')),
      graph(step('Relu z -> inner')),
    );
    expect(() => read(hidden)).toThrow("each node must read what stands before it: current value is 'z'");
  });

  it('lies at most so deep in others', () => {
    let inner = product;
    for (let depth = 0; depth < 8; depth++) inner = graph(branching('no', 'inner', inner, inner));
    expect(() => read(branching('no', 'y', inner, product))).toThrow(
      'as its graphs must lie at most 8 deep in each other: current value is deeper',
    );
  });
});

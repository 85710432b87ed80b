/** Functions of the file itself. What ONNX Runtime computes for them is in `read-onnx.test.ts`. */
import { describe, expect, it } from 'vitest';
import { nodeMessage, tensorMessage, valueMessage } from './_onnx-messages.ts';
import { ProtobufWriter } from './_protobuf-writer.ts';
import { floats, node } from './_testing/build-onnx.ts';
import { runModel } from './_testing/run-model.ts';
import { readOnnx } from './read-onnx.ts';

/** `name` of the domain `own`, which makes `out` of `in`. */
function ownFunction(name: string, nodes: readonly ProtobufWriter[], opset = 17, overload = ''): ProtobufWriter {
  const message = new ProtobufWriter().text(1, name).text(4, 'in').text(5, 'out');
  for (const each of nodes) message.message(7, each);
  message.message(9, new ProtobufWriter().text(1, '').integer(2, opset));
  return message.text(10, 'own').text(13, overload);
}

const step = (formula: string, attributes = {}): ProtobufWriter => nodeMessage(node(formula, attributes));
const call = (formula: string): ProtobufWriter => step(formula).text(7, 'own');

/** A file whose graph makes `y` of `x`. */
function file(nodes: readonly ProtobufWriter[], functions: readonly ProtobufWriter[], shape: readonly number[] = [2]) {
  const graph = new ProtobufWriter();
  for (const each of nodes) graph.message(1, each);
  graph.message(5, tensorMessage(floats('w', [2, 2], [1, 2, 3, 4])));
  graph.message(11, valueMessage('x', ['N', ...shape])).message(12, new ProtobufWriter().text(1, 'y'));
  const message = new ProtobufWriter().integer(1, 8).message(7, graph);
  message.message(8, new ProtobufWriter().text(1, '').integer(2, 17));
  for (const each of functions) message.message(25, each);
  return message.toBytes();
}

const read = (...sketch: Parameters<typeof file>) => readOnnx(file(...sketch), 'x.onnx');
const product = step('MatMul x,w -> z');

describe('a function', () => {
  it('has the versions of operators that it says', async () => {
    // Before opset 13, Softmax is taken over all axes from the one that is named.
    const maps = [step('Relu x -> z'), call('Soft z -> s'), step('Mul s,z -> m'), step('Flatten m -> y')];
    const soft = (opset: number) => ownFunction('Soft', [step('Softmax in -> out', { axis: 1 })], opset);
    const answer = async (opset: number) =>
      runModel(read(maps, [soft(opset)], [1, 1, 2]).model, Float32Array.of(1, 1), [1, 1, 1, 2]);
    expect(await answer(12)).toEqual([0.5, 0.5]);
    expect(await answer(17)).toEqual([1, 1]);
  });

  it('is chosen by its overload', async () => {
    const functions = [
      ownFunction('Bend', [step('Neg in -> out')]),
      ownFunction('Bend', [step('Add in,in -> out')], 17, 'twice'),
    ];
    const { model } = read([product, call('Bend z -> y').text(8, 'twice')], functions);
    expect(await runModel(model, Float32Array.of(1, 1), [1, 2])).toEqual([8, 12]);
  });

  it('may pass on what it is given', async () => {
    const pass = new ProtobufWriter().text(1, 'Pass').text(4, 'in').text(5, 'in').text(5, 'out').text(5, 'out');
    pass.message(7, step('Neg in -> out')).text(10, 'own');
    const { model } = read([product, call('Pass z -> a,,c'), step('Sub a,c -> y')], [pass]);
    expect(await runModel(model, Float32Array.of(1, 1), [1, 2])).toEqual([8, 12]);
  });

  it('names what of it cannot be read', () => {
    const outer = ownFunction('Outer', [call('Inner in -> out')]);
    const inner = ownFunction('Inner', [step('Unheard in -> out')]);
    expect(() => read([product, call('Outer z -> y')], [outer, inner])).toThrow("one is not: Unheard 'y/out/out'");
  });

  it('must not call itself, at once or through others', () => {
    const itself = ownFunction('Self', [call('Self in -> out')]);
    expect(() => read([call('Self x -> y')], [itself])).toThrow(
      "as its functions must not call themselves: current value is 'Self'",
    );
    const pair = [ownFunction('A', [call('B in -> out')]), ownFunction('B', [call('A in -> out')])];
    expect(() => read([call('A x -> y')], pair)).toThrow(
      "as its functions must not call themselves: current value is 'A'",
    );
  });

  it('must not be called with more than it takes', () => {
    expect(() => read([call('Bend x,w -> y')], [ownFunction('Bend', [step('Relu in -> out')])])).toThrow(
      "as a function must be called with as many tensors as it has: current value is 'Bend'",
    );
  });

  it('must not lie too deep in others', () => {
    const chain = Array.from({ length: 40 }, (_, index) => ownFunction(`F${index}`, [call(`F${index + 1} in -> out`)]));
    expect(() => read([call('F0 x -> y')], chain)).toThrow(
      "as its functions must call each other at most 32 deep: current value is 'F32'",
    );
  });

  it('must not grow without bounds: in nodes, or in names', () => {
    const twice = (index: number) =>
      ownFunction(`F${index}`, [call(`F${index + 1} in -> half`), call(`F${index + 1} half -> out`)]);
    const doubling = Array.from({ length: 31 }, (_, index) => twice(index));
    expect(() => read([call('F0 x -> y')], doubling)).toThrow(
      'as its functions must make at most 20000 nodes: current value is more',
    );
    const long = 'a'.repeat(2 ** 20);
    const wordy = ownFunction('Wordy', [step(`Neg in -> ${long}`), step(`Neg ${long} -> out`)]);
    const calls = Array.from({ length: 32 }, (_, index) => call(`Wordy ${index || 'x'} -> ${index + 1}`));
    expect(() => read(calls, [wordy])).toThrow(
      'as its functions must make names of at most 33554432 letters: current value is more',
    );
  });
});

import { expect, test } from 'vitest';
import { commands } from './commands.ts';
import { fileArguments, modelArgument } from './shared-arguments.ts';
import { parseArguments, type ParsedArguments } from './parse-arguments.ts';

async function parse(line: string): Promise<ParsedArguments> {
  const [name, ...parameters] = line.split(' ');
  return parseArguments(await commands[name].load(), parameters);
}

test.each([
  ['distill teacher.onnx --student half', 'distill --student half --teacher teacher.onnx'],
  ['estimate teacher.onnx', 'estimate --teacher teacher.onnx'],
  ['record teacher.onnx --data mnist --out m', 'record --data mnist --out m --teacher teacher.onnx'],
  ['evaluate student.onnx --data mnist', 'evaluate --model student.onnx --data mnist'],
  ['inspect a.onnx b.onnx', 'inspect b.onnx --model a.onnx'],
  ['predict a.onnx 1.png 2.png', 'predict 1.png 2.png --model a.onnx'],
  ['convert a.onnx b.safetensors', 'convert --model a.onnx b.safetensors'],
])('%s is %s', async (line, same) => {
  expect(await parse(line)).toEqual(await parse(same));
});

test('what is typed without a flag is among the values', async () => {
  expect(await parse('predict a.onnx 1.png 2.png --top 1')).toEqual({
    given: { model: 'a.onnx', images: ['1.png', '2.png'], top: 1 },
  });
});

test.each([
  [
    'evaluate --data mnist',
    "Cannot run 'dafl evaluate' as '<model>' must be given: current value is none. Type dafl evaluate <model> --data <mnist|folder>",
  ],
  ['evaluate a.onnx', "Cannot run 'dafl evaluate' as '--data' must be given: current value is none"],
  [
    'predict --model a.onnx',
    "Cannot run 'dafl predict' as '<image>' must be given: current value is none. Type dafl predict <model> <image...>",
  ],
  ['train --out a', "Cannot run 'dafl train' as '--data' must be given: current value is none"],
  [
    'evaluate a.onnx --model b.onnx --data mnist',
    "Cannot run 'dafl evaluate' as nothing must stand without a flag: current value is 'a.onnx'",
  ],
  [
    'distill a.onnx b.onnx',
    "Cannot run 'dafl distill' as at most 1 value must stand without a flag: current value is 'b.onnx'",
  ],
  ['train shapes --out a.safetensors', "current value is 'shapes'. Type dafl train --data <mnist|folder> --out <file>"],
  [
    'distill a.onnx --export onnx --export keras',
    "Cannot run 'dafl distill' as '--export' must be given once, with commas between its values: it comes again",
  ],
  ['evaluate a.onnx --data --json', "Cannot run 'dafl evaluate' as '--data' must have a value: current value is none"],
])('%s is refused', async (line, message) => {
  await expect(parse(line)).rejects.toThrow(message);
});

test('every command that reads a model, and no run, takes what its file may leave open', async () => {
  const readers: string[] = [];
  for (const [name, entry] of Object.entries(commands)) {
    const { shape } = (await entry.load()).schema;
    if (!Object.values(shape).includes(modelArgument)) continue;
    readers.push(name);
    expect(shape).toMatchObject(fileArguments);
  }
  expect(readers).toEqual(['record', 'evaluate', 'inspect', 'predict', 'convert', 'quantize']);
});

test.each([
  ['distill tiny -o run', '-o', 'out'],
  ['distill tiny --output run', '--output', 'out'],
  ['distill tiny --epochs 3', '--epochs', 'steps'],
  ['distill tiny --lr 0.1', '--lr', 'student-learning-rate'],
  ['distill tiny --batch 8', '--batch', 'batch-size'],
  ['distill tiny --test photos', '--test', 'eval'],
  ['evaluate tiny --eval photos', '--eval', 'data'],
  ['quantize tiny --data photos', '--data', 'eval'],
  ['convert tiny --out=x.onnx --with-soft', '--with-soft', 'with-softmax'],
])('dafl %s: %s is --%s here', async (line, typed, meant) => {
  await expect(parse(line)).rejects.toThrow(
    `each flag must be known: current value is '${typed}'. Did you mean '--${meant}'?`,
  );
});

import { expect, test } from 'vitest';
import { commands } from '../../../cli/src/commands.ts';
import { parseArguments } from '../../../cli/src/parse-arguments.ts';
import { parseDistillationOptions } from '../options/distillation-options.ts';
import { repeatCommand } from './repeat-command.ts';
import { resolveRecipe, settleOptions } from './resolve-recipe.ts';

/** What a run of these options records. */
function settle(given: object) {
  const recipe = resolveRecipe(parseDistillationOptions(given));
  return settleOptions(recipe, { steps: recipe.steps, backend: 'wasm' });
}

test.each([
  { teacher: 'lenet5-mnist' },
  { teacher: 'a.onnx', steps: 7, seed: 3, eval: 'mnist', student: 0.3 },
  { teacher: 'a.onnx', preset: 'paper', batchSize: 7, generatorWidths: [4, 4, 2] },
  { teacher: 'a.onnx', method: 'noise', initialization: 'random', evaluateEvery: 5, mean: [-0.5], std: [2] },
  { teacher: "it's here.onnx", student: 'low-rank', export: 'onnx', answersOnly: true },
  { teacher: 'http://host/v2/models/a', student: 'lenet5-half', data: 'folder', method: 'alternative-data', shift: 1 },
])('the command that repeats $teacher comes to the same options', async (given) => {
  const settled = settle(given);
  const words = repeatCommand(settled)!.match(/'[^']*'(?:\\''[^']*')*|[^\s']+/g)!;
  const parameters = words.map((word) =>
    word
      .replaceAll(String.raw`'\''`, '\u0000')
      .replaceAll("'", '')
      .replaceAll('\u0000', "'"),
  );
  expect(parameters.slice(0, 2)).toEqual(['dafl', 'distill']);
  const { given: typed } = parseArguments(await commands['distill'].load(), parameters.slice(2));
  const { threads: _, ...again } = settle(typed);
  expect(again).toEqual(JSON.parse(JSON.stringify(settled)));
});

test('it says what differs from the defaults, and no more', () => {
  const command = repeatCommand(settle({ teacher: 'a.onnx', eval: 'mnist', student: 'half' }))!;
  expect(command.match(/--[\w-]+/g)!.sort()).toEqual(['--backend', '--eval', '--method', '--seed', '--steps']);
});

test('a run whose length changed on the way has none', () => {
  expect(repeatCommand({ ...settle({ teacher: 'a.onnx' }), pace: [[1, 2]] })).toBeNull();
});

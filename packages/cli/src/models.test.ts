import { architectures, listTeachers } from '@dafl/models';
import { expect, test } from 'vitest';
import { fakeTerminal } from './_fake-terminal.ts';
import { runCli } from './run-cli.ts';

test('dafl models lists every name that can be given in place of a file', async () => {
  const [text, json] = [fakeTerminal(), fakeTerminal()];
  expect(await runCli(['models'], text)).toBe(0);
  expect(await runCli(['models', '--json'], json)).toBe(0);
  const result = JSON.parse(json.written.out) as Record<'teachers' | 'architectures', { name: string }[]>;
  expect(result.teachers.map(({ name }) => name)).toEqual(listTeachers());
  expect(result.architectures.map(({ name }) => name)).toEqual([...architectures.keys()]);
  expect(result.teachers[0]).toMatchObject({
    name: 'lenet5-mnist',
    data: 'mnist',
    accuracy: 0.992,
    inputShape: [32, 32, 1],
    classes: 10,
    parameters: 61706,
  });
  for (const { name } of [...result.teachers, ...result.architectures])
    expect(text.written.out).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  expect(text.written.out).toContain('99.20 % on mnist');
});

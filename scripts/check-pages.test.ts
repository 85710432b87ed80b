import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkCommand, daflWords } from './_check-command.ts';
import { brokenLinks, headingAnchor, listAnchors } from './_check-links.ts';
import { listDocumentedCommands, splitWords } from './_documented-commands.ts';
import { repositoryRoot } from './workspace.ts';

test('listDocumentedCommands finds commands in fences, in indented code and in the text', () => {
  const page = [
    'Text with `dafl models` and `dafl.ts`.',
    '',
    '    git clone x && npm ci',
    '    dafl demo   # quick',
    '',
    '```ts',
    'dafl demo',
    '```',
    '',
    '```sh',
    'npx dafl demo --out "a # b"',
    '```',
  ].join('\n');
  expect(listDocumentedCommands(page)).toEqual([
    { line: 1, text: 'dafl models', isMention: true },
    { line: 3, text: 'git clone x' },
    { line: 3, text: 'npm ci' },
    { line: 4, text: 'dafl demo' },
    { line: 11, text: 'npx dafl demo --out "a # b"' },
  ]);
});

test('splitWords takes quotes and variables off', () => {
  expect(splitWords('DAFL_TOKEN=x dafl serve --host "a b"')).toEqual(['dafl', 'serve', '--host', 'a b']);
});

test.each([
  ['npx --yes @dafl/cli demo --steps 3', ['demo', '--steps', '3']],
  ['npm run dafl -- models', ['models']],
  ['npm run demo -- --steps 3', ['demo', '--steps', '3']],
  ['npm run demo', ['demo']],
  ['docker run --rm -v "$PWD:/work" dafl doctor', ['doctor']],
  ['npm run demolish', null],
])('daflWords of %s', (text, expected) => {
  expect(daflWords(text.split(' '))).toEqual(expected);
});

describe('checkCommand', () => {
  test.each([
    'dafl distill lenet5-mnist --student half --eval mnist',
    'dafl --json models',
    'npm run test:examples -- page',
    'dafl <command> --help',
    'git status',
  ])('lets %s pass', async (text) => {
    expect(await checkCommand(text)).toBeNull();
  });
  test.each([
    ['dafl distil x', "no command 'distil'"],
    ['dafl demo --stepz 3', "each flag must be known: current value is '--stepz'"],
    ['dafl demo --steps three', 'steps'],
    ['npm run no-such-script', "no script is called 'no-such-script'"],
  ])('refuses %s', async (text, problem) => {
    expect(await checkCommand(text)).toContain(problem);
  });
});

test('a mention need not be whole, but its command and flags must be known', async () => {
  expect(await checkCommand('dafl train --data mnist', true)).toBeNull();
  expect(await checkCommand('dafl train --date mnist', true)).toContain("has no flag '--date'");
});

test('headings are linked to as on GitHub', () => {
  expect(headingAnchor('gauntlet: The default on teachers, `x` and [y](z)')).toBe(
    'gauntlet-the-default-on-teachers-x-and-y',
  );
  expect(listAnchors('# A\n\n## A\n\n```sh\n# no heading\n```\n')).toEqual(['a', 'a-1']);
});

test('brokenLinks names what leads nowhere', () => {
  const file = join(repositoryRoot, 'README.md');
  const page =
    '[a](LICENSE) [b](missing.md) [c](#here) [d](#there) [e](https://x.example/y) `[f](missing)`\n\n# Here\n';
  expect(brokenLinks(file, page, () => page)).toEqual(['missing.md', '#there']);
});

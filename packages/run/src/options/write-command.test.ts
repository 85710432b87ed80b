import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { writeCommand } from './write-command.ts';

it('leaves plain words as they are, joins lists, and writes a flag alone for true', () => {
  const flags = [
    ['--student', 0.3],
    ['--mean', [-0.5, 1]],
    ['--answers-only', true],
  ] as const;
  expect(writeCommand(['dafl', 'distill', 'http://host:8080/v2/models/a'], flags)).toBe(
    'dafl distill http://host:8080/v2/models/a --student 0.3 --mean=-0.5,1 --answers-only',
  );
});

// Windows has no sh to read them.
it.skipIf(process.platform === 'win32')('writes words that a shell reads as they were, where there is sh', () => {
  const command = writeCommand(["it's here.onnx", '$HOME', ''], [['--out', '-a `b` "c"']]);
  const read = execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' });
  expect(read.split('\n')).toEqual(["it's here.onnx", '$HOME', '', '--out=-a `b` "c"', '']);
});

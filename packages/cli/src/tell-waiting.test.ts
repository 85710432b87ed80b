import { expect, test } from 'vitest';
import { fakeTerminal } from './_fake-terminal.ts';
import { tellWaiting } from './tell-waiting.ts';

function tell(isInteractive: boolean): string {
  const terminal = fakeTerminal({ isInteractive });
  let nowMs = 0;
  const { onFactorization } = tellWaiting(terminal, 'teacher.onnx', undefined, () => nowMs);
  for (const share of [0, 0.296, 0.5, 0.8, 1]) {
    onFactorization(share);
    nowMs += 5_000;
  }
  return terminal.written.err;
}

test('off a terminal: a line every ten seconds', () => {
  expect(tell(false)).toBe(['0', '50'].map((share) => `Factorizing the convolutions: ${share} %\n`).join(''));
});

test('a teacher that does not answer at once is told once', () => {
  const terminal = fakeTerminal();
  const { onSlowAnswer } = tellWaiting(terminal, 'http://host/v2/models/x');
  for (const seconds of [1, 2, 3]) onSlowAnswer(seconds);
  expect(terminal.written.err).toBe('Waiting for http://host/v2/models/x to answer\n');
});

test('on a terminal: a line that is redrawn, and goes at the end', () => {
  const drawn = ['0', '29', '50', '80'].map((share) => `\r\u001B[2KFactorizing the convolutions: ${share} %`);
  expect(tell(true)).toBe(`${drawn.join('')}\r\u001B[2K`);
});

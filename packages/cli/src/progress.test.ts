import { describe, expect, test } from 'vitest';
import { fakeTerminal } from './_fake-terminal.ts';
import { createProgress, type ProgressState, renderProgress } from './progress.ts';

function state(step: number, changes: Partial<ProgressState> = {}): ProgressState {
  return {
    step,
    steps: 300,
    seconds: step / 10,
    secondsLeft: (300 - step) / 10,
    losses: { oneHot: 0.1, informationEntropy: -0.98765, distillation: 1.5 },
    ...changes,
  };
}

describe('the line', () => {
  test('has a bar, the time left, the accuracy and the loss terms', () => {
    expect(renderProgress(state(75, { evaluation: { step: 60, accuracy: 0.98123 } }), 120)).toBe(
      '━━━━━─────────────── step  75/300  23 s left  test 98.12 % at 60  distillation 1.500  entropy -0.988  one-hot 0.100',
    );
    expect(renderProgress(state(75, { verdict: { level: 'doubtful', agreement: 0.628 } }), 80)).toContain(
      'step  75/300  23 s left  so far doubtful (63 %)',
    );
    expect(renderProgress(state(300), 120)).toContain('step 300/300  done');
  });

  test.each([120, 80, 60, 40, 20, 12])('fits %d columns', (columns) => {
    const line = renderProgress(state(75, { evaluation: { step: 60, accuracy: 0.98 } }), columns);
    expect(line.length).toBeLessThan(columns);
    expect(line).toContain('step  75/');
  });

  test('is redrawn at most ten times a second, and once at the end', () => {
    const terminal = fakeTerminal({ isInteractive: true });
    let now = 0;
    const progress = createProgress(terminal, () => now);
    for (let step = 1; step <= 300; step++, now += 10) progress.update(state(step));
    const drawn = terminal.written.err.split('\r\u001B[2K').slice(1);
    expect(drawn.length).toBeGreaterThan(25);
    expect(drawn.length).toBeLessThanOrEqual(32);
    expect(drawn.at(-1)).toContain('step 300/300');
  });

  test('draws the curve of the loss that stands first', () => {
    const terminal = fakeTerminal({ isInteractive: true, columns: 120 });
    let now = 0;
    const progress = createProgress(terminal, () => (now += 1000));
    for (const [index, distillation] of [4, 3, 2, 1].entries())
      progress.update(state(index + 1, { losses: { oneHot: 9 - index, distillation } }));
    expect(terminal.written.err).toContain('  distillation █▆▃▁ 1.000  one-hot 6.000');
  });

  test('shows new pictures in place of the old, and beneath what was noted since', () => {
    const terminal = fakeTerminal({ isInteractive: true });
    const progress = createProgress(terminal, () => 0);
    progress.picture({ text: 'first', rows: 8 });
    progress.picture({ text: 'second', rows: 8 });
    progress.note('hello');
    progress.picture({ text: 'third', rows: 8 });
    expect(terminal.written.err).toBe(
      '\r\u001B[2Kfirst\n\r\u001B[2K\u001B[8A\u001B[Jsecond\n\r\u001B[2Khello\n\r\u001B[2Kthird\n',
    );
  });

  test('makes way for notes and goes at the end', () => {
    const terminal = fakeTerminal({ isInteractive: true });
    const progress = createProgress(terminal, () => 0);
    progress.update(state(1));
    progress.note('hello');
    progress.finish();
    expect(terminal.written.err).toContain('\r\u001B[2Khello\n──');
    expect(terminal.written.err.endsWith('\r\u001B[2K')).toBe(true);
  });
});

describe('off a terminal', () => {
  function run(steps: number, stepMs: number): string[] {
    const terminal = fakeTerminal();
    let now = 0;
    const progress = createProgress(terminal, () => now);
    for (let step = 1; step <= steps; step++) {
      now += stepMs;
      progress.update(state(step, { steps }));
    }
    return terminal.written.err.split('\n').slice(0, -1);
  }

  test('a plain line each twentieth of a short run', () => {
    const lines = run(300, 10);
    expect(lines).toHaveLength(20);
    expect(lines[0]).toBe('step  15/300  29 s left  distillation 1.500  entropy -0.988  one-hot 0.100');
    expect(lines.at(-1)).toContain('step 300/300  done');
  });

  test('a line each 10 s of a longer one, fewer as it goes on for hours', () => {
    expect(run(100, 2000)).toHaveLength(20);
    expect(run(20, 60_000)).toHaveLength(20);
    expect(run(24_000, 4000).length).toBeLessThan(200);
  });
});

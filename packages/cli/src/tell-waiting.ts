import type { EstimateSettings } from '@dafl/run';
import type { Terminal } from './terminal.ts';

const PLAIN_AFTER_MS = 10_000;
const CLEAR = '\r\u001B[2K';

/**
 * Gives what tells why a run has not begun, or does not go on: its teacher takes its time to answer, or is taken apart.
 *
 * @param note Writes a line.
 * @param clock Milliseconds from any start.
 */
export function tellWaiting(
  terminal: Terminal,
  teacher: string,
  note: (line: string) => void = (line) => terminal.err(`${line}\n`),
  clock: () => number = () => performance.now(),
): Required<Pick<EstimateSettings, 'onSlowAnswer' | 'onFactorization' | 'onMeasurement'>> {
  let isSlow = false;
  let toldMs = -Infinity;
  const show = (line: string, isDone: boolean): void => {
    if (terminal.isInteractive) terminal.err(isDone ? CLEAR : `${CLEAR}${line}`);
    else if (!isDone && clock() - toldMs >= PLAIN_AFTER_MS) {
      toldMs = clock();
      note(line);
    }
  };
  return {
    onSlowAnswer() {
      if (!isSlow) note(`Waiting for ${teacher} to answer`);
      isSlow = true;
    },
    onFactorization(share) {
      show(`Factorizing the convolutions: ${Math.floor(100 * share)} %`, share === 1);
    },
    onMeasurement(step, steps) {
      if (step <= steps) show(`Measuring steps: ${step} of ${steps}`, step === steps);
    },
  };
}

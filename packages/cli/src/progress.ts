import { formatPercent, formatSeconds } from './format.ts';
import type { RenderedPictures } from './render-pictures.ts';
import { sparkline } from './sparkline.ts';
import type { Terminal } from './terminal.ts';

/** Where a run stands. */
export interface ProgressState {
  readonly step: number;
  readonly steps: number;
  readonly seconds: number;
  readonly secondsLeft: number;
  /** Loss terms by name. */
  readonly losses: Readonly<Record<string, number>>;
  /** The newest evaluation, once there is one; it may be of an earlier step. */
  readonly evaluation?: { readonly step: number; readonly accuracy: number; readonly on?: 'validation' | 'test' };
  /** The newest verdict, likewise. */
  readonly verdict?: { readonly level: string; readonly agreement: number };
}

/** Shows where a run stands: one line that is redrawn, or, off a terminal, a plain line now and then. */
export interface Progress {
  update(state: ProgressState): void;
  /** Prints a line of text above the progress. */
  note(text: string): void;
  /** Shows pictures above the progress, in place of those before if nothing was noted since. Off a terminal: nothing. */
  picture(pictures: RenderedPictures): void;
  /** Removes the line that is redrawn. */
  finish(): void;
}

const REDRAW_AFTER_MS = 100;
const BAR_WIDTH = 20;
const CURVE_WIDTH = 12;
const PLAIN_SHARE = 0.05;
const PLAIN_AFTER_MS = 10_000;
const CLEAR = '\r\u001B[2K';

const lossNames: Readonly<Record<string, string>> = {
  oneHot: 'one-hot',
  informationEntropy: 'entropy',
  crossEntropy: 'cross-entropy',
};

/** @param clock Milliseconds from any start. */
export function createProgress(terminal: Terminal, clock: () => number = () => performance.now()): Progress {
  return terminal.isInteractive ? createLine(terminal, clock) : createPlainLines(terminal, clock);
}

function createLine(terminal: Terminal, clock: () => number): Progress {
  let drawnMs = -Infinity;
  let line = '';
  /** Lines of the pictures that stand right above the line. */
  let pictureRows = 0;
  const curve: number[] = [];
  return {
    update(state) {
      const main = Object.values(state.losses).at(-1);
      if (main !== undefined) curve.push(main);
      line = renderProgress(state, terminal.columns, (text) => terminal.style('cyan', text, 'err'), curve);
      const now = clock();
      if (now - drawnMs < REDRAW_AFTER_MS && state.step < state.steps) return;
      drawnMs = now;
      terminal.err(`${CLEAR}${line}`);
    },
    note(text) {
      pictureRows = 0;
      terminal.err(`${CLEAR}${text}\n${line}`);
    },
    picture({ text, rows }) {
      const before = pictureRows === 0 ? '' : `\u001B[${pictureRows}A\u001B[J`;
      pictureRows = rows;
      terminal.err(`${CLEAR}${before}${text}\n${line}`);
    },
    finish() {
      pictureRows = 0;
      terminal.err(CLEAR);
      line = '';
    },
  };
}

function createPlainLines(terminal: Terminal, clock: () => number): Progress {
  const startedMs = clock();
  let printedMs = startedMs;
  let printedShare = 0;
  return {
    update(state) {
      const now = clock();
      const share = state.step / state.steps;
      // Every 10 s at first; a run of hours need not fill its log.
      const patienceMs = Math.max(PLAIN_AFTER_MS, (now - startedMs) / 20);
      if (share - printedShare < PLAIN_SHARE - 1e-9 && now - printedMs < patienceMs && state.step < state.steps) return;
      printedMs = now;
      printedShare = share;
      terminal.err(`${describeProgress(state).join('  ')}\n`);
    },
    note(text) {
      terminal.err(`${text}\n`);
    },
    picture() {},
    finish() {},
  };
}

/** One line with a bar, no wider than the terminal: what does not fit is left out, the loss terms first. */
export function renderProgress(
  state: ProgressState,
  columns: number,
  paint: (text: string) => string = (text) => text,
  /** Values so far of the loss that is shown first. */
  curve: readonly number[] = [],
): string {
  const filled = Math.round((state.step / state.steps) * BAR_WIDTH);
  const parts = describeProgress(state, curve);
  const room = Math.max(10, columns - 1);
  let text = parts[0];
  const hasBar = text.length + BAR_WIDTH + 1 <= room;
  let width = text.length + (hasBar ? BAR_WIDTH + 1 : 0);
  for (const part of parts.slice(1)) {
    if (width + 2 + part.length > room) break;
    text += `  ${part}`;
    width += 2 + part.length;
  }
  const bar = `${paint('━'.repeat(filled))}${'─'.repeat(BAR_WIDTH - filled)} `;
  return hasBar ? bar + text : text.slice(0, room);
}

/** The parts of a line, the most telling first. */
function describeProgress(
  { step, steps, secondsLeft, losses, evaluation, verdict }: ProgressState,
  curve: readonly number[] = [],
): string[] {
  const width = String(steps).length;
  const terms = Object.entries(losses).reverse();
  return [
    `step ${String(step).padStart(width)}/${steps}`,
    step < steps ? `${formatSeconds(secondsLeft)} left` : 'done',
    ...(evaluation === undefined
      ? []
      : [`${evaluation.on ?? 'test'} ${formatPercent(evaluation.accuracy)} at ${evaluation.step}`]),
    ...(verdict === undefined ? [] : [`so far ${verdict.level} (${(verdict.agreement * 100).toFixed(0)} %)`]),
    ...terms.map(([name, value], index) => {
      const drawn = index === 0 && curve.length > 1 ? `${sparkline(curve, CURVE_WIDTH)} ` : '';
      return `${lossNames[name] ?? name} ${drawn}${value.toFixed(3)}`;
    }),
  ];
}

import { spawnSync } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import type { BackendName } from '@dafl/run/options';
import { backendNames, daflVersion, describeMachine, writeFileAtomically } from '@dafl/run';
import { type BenchmarkCase, type BenchmarkCaseName, stepCountFormula } from '@dafl/run/benchmark';
import { listContestants, type ContestantPlan } from './benchmark/list-contestants.ts';
import { type CaseResult, measureCase, type MeasureCaseOptions } from './benchmark/measure-case.ts';
import { largestIdleShare, measureBusyShare } from './benchmark/measure-busy-share.ts';
import { renderCase } from './benchmark/render-case.ts';
import { renderGrowthPlot } from './benchmark/render-growth-plot.ts';
import { renderSweep, type Sweep, sweepDefinitions, type SweepName } from './benchmark/sweep.ts';
import type { CommandContext } from './command.ts';
import { exitCodes } from './exit-code.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** What `dafl bench` was asked to do. */
export interface BenchSettings {
  /** As it was typed, but for paths. */
  readonly command: string;
  readonly cases: readonly BenchmarkCaseName[];
  readonly batchSize: number;
  readonly rounds: number;
  readonly stepsPerRound: number;
  readonly sweeps: readonly SweepName[];
  readonly backends?: readonly BackendName[];
  readonly allowSoftwareGpu: boolean;
  readonly python?: string | null;
  readonly out?: string;
}

/** All that was measured, with what is needed to judge and repeat it. */
interface BenchResult {
  readonly event: 'result';
  readonly command: string;
  /** Of the repository; null for an installed package. */
  readonly commit: string | null;
  readonly measuredAt: string;
  readonly machine: ReturnType<typeof describeMachine>;
  /** Share of the processors that was in use before anything was measured, 0..1. */
  readonly busyShareBefore: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly formula: string;
  readonly rounds: number;
  readonly warmUpRounds: number;
  readonly stepsPerRound: number;
  readonly cases: readonly CaseResult[];
  readonly sweeps: readonly Sweep[];
}

const WARM_UP_ROUNDS = 2;
/** Of a sweep, whose points are many: a third of the rounds, at least two. */
const SWEEP_SHARE = 1 / 3;
/** To see whether the machine has something else to do. */
const WATCH_MS = 500;
const DEFAULT_PLOT = 'dafl-bench.svg';
const LEGEND = [
  'ms/step: median, quartiles and extremes of the rounds. GFLOP/s: nominal, convolutions and dense layers of the networks as',
  'described, forward and both gradients where they are taken. matmul: GFLOP/s of the fastest square matrix product on the',
  'same backend in the same process. share: of that. memory: peak of the process, steps only.',
].join('\n');
const PAPER_IMAGE_SIZE = 32;
const SEED = 0;

/** Measures steps, shows and writes what was measured. @returns The exit code. */
export async function runBench(settings: BenchSettings, context: CommandContext): Promise<number> {
  const { terminal, isJson, signal } = context;
  const plot = settings.out === undefined ? DEFAULT_PLOT : `${withoutExtension(settings.out)}.svg`;
  if (settings.out !== undefined || settings.sweeps.length > 0) await assertWritable(settings.out ?? plot);
  const { rounds, stepsPerRound } = settings;
  const plans = listContestants({ ...settings, known: backendNames });
  const emit = (event: object): void => {
    if (isJson) terminal.out(`${JSON.stringify(event)}\n`);
  };
  const machine = describeMachine();
  const busyShareBefore = await measureBusyShare(WATCH_MS, signal);
  if (busyShareBefore > largestIdleShare) {
    const text = `The machine is busy (${Math.round(busyShareBefore * 100)} %): what is measured now is slower and spread wider`;
    emit({ event: 'warning', kind: 'busy', message: text });
    terminal.err(`${terminal.style('yellow', 'warning:', 'err')} ${text}\n`);
  }
  const options = { rounds, warmUpRounds: WARM_UP_ROUNDS, stepsPerRound, measuresMatMul: true, signal };

  const cases: CaseResult[] = [];
  for (const name of settings.cases) {
    const result = await measure(caseOf(name, settings), plans, options, context);
    assertSomebodyRan(result);
    cases.push(result);
    emit({ event: 'case', ...result });
    if (!isJson) terminal.out(`${renderCase(result, terminal)}\n`);
  }
  if (!isJson) terminal.out(`${LEGEND}\n\n`);

  const sweeps: Sweep[] = [];
  // Who could not run before cannot now; and a point that is too large for one must not end the sweep.
  const able = plans
    .filter(({ name }) => cases.some(({ contestants }) => contestants.some((contestant) => contestant.name === name)))
    .map((plan) => ({ ...plan, isRequired: false }));
  const sweepOptions = {
    ...options,
    rounds: Math.max(2, Math.ceil(rounds * SWEEP_SHARE)),
    warmUpRounds: 1,
    measuresMatMul: false,
  };
  for (const name of settings.cases) {
    for (const sweepName of settings.sweeps) {
      const benchmark = caseOf(name, settings);
      const points: Sweep['points'][number][] = [];
      for (const value of sweepDefinitions[sweepName].values) {
        const at = sweepDefinitions[sweepName].at(benchmark, value);
        const result = await measure(at, able, sweepOptions, context);
        points.push({ value, result });
        emit({ event: 'sweep', name: sweepName, value, ...result });
      }
      const sweep = { name: sweepName, case: benchmark, points };
      sweeps.push(sweep);
      if (!isJson) terminal.out(`${renderSweep(sweep, terminal)}\n`);
    }
  }

  const result: BenchResult = {
    event: 'result',
    command: settings.command,
    commit: findCommit(),
    measuredAt: new Date().toISOString(),
    machine,
    busyShareBefore,
    versions: versionsOf(cases),
    formula: stepCountFormula,
    rounds,
    warmUpRounds: WARM_UP_ROUNDS,
    stepsPerRound,
    cases,
    sweeps,
  };
  const written: string[] = [];
  if (settings.out !== undefined) {
    const { event: _, ...stored } = result;
    await writeFileAtomically(settings.out, `${JSON.stringify(stored, null, 2)}\n`);
    written.push(settings.out);
  }
  if (sweeps.length > 0) {
    await writeFileAtomically(plot, renderGrowthPlot(sweeps));
    written.push(plot);
  }
  emit({ ...result, files: written });
  if (!isJson && written.length > 0) terminal.out(`Written: ${written.join(', ')}\n`);
  return exitCodes.done;
}

async function measure(
  benchmark: BenchmarkCase,
  plans: readonly ContestantPlan[],
  options: Omit<MeasureCaseOptions, 'onContestant' | 'onRound'>,
  { terminal, isJson }: CommandContext,
): Promise<CaseResult> {
  const { name, batchSize, imageSize, generatorWidth } = benchmark;
  const status = createStatus(terminal);
  const what = `${name} step, batch ${batchSize}, images ${imageSize}, generator x${generatorWidth}`;
  const emit = (event: object): void => {
    if (isJson) terminal.out(`${JSON.stringify(event)}\n`);
  };
  try {
    return await measureCase(benchmark, plans, {
      ...options,
      onContestant: (contestant) => {
        status.show(`${what}: ${contestant.name} is ready`);
        emit({ event: 'contestant', case: benchmark, name: contestant.name, description: contestant.description });
      },
      onRound: (round) => {
        status.show(`${what}: round ${round.round} of ${round.rounds}${round.isWarmUp ? ', warm-up' : ''}`);
        emit({ event: 'round', case: benchmark, ...round });
      },
    });
  } finally {
    status.clear();
  }
}

/** One line that is redrawn where a person looks at it. */
function createStatus(terminal: Terminal): { show(text: string): void; clear(): void } {
  const clear = (): void => {
    if (terminal.isInteractive) terminal.err('\r\u001B[2K');
  };
  return {
    show(text) {
      clear();
      if (terminal.isInteractive) terminal.err(text.slice(0, Math.max(10, terminal.columns - 1)));
    },
    clear,
  };
}

function caseOf(name: BenchmarkCaseName, { batchSize }: BenchSettings): BenchmarkCase {
  return { name, batchSize, imageSize: PAPER_IMAGE_SIZE, generatorWidth: 1, seed: SEED };
}

function assertSomebodyRan({ contestants, unavailable }: CaseResult): void {
  if (contestants.length > 0) return;
  const reasons = unavailable.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
  throw new UsageError(`Cannot run 'dafl bench' as a contestant must be able to run here: ${reasons}`);
}

/** Before anything is measured: what takes minutes must not be lost. */
async function assertWritable(file: string): Promise<void> {
  try {
    await access(dirname(file), constants.W_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new UsageError(
      `Cannot run 'dafl bench' as the folder of '${file}' must be writable: current error is ${code}`,
    );
  }
}

function versionsOf(cases: readonly CaseResult[]): Record<string, string> {
  const all = cases.flatMap(({ contestants }) => contestants.flatMap(({ versions }) => Object.entries(versions)));
  return { dafl: daflVersion(), node: process.versions.node, ...Object.fromEntries(all) };
}

/** The repository's commit, where the command runs from its source. */
function findCommit(): string | null {
  if (extname(import.meta.filename) !== '.ts') return null;
  const { status, stdout } = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: import.meta.dirname, encoding: 'utf8' });
  // Sources may be there without git, or without its folder.
  return status === 0 ? stdout.trim() : null;
}

function withoutExtension(file: string): string {
  const extension = extname(file);
  return extension === '' ? file : file.slice(0, -extension.length);
}

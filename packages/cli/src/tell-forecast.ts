import type { DistillationOptions, PreparedEvent } from '@dafl/run';
import { formatSeconds, formatSteps } from './format.ts';

/** From here on, a run is told how it would be shorter. */
const LONG_SECONDS = 600;
/** Of the time, from which on fewer evaluations are worth naming. */
const MANY_EVALUATIONS_SHARE = 0.2;

/**
 * What a run will take, in lines, and, if that is over ten minutes, what would make it shorter.
 *
 * @param runs How many such runs there are to be.
 */
export function tellForecast(
  { forecast, steps, backend }: Pick<PreparedEvent, 'forecast' | 'steps' | 'backend'>,
  options: DistillationOptions,
  runs = 1,
): string[] {
  if (forecast === null) return [];
  const { seconds, secondsPerStep, preparationSeconds, evaluationSeconds } = forecast;
  const all = runs > 1 ? `, ${formatSeconds(runs * seconds)} for ${runs} seeds` : '';
  const before = preparationSeconds >= 1 ? `, after ${formatSeconds(preparationSeconds)} of preparation` : '';
  const first = `About ${formatSeconds(seconds)}${all}: ${formatSteps(steps)} of ${formatStep(secondsPerStep)}${before}`;
  if (runs * seconds < LONG_SECONDS) return [first];
  const fitting = Math.floor((LONG_SECONDS / runs / seconds) * steps);
  const advice = [
    `--time-budget 10m    ends after ten minutes${runs > 1 ? ' each' : ''}, whatever a step takes`,
    ...(fitting > 0 ? [`--steps ${String(fitting).padEnd(12)} take${runs > 1 ? ' together' : ''} about as long`] : []),
    ...(evaluationSeconds > MANY_EVALUATIONS_SHARE * seconds && options.evaluateEvery !== 0
      ? [`--evaluate-every 0   leaves evaluations to the end: they take ${formatSeconds(evaluationSeconds)}`]
      : []),
    ...(options.preset === 'paper' ? ['--preset fast        is the same method with far fewer steps'] : []),
    ...(/cpu|wasm/i.test(backend) ? ["'dafl doctor'        tells whether a faster backend can be had here"] : []),
  ];
  return [first, 'To have it sooner:', ...advice.map((line) => `  ${line}`)];
}

function formatStep(seconds: number): string {
  return seconds < 1 ? `${Number((seconds * 1000).toPrecision(2))} ms` : formatSeconds(seconds);
}

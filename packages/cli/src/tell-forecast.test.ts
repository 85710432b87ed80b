import { parseDistillationOptions } from '@dafl/run/options';
import { expect, test } from 'vitest';
import { tellForecast } from './tell-forecast.ts';

const options = parseDistillationOptions({ teacher: 't' });
const tell = (
  seconds: number,
  { preparationSeconds = 0.4, evaluationSeconds = 0, backend = 'CUDA', runs = 1, given = options } = {},
) =>
  tellForecast(
    {
      forecast: { seconds, secondsPerStep: seconds / 1000, preparationSeconds, evaluationSeconds },
      steps: 1000,
      backend,
    },
    given,
    runs,
  );

test('a short run: one line', () => {
  expect(tell(84)).toEqual(['About 84 s: 1000 steps of 84 ms']);
  expect(tell(96, { preparationSeconds: 12 })).toEqual(['About 96 s: 1000 steps of 96 ms, after 12 s of preparation']);
});

test('over ten minutes: what would make it shorter', () => {
  expect(tell(3000, { backend: 'wasm (2 threads)', evaluationSeconds: 900 })).toEqual([
    'About 50:00 min: 1000 steps of 3.0 s',
    'To have it sooner:',
    '  --time-budget 10m    ends after ten minutes, whatever a step takes',
    '  --steps 200          take about as long',
    '  --evaluate-every 0   leaves evaluations to the end: they take 15:00 min',
    "  'dafl doctor'        tells whether a faster backend can be had here",
  ]);
});

test('several seeds count together', () => {
  expect(tell(400, { runs: 3 }).slice(0, 4)).toEqual([
    'About 6:40 min, 20:00 min for 3 seeds: 1000 steps of 400 ms',
    'To have it sooner:',
    '  --time-budget 10m    ends after ten minutes each, whatever a step takes',
    '  --steps 500          take together about as long',
  ]);
});

test('of the published hyper-parameters: the preset that needs fewer steps', () => {
  expect(tell(90_000, { given: { ...options, preset: 'paper' } }).at(-1)).toBe(
    '  --preset fast        is the same method with far fewer steps',
  );
});

test('nothing where nothing was measured', () => {
  expect(tellForecast({ forecast: null, steps: 1, backend: 'cpu' }, options)).toEqual([]);
});

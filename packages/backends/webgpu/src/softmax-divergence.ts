import { MATHEMATICS } from './_mathematics.ts';
import { SPECIAL_VALUES } from './_special-values.ts';
import type { PooledBuffer } from './buffer-pool.ts';
import type { CommandQueue } from './command-queue.ts';

/** Invocations that share a row. */
const WORKGROUP_SIZE = 64;

/** Folds one value of each invocation; every invocation must call it. */
function foldFunction(name: string, fold: string): string {
  return `
fn ${name}(lane: u32, own: f32) -> f32 {
  values[lane] = own;
  for (var distance = ${WORKGROUP_SIZE / 2}u; distance > 0u; distance /= 2u) {
    workgroupBarrier();
    if (lane < distance) {
      let a = values[lane];
      let b = values[lane + distance];
      values[lane] = ${fold};
    }
  }
  workgroupBarrier();
  let result = values[0];
  workgroupBarrier();
  return result;
}`;
}

/** softmaxDivergence of the contract, with `classes` > 0. */
export function runSoftmaxDivergence(
  queue: CommandQueue,
  logits: PooledBuffer,
  targets: PooledBuffer,
  divergence: PooledBuffer,
  logitsGradient: PooledBuffer,
  rows: number,
  classes: number,
): void {
  queue.run({
    key: 'softmaxDivergence',
    build: () => ({
      uniforms: { rows: 'u32', classes: 'u32' },
      reads: { logits: 'f32', targets: 'f32' },
      writes: { divergence: 'f32', logitsGradient: 'f32' },
      workgroupSize: WORKGROUP_SIZE,
      declarations: `${SPECIAL_VALUES}${MATHEMATICS}
var<workgroup> values: array<f32, ${WORKGROUP_SIZE}>;
${foldFunction('largestOf', 'maximumOf(a, b)')}
${foldFunction('sumOf', 'a + b')}`,
      body: `
  if (group >= u.rows) { return; }
  let start = group * u.classes;
  var largest = -infinity();
  for (var i = lane; i < u.classes; i += ${WORKGROUP_SIZE}u) { largest = maximumOf(largest, logits[start + i]); }
  largest = largestOf(lane, largest);
  var sum = 0.0;
  for (var i = lane; i < u.classes; i += ${WORKGROUP_SIZE}u) { sum += exponential(logits[start + i] - largest); }
  sum = sumOf(lane, sum);
  let logSum = logarithm(sum);
  var total = 0.0;
  for (var i = lane; i < u.classes; i += ${WORKGROUP_SIZE}u) {
    let x = logits[start + i] - largest;
    let wanted = targets[start + i];
    if (!isZero(wanted)) { total += wanted * (logarithm(wanted) - (x - logSum)); }
    logitsGradient[start + i] = exponential(x) / sum - wanted;
  }
  total = sumOf(lane, total);
  if (lane == 0u) { divergence[group] = total; }`,
    }),
    reads: [logits, targets],
    writes: [divergence, logitsGradient],
    uniforms: { rows, classes },
    workgroups: rows,
  });
}

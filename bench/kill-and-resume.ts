/** Kills runs at random moments, resumes them and compares the students' bytes: `npm run bench:kill`. */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandomStream } from '@dafl/core';
import { runDafl } from './_run-dafl.ts';
import { storeResult } from './_store-result.ts';

const KILLS = 10;
const recipe = ['--teacher', 'lenet5-mnist', '--student', 'half', '--steps', '40', '--checkpoint-every', '4'];
const folder = await mkdtemp(join(tmpdir(), 'dafl-kill-'));

async function hashStudent(run: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(join(run, 'student', 'student.safetensors')))
    .digest('hex');
}

const whole = join(folder, 'whole');
const startedMs = performance.now();
const { last } = await runDafl(['distill', ...recipe, '--out', whole]);
const wholeMs = performance.now() - startedMs;
const expected = await hashStudent(whole);

const random = createRandomStream(20190412, 'kill moments');
const kills = [];
let attempts = 0;
while (kills.length < KILLS) {
  const [share] = random.uniform(1, 0.02, 0.95);
  const run = join(folder, `killed-${attempts++}`);
  let killedAtStep = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const killed = await runDafl(['distill', ...recipe, '--out', run], (event, kill) => {
    // Any moment of the whole process, saving included: by the clock, not by a step.
    timer ??= setTimeout(kill, share * wholeMs);
    if (event.event === 'step') killedAtStep = event.step as number;
  });
  clearTimeout(timer);
  // A run that was quicker than the first one may be over by then: that was no kill.
  if (killed.exitCode !== null) continue;
  let resumedAtStep: unknown = null;
  const resumed = await runDafl(['distill', '--resume', run], (event) => {
    if (event.event === 'start') resumedAtStep = event.resumedAt;
  });
  if (resumed.exitCode !== 0) throw new Error(`dafl could not resume: ${JSON.stringify(resumed.last)}`);
  kills.push({ killedAtStep, resumedAtStep, isIdentical: (await hashStudent(run)) === expected });
}
await rm(folder, { recursive: true });
await storeResult('kill-and-resume', 'npm run bench:kill', {
  recipe: `dafl distill ${recipe.join(' ')}`,
  backend: last.backend,
  studentSha256: expected,
  attempts,
  identical: kills.filter(({ isIdentical }) => isIdentical).length,
  kills,
});

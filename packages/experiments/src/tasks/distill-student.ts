import { DaflError } from '@dafl/core';
import { parseDistillationOptions, readRunRecord, runDistillation, runFolder } from '@dafl/run';
import { decidedByNetworks } from '../is-record-current.ts';
import type { TaskContext, TaskOf, TaskProgress } from './task-context.ts';
import type { TaskOutcome } from './task-outcome.ts';

/** Runs a method; one that was interrupted goes on from its checkpoint. */
export async function* distillStudent(
  task: TaskOf<'distill'>,
  { row, seed, place, backend, signal }: TaskContext,
): AsyncGenerator<TaskProgress, TaskOutcome, undefined> {
  // Tables compare what the last steps come to, which no verdict chooses.
  const options = parseDistillationOptions({ keep: 'last', ...task.options, backend, seed });
  const previous = await readRunRecord(runFolder(place).record);
  const resume = previous?.state === 'interrupted' || previous?.state === 'running';
  let classCounts: readonly number[] | null = null;
  for await (const event of runDistillation(options, { folder: place, resume, force: !resume, signal })) {
    if (event.event === 'step') {
      const { step, steps, secondsLeft } = event;
      yield { event: 'step', row, seed, step, steps, secondsLeft };
    } else if (event.event === 'samples') {
      classCounts = event.classCounts;
    } else if (event.event === 'interrupted') {
      signal?.throwIfAborted();
    } else if (event.event === 'result') {
      const { accuracy = null, teacherAccuracy = null, agreement = null, verdict = null, steps } = event;
      const record = await readRunRecord(runFolder(place).record);
      return {
        accuracy,
        teacherAccuracy,
        agreement,
        verdict,
        method: record?.options.method ?? null,
        fitted: record === undefined ? {} : decidedByNetworks(task, record.options),
        steps,
        evaluations: (record?.evaluations ?? []).map((evaluation) => ({
          step: evaluation.step,
          accuracy: evaluation.accuracy,
        })),
        classCounts,
        parameters: record?.student.parameters ?? null,
        multiplyAccumulates: record?.student.multiplyAccumulates ?? null,
        backend: event.backend,
        ...(resume ? { earlierSeconds: previous.timings.seconds } : {}),
      };
    }
  }
  throw new DaflError('USAGE', `Cannot record '${row.id}' as its run must end with a result: it has none`);
}

import type { TrainingEvent, TrainingOptions } from '@dafl/run';
import { trainingOptionsSchema, writeCommand } from '@dafl/run/options';
import { z } from 'zod';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { flagsFromSchema } from '../flag.ts';
import { formatPercent, formatSeconds, formatSteps, formatTable } from '../format.ts';
import { createProgress } from '../progress.ts';
import { tellDownload } from '../tell-download.ts';

const groups: Readonly<Record<string, readonly string[]>> = {
  'Network and data:': ['architecture', 'data'],
  'Computing:': ['backend', 'threads', 'allowSoftwareGpu', 'seed'],
  'Files:': ['out', 'force'],
};

export const trainCommand: Command = defineCommand({
  name: 'train',
  description: 'Train a network on labelled images, by standard backpropagation.',
  arguments: trainingOptionsSchema.extend({
    out: z
      .string()
      .min(1)
      .describe('The model file; its record and measurements lie beside it')
      .meta({ placeholder: 'file' }),
    force: z.boolean().optional().describe('Replace files that are there'),
  }),
  groupOf: (key) => Object.keys(groups).find((group) => groups[group].includes(key)) ?? 'Training:',
  essential: [
    'architecture',
    'data',
    'epochs',
    'batchSize',
    'learningRate',
    'shift',
    'startFrom',
    'backend',
    'seed',
    'out',
    'force',
  ],
  examples: [
    'dafl train --data mnist --epochs 12 --shift 2 --out teacher.safetensors',
    'dafl train --architecture lenet5-half --data mnist --shift 2 --out half.safetensors',
  ],
  async run({ out, force, ...options }, { terminal, isJson, signal }) {
    const { formatBytes, runTraining } = await import('@dafl/run');
    const progress = createProgress(terminal);
    let evaluation: { step: number; accuracy: number; on?: 'validation' | 'test' } | undefined;
    let on: 'validation' | 'test' | undefined;
    let step = 0;
    let steps = 0;
    try {
      for await (const event of runTraining(options, {
        file: out,
        force,
        signal,
        onDownload: tellDownload(terminal),
        command: commandOf(options, out),
      })) {
        if (isJson) terminal.out(`${JSON.stringify(toJson(event))}\n`);
        switch (event.event) {
          case 'prepared':
            on = event.evaluation;
            progress.note(`Backend: ${event.backend}, ${event.backendReason}`);
            progress.note(
              `${event.name} on ${event.trainingImages} images, reported on ${event.evaluationImages} ${event.evaluation} images`,
            );
            if (event.note !== null)
              progress.note(`${terminal.style('yellow', 'note:', 'err')} ${event.note} (--architecture)`);
            break;
          case 'step':
            ({ step, steps } = event);
            progress.update({ ...event, evaluation });
            break;
          case 'evaluation':
            evaluation = { step, accuracy: event.accuracy, on };
            if (event.epoch % Math.ceil((steps * event.epoch) / step / MOST_EPOCHS_TOLD) === 0)
              progress.note(`Epoch ${event.epoch}: ${formatPercent(event.accuracy)}`);
            break;
          case 'result': {
            if (event.reportFailure !== undefined) {
              progress.note(`${terminal.style('yellow', 'warning:', 'err')} ${event.reportFailure}`);
            }
            progress.finish();
            if (isJson) break;
            const what =
              event.accuracy === undefined
                ? ''
                : `${formatPercent(event.accuracy)} on the ${event.evaluation} images, `;
            terminal.out(
              `${terminal.style('bold', `${what}${formatSteps(event.steps)} in ${formatSeconds(event.seconds)}`)}\n`,
            );
            terminal.out(
              formatTable(
                [
                  [event.files.model, 'the model'],
                  [event.files.record, 'options, machine, results'],
                  [event.files.metrics, 'every step'],
                  ...(event.reportFailure === undefined ? [[event.files.report, 'open it in a browser']] : []),
                ],
                { indent: '  ' },
              ),
            );
            terminal.out(
              `\nPeak memory ${formatBytes(event.peakMemoryBytes)}\nNext: ${writeCommand(['dafl', 'distill', event.files.model], [])}\n`,
            );
            break;
          }
        }
      }
    } finally {
      progress.finish();
    }
    return exitCodes.done;
  },
});

function toJson(event: TrainingEvent): object {
  if (event.event === 'result') {
    const { model: _, ...rest } = event;
    return rest;
  }
  if (event.event === 'evaluation') {
    const { confusion: _, ...rest } = event;
    return rest;
  }
  return event;
}

/** Of many epochs, about so many are told by a line that stays. */
const MOST_EPOCHS_TOLD = 20;

/** The command line that repeats a training, with every option that is not the default. */
function commandOf(options: TrainingOptions, out: string): string {
  const flags = flagsFromSchema(trainingOptionsSchema);
  const given = flags.flatMap(({ key, name, default: usual }): [string, unknown][] => {
    const value = options[key as keyof TrainingOptions];
    return value === undefined || value === false || value === usual ? [] : [[`--${name}`, value]];
  });
  return writeCommand(['dafl', 'train'], [...given, ['--out', out]]);
}

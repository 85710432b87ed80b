import { stat } from 'node:fs/promises';
import { relative } from 'node:path';
import { describeModel } from '@dafl/core';
import { describeVerdict, type DistillationOptions, formatBytes, type RunResultEvent } from '@dafl/run';
import { writeCommand } from '@dafl/run/options';
import { formatCount, formatPercent, formatSeconds, formatSteps, formatTable } from './format.ts';
import type { Terminal } from './terminal.ts';

/** What came out of a distillation, in one line. */
export function renderOutcome(result: RunResultEvent, { eval: data }: DistillationOptions): string {
  const { accuracy, teacherAccuracy, agreement, files } = result;
  const { name } = describeModel(result.student.graph);
  const teacher = teacherAccuracy === undefined ? '' : ` (teacher ${formatPercent(teacherAccuracy)})`;
  const measured =
    accuracy !== undefined
      ? `${formatPercent(accuracy)} on ${data}${teacher}`
      : agreement === undefined
        ? 'not measured'
        : `agrees with its teacher on ${formatPercent(agreement)} of fresh synthetic images`;
  return `${name}: ${measured}, ${shorten(files.student)}\n`;
}

/** The same with what was written and what to do next, for a person. */
export async function renderSummary(
  result: RunResultEvent,
  options: DistillationOptions,
  terminal: Terminal,
): Promise<string> {
  const { accuracy, teacherAccuracy, agreement, files } = result;
  const { name, parameters } = describeModel(result.student.graph);
  const lines: string[] = [];
  if (result.isRepeated) lines.push(`The run in '${result.folder}' had ended already; nothing was computed`);
  if (accuracy === undefined) {
    const measured =
      agreement === undefined
        ? 'not measured'
        : `agrees with its teacher on ${formatPercent(agreement)} of fresh synthetic images`;
    const hint =
      agreement === undefined
        ? 'For an accuracy name labelled images with --eval'
        : 'That is no accuracy: for one, name labelled images with --eval';
    lines.push(terminal.style('bold', `${name}: ${measured}`), hint);
  } else {
    const teacher = teacherAccuracy === undefined ? '' : ` (teacher ${formatPercent(teacherAccuracy)})`;
    lines.push(terminal.style('bold', `${name}: ${formatPercent(accuracy)} on ${options.eval}${teacher}`));
  }
  if (result.keptStep < result.step) {
    lines.push(
      `Kept the student of step ${result.keptStep}, as the last one was clearly worse on pictures that neither learnt from; --keep last takes that one`,
    );
  }
  if (result.verdict !== undefined) {
    const { line, advice } = describeVerdict(result.verdict, options);
    const colour = { good: 'green', doubtful: 'yellow', poor: 'red' } as const;
    lines.push(terminal.style(colour[result.verdict.level], line));
    if (advice !== null) lines.push(advice);
  }
  lines.push(
    `${formatCount(parameters)} parameters, ${formatSteps(result.steps)} in ${formatSeconds(result.seconds)} on ${result.backend}, seed ${result.seed}`,
    '',
  );
  const rows: string[][] = [];
  const roles = {
    student: 'the student',
    onnx: 'the student as ONNX',
    keras: 'the student for Keras',
    tfjs: 'the student for TensorFlow.js',
    int8: 'the student in eight bits, as ONNX',
    report: 'open it in a browser',
    samples: 'images like those it learnt from',
    record: 'options, machine, results',
    metrics: 'every step',
  };
  for (const [role, meaning] of Object.entries(roles)) {
    const path = files[role as keyof typeof files];
    if (path === undefined) continue;
    const size = (await stat(path).catch(() => undefined))?.size;
    rows.push([shorten(path), size === undefined ? '' : formatBytes(size), meaning]);
  }
  const next =
    accuracy === undefined
      ? `${writeCommand(['dafl', 'evaluate', shorten(files.student)], [])} --data <folder>`
      : writeCommand(['dafl', 'inspect', shorten(files.student)], []);
  return `${lines.join('\n')}\n${formatTable(rows, { right: [1], indent: '  ' })}\nNext: ${next}\n`;
}

function shorten(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}

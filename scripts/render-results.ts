/**
 * Writes `docs/results.md` and its plots from the stored runs of `dafl experiment` in `bench/results/experiments`, and
 * `docs/onnx-operators.md` from `bench/results/onnx-cases.json`: `npm run docs:results`. With `--check` nothing is written, and a difference is an error.
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type Experiment,
  type ExperimentRecord,
  experiments,
  type GauntletCell,
  isRecordCurrent,
  renderExperimentFigure,
  renderGauntletFigure,
  summarizeExperiment,
  summarizeGauntlet,
  summarizeVerdicts,
  tableCells,
  tableHeads,
} from '@dafl/experiments';
import { figureDocument } from '@dafl/run/report';
import { format } from 'oxfmt';
import { type OnnxCasesRecord, renderOnnxOperators } from './_render-onnx-operators.ts';
import { renderTorchModels, type TorchModelsRecord } from './_render-torch-models.ts';
import { repositoryRoot } from './workspace.ts';

const RECORDS = join(repositoryRoot, 'bench', 'results', 'experiments');
const DOCS = join(repositoryRoot, 'docs');

const commands: Readonly<Record<string, string>> = {
  gauntlet: 'dafl experiment gauntlet --fashion FOLDER --usps FOLDER --cifar10 FOLDER',
  methods: 'dafl experiment methods',
  table1: 'dafl experiment table1 --usps FOLDER',
  table2: 'dafl experiment table2',
  table3:
    'dafl experiment table3 --cifar10 FOLDER --cifar100 FOLDER --teacher test-fixtures/cifar10-airbench.safetensors',
};

function readRecords(experiment: Experiment): ExperimentRecord[] {
  const found = globSync(join(RECORDS, experiment.name, '*.json')).map(
    (path) => JSON.parse(readFileSync(path, 'utf8')) as ExperimentRecord,
  );
  // A table of what the commands that it names would compute: what an older preset made is not it.
  const records = found.filter((record) => {
    const row = experiment.rows.find(({ id }) => id === record.row);
    if (row !== undefined && isRecordCurrent(record, row.task)) return true;
    process.stderr.write(
      `${record.row}, seed ${record.seed}: left out, as its row of ${experiment.name} has changed\n`,
    );
    return false;
  });
  return records.sort((a, b) => a.row.localeCompare(b.row) || a.seed - b.seed);
}

function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = heads.map((_, index) => (index === 0 ? '---' : '--:'));
  return [line(heads), line(rule), ...rows.map(line)].join('\n');
}

/** How often the teacher saw each class in 512 images at the end of the first seed, in the order of the rows. */
function histograms(experiment: Experiment, records: readonly ExperimentRecord[]): string {
  const rows = experiment.rows.flatMap(({ id, label }) => {
    const counts = records.find(({ row, classCounts }) => row === id && classCounts !== null)?.classCounts;
    return counts ? [[label, ...counts.map(String)]] : [];
  });
  if (rows.length === 0) return '';
  const classes = rows[0].slice(1).map((_, index) => String(index));
  return `\nWhat the teacher sees in 512 images of the last generator (first seed), by class:\n\n${markdownTable(['', ...classes], rows)}\n`;
}

/** The gauntlet's text, table and plot. */
function describeGauntlet(records: readonly ExperimentRecord[]): string[] {
  const lines = summarizeGauntlet(records);
  const percent = (value: number | null): string => value?.toFixed(2) ?? '-';
  const spread = (cell: GauntletCell | null): string =>
    cell === null
      ? '-'
      : `${percent(cell.mean)}${cell.standardDeviation === null ? '' : ` ± ${cell.standardDeviation.toFixed(2)}`}`;
  const rows = lines.map(({ teacher, accuracy, real, default: cell, random, dafl }) => [
    teacher.label,
    teacher.use,
    percent(accuracy),
    percent(real),
    spread(cell),
    percent(cell?.least ?? null),
    cell === null || real === null ? '-' : (cell.mean - real).toFixed(2),
    cell === null ? '-' : String(cell.runs),
    cell?.processorSeconds?.toFixed(0) ?? '-',
    spread(random),
    spread(dafl),
  ]);
  const heads = [
    'teacher',
    'used for',
    'its accuracy',
    'real-data student',
    'default',
    'least',
    'default - real',
    'runs',
    'processor seconds',
    'default, random start',
    'DAFL, fast preset',
  ];
  const verdicts = summarizeVerdicts(records);
  const { share, accuracy, distance } = verdicts.rankCorrelations;
  const correlation = (value: number | null): string => value?.toFixed(2) ?? '-';
  files.set(join(DOCS, 'gauntlet.svg'), figureDocument(renderGauntletFigure(lines)));
  return [
    `Students of half the width, by the default command with no flag but \`--eval\`. The real-data student takes 3,000 updates of 256 images on the teacher's own training images. Teachers for tuning may have been looked at (on images that are held out of the training data) when defaults were chosen, the others not, but for even or odd, by which no default was chosen, and the pairs, by which one was given up again (see limits.md). Repeat: \`${commands.gauntlet}\`.`,
    markdownTable(heads, rows),
    '![Accuracy of teachers and students](gauntlet.svg)',
    `The verdict without data, over ${verdicts.runs} runs of all methods: rank correlation with the share of its teacher's accuracy that a student keeps ${correlation(share)}, with its accuracy ${correlation(accuracy)}. Over the ${verdicts.marked} of them with a real-data student: with the points below that ${correlation(distance)}; ${verdicts.failedCalledPoor} of ${verdicts.failed} runs six points or more below it are called poor, and ${verdicts.goodCalledPoor} of ${verdicts.good} others.`,
  ];
}

function countCores(cores: number): string {
  return cores === 1 ? '1 core' : `${cores} cores`;
}

const files = new Map<string, string>();
const parts = [
  '# Results',
  'Generated by `npm run docs:results` from the stored runs in `bench/results/experiments`; accuracies in percent on the official test images after the last step (never the best one). "ours" is the mean ± standard deviation over the runs, "least" the worst of them.',
];
for (const experiment of experiments.values()) {
  const records = readRecords(experiment);
  parts.push(`## ${experiment.name}: ${experiment.title}`);
  if (experiment.name === 'gauntlet') {
    parts.push(...describeGauntlet(records));
  } else {
    parts.push(
      `Published: ${experiment.source}. Repeat: \`${commands[experiment.name]}\`.`,
      markdownTable(tableHeads, summarizeExperiment(experiment, records).map(tableCells)),
    );
  }
  if (experiment.name === 'table2') parts.push(histograms(experiment, records));
  const figure = experiment.name === 'gauntlet' ? null : renderExperimentFigure(experiment, records);
  if (figure !== null) {
    files.set(join(DOCS, `${experiment.name}.svg`), figureDocument(figure));
    parts.push(`![Accuracy over the run, first seed of each row](${experiment.name}.svg)`);
  }
  const seconds = records.reduce((total, record) => total + record.seconds, 0);
  if (records.length > 0) {
    const backends = [...new Set(records.flatMap(({ backend }) => backend ?? []))].join('; ');
    // Runs that were bound to one core, and those that had more.
    const machines = [
      ...new Set(records.map(({ machine }) => `${machine.processor} (${countCores(machine.cores)})`)),
    ].join(', ');
    const commits = [...new Set(records.flatMap(({ commit }) => commit?.slice(0, 7) ?? []))].join(', ');
    parts.push(
      `${records.length} runs, ${(seconds / 60).toFixed(0)} minutes in all, on ${machines}; ${backends}; commits ${commits}.`,
    );
  }
}
const readResult = (name: string): unknown =>
  JSON.parse(readFileSync(join(repositoryRoot, 'bench', 'results', `${name}.json`), 'utf8'));
const pages = {
  'results.md': parts.join('\n\n'),
  'onnx-operators.md': [
    renderOnnxOperators(readResult('onnx-cases') as OnnxCasesRecord),
    renderTorchModels(readResult('torch-models') as TorchModelsRecord),
  ].join('\n\n'),
};
for (const [name, page] of Object.entries(pages)) {
  const { code } = await format(name, page, { printWidth: 120, proseWrap: 'always' });
  files.set(join(DOCS, name), code);
}

let stale = 0;
for (const [path, content] of files) {
  if (process.argv.includes('--check')) {
    let found = '';
    try {
      found = readFileSync(path, 'utf8');
    } catch {
      // Absent is stale too.
    }
    if (found === content) continue;
    stale++;
    process.stderr.write(`${path.slice(repositoryRoot.length + 1)} must be current: run npm run docs:results\n`);
  } else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}
if (stale > 0) process.exit(1);

import { stringify } from 'yaml';
import { describeVerdict } from './describe-verdict.ts';
import { dataUse } from './data-use.ts';
import type { RunRecord } from '../folder/run-record.ts';

/** What whoever runs the student in another format must know. */
const ofFormats: Readonly<Record<string, string>> = {
  onnx: '`student.onnx` takes preprocessed images, `[batch, channels, height, width]`, and gives logits (its output `logits`): a softmax makes probabilities of them. Mean, deviation, size and classes stand in its metadata and in `student.preprocessor_config.json`.',
  keras: '`student.keras` is the same for Keras, `[batch, height, width, channels]`.',
  tfjs: '`tfjs/model.json`, with its weights beside it, is the same for TensorFlow.js, `[batch, height, width, channels]`.',
  int8: '`student.int8.onnx` is the same network in eight bits, and is fed as ONNX is.',
};
/** Of the method that the software is named after. */
const PAPER = 'https://arxiv.org/abs/1904.01186';

/** The last name of a path or address of any system. */
function lastName(path: string): string {
  return (
    path
      .split(/[\\/]/)
      .filter((name) => name !== '')
      .at(-1) ?? path
  );
}

/**
 * The model card of a student: Markdown with the YAML front matter that model hubs read.
 *
 * @param record Of a finished run.
 */
export function renderModelCard(record: RunRecord): string {
  const { options, teacher, student, accuracy, teacherAccuracy, agreement, verdict = null, step, keptStep } = record;
  const judged = verdict === null ? null : describeVerdict(verdict, options).line;
  const isEarlier = keptStep !== undefined && keptStep !== null && keptStep < step;
  const { method, data, metadata, quantize } = options;
  const exported = [...(options.export?.split(',') ?? []), ...(quantize === undefined ? [] : [quantize])];
  // The card leaves the machine: of paths, the names.
  const dataset = options.eval === undefined ? undefined : lastName(options.eval);
  const isDataFree = method !== 'original-data' && method !== 'alternative-data' && method !== 'metadata';
  const metrics = [
    ...(accuracy === null ? [] : [{ type: 'accuracy', value: accuracy, name: 'Accuracy' }]),
    ...(agreement === null
      ? []
      : [{ type: 'agreement', value: agreement, name: 'Agreement with the teacher on synthetic images' }]),
  ];
  const front = {
    library_name: 'dafl',
    pipeline_tag: 'image-classification',
    tags: ['image-classification', 'knowledge-distillation', ...(isDataFree ? ['data-free'] : []), method],
    ...(accuracy === null ? {} : { metrics: ['accuracy'] }),
    'model-index': [
      {
        name: lastName(student.name),
        results: [
          {
            task: { type: 'image-classification' },
            dataset: { type: options.eval === 'mnist' ? 'mnist' : 'other', name: dataset ?? 'images of the method' },
            metrics,
          },
        ],
      },
    ],
  };
  const percent = (value: number | null): string => (value === null ? 'not measured' : `${(value * 100).toFixed(2)} %`);
  const count = (value: number): string => value.toLocaleString('en-US');
  const given = data ?? metadata;
  const source = given === undefined ? undefined : lastName(given);
  const use = dataUse[method];
  return `---
${stringify(front)}---

# ${lastName(student.name)}

A student of \`${lastName(teacher.name)}\`, made by dafl (\`@dafl/cli\`) with the method \`${method}\`${method === 'dafl' ? `, [Data-Free Learning of Student Networks](${PAPER})` : ''}.
${use}${source === undefined ? '' : ` Read: \`${source}\`.`}

| | ${lastName(teacher.name)} (teacher) | ${lastName(student.name)} |
|---|---|---|
| parameters | ${count(teacher.parameters)} | ${count(student.parameters)} |
| multiply-accumulates an image | ${count(teacher.multiplyAccumulates)} | ${count(student.multiplyAccumulates)} |
| accuracy${dataset === undefined ? '' : ` on ${dataset}`} | ${percent(teacherAccuracy)} | ${percent(accuracy)} |
| agreement on synthetic images | | ${percent(agreement)} |
${judged === null ? '' : `\n${judged}.\n`}${dataset === undefined ? '' : '\nLabelled images were read for this report only; nothing in the run depended on them.\n'}
## Use

[\`student.safetensors\`](student.safetensors) holds the graph, the weights and the preprocessing (images of ${student.inputShape.join('x')}).
${exported.map((format) => `\n${ofFormats[format]}\n`).join('')}
\`\`\`sh
npx @dafl/cli inspect student.safetensors
npx @dafl/cli evaluate student.safetensors --data FOLDER
\`\`\`

## Training

${count(step)} ${step === 1 ? 'step' : 'steps'}${isEarlier ? `, of which the student is that after step ${count(keptStep)}, as the last one was judged clearly worse,` : ''} on ${record.backend.description}, seed ${options.seed}, dafl ${record.versions.dafl}. Every option is in \`run.json\`,
which \`dafl distill --config run.json\` repeats. Teacher: SHA-256 \`${teacher.sha256 ?? 'unknown'}\`; student: \`${student.sha256 ?? 'unknown'}\`.
`;
}

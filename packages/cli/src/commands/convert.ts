import { z } from 'zod';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { forceArgument, modelArgument, fileArguments } from '../shared-arguments.ts';
import { tellNotes } from '../tell-notes.ts';
import { UsageError } from '../usage-error.ts';

type Format = 'onnx' | 'keras' | 'tfjs' | 'safetensors';

/** Which formats have what a flag asks for. */
const owners: Readonly<Record<'layout' | 'withPreprocessing' | 'withSoftmax' | 'names', readonly Format[]>> = {
  layout: ['onnx'],
  withPreprocessing: ['onnx', 'keras', 'tfjs'],
  withSoftmax: ['onnx', 'keras', 'tfjs'],
  names: ['safetensors'],
};
const endings: Readonly<Record<Format, string>> = {
  onnx: '.onnx',
  keras: '.keras',
  tfjs: 'model.json',
  safetensors: '.safetensors',
};

function formatOf(file: string): Format {
  if (/\.onnx$/i.test(file)) return 'onnx';
  if (/\.keras$/i.test(file)) return 'keras';
  return /\.safetensors$/i.test(file) ? 'safetensors' : 'tfjs';
}

export const convertCommand: Command = defineCommand({
  name: 'convert',
  description: 'Write a model in another format: ONNX, Keras, TensorFlow.js, or dafl or PyTorch weights.',
  arguments: z.strictObject({
    model: modelArgument,
    out: z
      .string()
      .regex(/\.(onnx|keras|safetensors)$|(^|[/\\])model\.json$|[/\\]$/i)
      .describe('The file to write: .onnx, .keras, .safetensors, or for TensorFlow.js a folder/ or its model.json')
      .meta({
        operand: 'file',
        placeholder: 'file',
        rule: 'a name that ends in .onnx, .keras, .safetensors, model.json or /',
      }),
    layout: z.enum(['nchw', 'nhwc']).default('nchw').describe("Order of the ONNX input's axes"),
    withPreprocessing: z
      .boolean()
      .optional()
      .describe('Have the network take pixels in 0..255 and preprocess them itself'),
    withSoftmax: z.boolean().optional().describe('Have the network give probabilities, not logits'),
    names: z
      .enum(['dafl', 'pytorch'])
      .default('dafl')
      .describe('Names in .safetensors: its own, with the graph; or those of PyTorch, weights alone'),
    force: forceArgument,
    ...fileArguments,
  }),
  operands: ['model', 'out'],
  examples: [
    'dafl convert student/student/student.safetensors student.onnx',
    'dafl convert lenet5-mnist lenet5.onnx --layout nhwc --with-preprocessing --with-softmax',
    'dafl convert student.safetensors student.keras',
    'dafl convert teacher.keras teacher-tfjs/',
    'dafl convert resnet18.pth model.safetensors --architecture resnet18-imagenet',
    'dafl convert student.safetensors weights.safetensors --names pytorch',
  ],
  async run(values, { terminal, isJson }, given) {
    const { model: source, layout } = values;
    const format = formatOf(values.out);
    const file = /[/\\]$/.test(values.out) ? `${values.out}model.json` : values.out;
    for (const key of ['layout', 'withPreprocessing', 'withSoftmax', 'names'] as const) {
      const formats = owners[key];
      if (given[key] === undefined || formats.includes(format)) continue;
      throw new UsageError(
        `Cannot run 'dafl convert' as '${key}' must be given for ${formats.map((owner) => endings[owner]).join(', ')} alone: current value is '${file}'`,
      );
    }
    // dafl's own format says all of it.
    const isOwn = format === 'safetensors' && values.names === 'dafl';
    const config = isOwn
      ? undefined
      : format === 'tfjs'
        ? file.replace(/model\.json$/i, 'preprocessor_config.json')
        : file.replace(/\.\w+$/, '.preprocessor_config.json');
    const { formatBytes, tryFile, writeFileAtomically, writeModelFiles } = await import('@dafl/run');
    for (const each of [file, config]) if (each !== undefined) await tryFile(each, values);
    const { loadModel } = await import('@dafl/run/load-model');
    const models = await import('@dafl/models');
    const { model, notes } = await loadModel(source, values);
    tellNotes(notes, terminal);
    const inside = { includesPreprocessing: values.withPreprocessing, includesSoftmax: values.withSoftmax };
    const write: Readonly<Record<Format, () => ReadonlyMap<string, Uint8Array>>> = {
      onnx: () => new Map([[file, models.writeOnnx(model, { layout, ...inside })]]),
      keras: () => new Map([[file, models.writeKeras(model, inside)]]),
      safetensors: () =>
        new Map([[file, values.names === 'pytorch' ? models.writeStateDict(model) : models.writeModel(model)]]),
      tfjs: () => models.writeTfjs(model, inside),
    };
    const files = write[format]();
    if (format === 'tfjs') await writeModelFiles(file, files);
    else for (const [path, bytes] of files) await writeFileAtomically(path, bytes);
    if (config !== undefined) {
      const described = models.describePreprocessor(model.graph, { includesPreprocessing: values.withPreprocessing });
      await writeFileAtomically(config, Buffer.from(`${JSON.stringify(described, null, 2)}\n`));
    }
    const sizeBytes = [...files.values()].reduce((total, { length }) => total + length, 0);
    terminal.out(
      isJson
        ? `${JSON.stringify({ event: 'result', model: source, file, preprocessorConfig: config ?? null, format, sizeBytes, notes })}\n`
        : `${model.graph.name} -> ${file}, ${formatBytes(sizeBytes)}${config === undefined ? '' : `; preprocessing and classes -> ${config}`}\n`,
    );
    return exitCodes.done;
  },
});

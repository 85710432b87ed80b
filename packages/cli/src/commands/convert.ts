import { z } from 'zod';
import { assertWritableFile } from '../assert-writable-file.ts';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import { exitCodes } from '../exit-code.ts';
import { forceArgument, modelArgument, fileArguments } from '../shared-arguments.ts';
import { tellNotes } from '../tell-notes.ts';
import { UsageError } from '../usage-error.ts';

/** What only an ONNX file has. */
const ofOnnx = ['layout', 'withPreprocessing', 'withSoftmax'] as const;

export const convertCommand: Command = defineCommand({
  name: 'convert',
  description: 'Write a model in another format: ONNX (.onnx), or dafl or PyTorch weights (.safetensors).',
  arguments: z.strictObject({
    model: modelArgument,
    file: z
      .string()
      .regex(/\.(onnx|safetensors)$/i)
      .describe('The file to write: .onnx or .safetensors')
      .meta({ flag: false, rule: 'a name that ends in .onnx or .safetensors' }),
    layout: z.enum(['nchw', 'nhwc']).default('nchw').describe("Order of the ONNX input's axes"),
    withPreprocessing: z
      .boolean()
      .optional()
      .describe('Have the ONNX graph take pixels in 0..255 and preprocess them itself'),
    withSoftmax: z.boolean().optional().describe('Have the ONNX graph give probabilities, not logits'),
    names: z
      .enum(['dafl', 'pytorch'])
      .default('dafl')
      .describe('Names in .safetensors: its own, with the graph; or those of PyTorch, weights alone'),
    force: forceArgument,
    ...fileArguments,
  }),
  operands: ['model', 'file'],
  examples: [
    'dafl convert student/student/student.safetensors student.onnx',
    'dafl convert lenet5-mnist lenet5.onnx --layout nhwc --with-preprocessing --with-softmax',
    'dafl convert resnet18.pth model.safetensors --architecture resnet18-imagenet',
    'dafl convert student.safetensors weights.safetensors --names pytorch',
  ],
  async run(values, { terminal, isJson }, given) {
    const { model: source, file, layout } = values;
    const format = /\.onnx$/i.test(file) ? 'onnx' : 'safetensors';
    const surplus = format === 'onnx' ? undefined : ofOnnx.find((key) => given[key] !== undefined);
    if (surplus !== undefined) {
      throw new UsageError(
        `Cannot run 'dafl convert' as '${surplus}' must be given for .onnx alone: current value is '${file}'`,
      );
    }
    if (format === 'onnx' && given.names !== undefined) {
      throw new UsageError(
        `Cannot run 'dafl convert' as 'names' must be given for .safetensors alone: current value is '${file}'`,
      );
    }
    // dafl's own format says all of it.
    const isOwn = format === 'safetensors' && values.names === 'dafl';
    const config = isOwn ? undefined : file.replace(/\.\w+$/, '.preprocessor_config.json');
    for (const each of [file, config]) if (each !== undefined) assertWritableFile(each, values);
    const { formatBytes, loadModel, writeFileAtomically } = await import('@dafl/run');
    const { describePreprocessor, writeModel, writeOnnx, writeStateDict } = await import('@dafl/models');
    const { model, notes } = await loadModel(source, values);
    tellNotes(notes, terminal);
    const bytes =
      format === 'onnx'
        ? writeOnnx(model, {
            layout,
            includesPreprocessing: values.withPreprocessing,
            includesSoftmax: values.withSoftmax,
          })
        : values.names === 'pytorch'
          ? writeStateDict(model)
          : writeModel(model);
    await writeFileAtomically(file, bytes);
    if (config !== undefined) {
      const described = describePreprocessor(model.graph, { includesPreprocessing: values.withPreprocessing });
      await writeFileAtomically(config, Buffer.from(`${JSON.stringify(described, null, 2)}\n`));
    }
    const sizeBytes = bytes.length;
    terminal.out(
      isJson
        ? `${JSON.stringify({ event: 'result', model: source, file, preprocessorConfig: config ?? null, format, sizeBytes, notes })}\n`
        : `${model.graph.name} -> ${file}, ${formatBytes(sizeBytes)}${config === undefined ? '' : `; preprocessing and classes -> ${config}`}\n`,
    );
    return exitCodes.done;
  },
});

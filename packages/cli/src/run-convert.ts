import { existsSync } from 'node:fs';
import { writeModel, writeOnnx } from '@dafl/models';
import { formatBytes, loadModel, writeFileAtomically } from '@dafl/run';
import type { CommandContext, FlagValues } from './command.ts';
import { exitCodes } from './exit-code.ts';
import { readPixelFlags } from './pixel-flags.ts';
import { UsageError } from './usage-error.ts';

/** What only an ONNX file has. */
const onnxFlags = { layout: '--layout', withPreprocessing: '--with-preprocessing', withSoftmax: '--with-softmax' };

/** Runs `dafl convert`. @returns The exit code. */
export async function runConvert(
  source: string,
  file: string,
  values: FlagValues,
  { terminal, isJson }: CommandContext,
): Promise<number> {
  const refuse = (rule: string, value: string): never => {
    throw new UsageError(`Cannot run 'dafl convert' as ${rule}: current value is ${value}`);
  };
  const format = /\.onnx$/i.test(file) ? 'onnx' : /\.safetensors$/i.test(file) ? 'safetensors' : undefined;
  if (format === undefined) return refuse("the file's name must end in .onnx or .safetensors", `'${file}'`);
  const layout = (['nchw', 'nhwc'] as const).find((known) => known === (values.layout ?? 'nchw'));
  if (layout === undefined) return refuse("'--layout' must be one of [nchw, nhwc]", `'${String(values.layout)}'`);
  if (format !== 'onnx') {
    for (const [key, flag] of Object.entries(onnxFlags)) {
      if (values[key] !== undefined) refuse(`'${flag}' must be given for .onnx alone`, `'${file}'`);
    }
  }
  if (values.force !== true && existsSync(file)) {
    throw new UsageError(`Cannot write '${file}' as it must not exist: replace it with --force`);
  }
  const { model, notes } = await loadModel(source, readPixelFlags(values, 'convert'));
  for (const note of notes) terminal.err(`${terminal.style('yellow', 'note:', 'err')} ${note}\n`);
  const bytes =
    format === 'onnx'
      ? writeOnnx(model, {
          layout,
          includesPreprocessing: values.withPreprocessing === true,
          includesSoftmax: values.withSoftmax === true,
        })
      : writeModel(model);
  await writeFileAtomically(file, bytes);
  const sizeBytes = bytes.length;
  terminal.out(
    isJson
      ? `${JSON.stringify({ event: 'result', model: source, file, format, sizeBytes, notes })}\n`
      : `${model.graph.name} -> ${file}, ${formatBytes(sizeBytes)}\n`,
  );
  return exitCodes.done;
}

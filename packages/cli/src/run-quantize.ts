import { existsSync } from 'node:fs';
import {
  backendNames,
  fitImages,
  formatBytes,
  loadLabelledImages,
  loadModel,
  runQuantization,
  selectBackend,
  writeFileAtomically,
} from '@dafl/run';
import type { CommandContext, FlagValues } from './command.ts';
import { exitCodes } from './exit-code.ts';
import { formatCount, formatPercent } from './format.ts';
import { integerFlag } from './integer-flag.ts';
import { readPixelFlags } from './pixel-flags.ts';
import { tellDownload } from './tell-download.ts';
import { UsageError } from './usage-error.ts';

/** Runs `dafl quantize`. @returns The exit code. */
export async function runQuantize(
  source: string,
  values: FlagValues,
  { terminal, isJson, signal }: CommandContext,
): Promise<number> {
  const refuse = (rule: string, value: string): never => {
    throw new UsageError(`Cannot run 'dafl quantize' as ${rule}: current value is ${value}`);
  };
  const file =
    typeof values.out === 'string' && values.out !== '' ? values.out : refuse("'--out' must be given", 'none');
  if (!/\.onnx$/i.test(file)) refuse("the file's name must end in .onnx", `'${file}'`);
  const backendName = (['auto', ...backendNames] as const).find((known) => known === (values.backend ?? 'auto'));
  if (backendName === undefined)
    return refuse(`'--backend' must be one of [auto, ${backendNames.join(', ')}]`, `'${String(values.backend)}'`);
  const threads = integerFlag('quantize', values, 'threads', { least: 1, most: 64 });
  if (values.force !== true && existsSync(file)) {
    throw new UsageError(`Cannot write '${file}' as it must not exist: replace it with --force`);
  }
  const { model, notes, sizeBytes } = await loadModel(source, readPixelFlags(values, 'quantize'));
  for (const note of notes) terminal.err(`${terminal.style('yellow', 'note:', 'err')} ${note}\n`);
  const data = typeof values.eval === 'string' ? values.eval : undefined;
  const evaluation =
    data === undefined
      ? undefined
      : fitImages(
          await loadLabelledImages(data, { split: 'test', signal, onDownload: tellDownload(terminal) }),
          model.graph,
        );
  const { backend, reason } = await selectBackend({
    backend: backendName,
    threads,
    allowSoftwareGpu: values.allowSoftwareGpu === true,
  });
  terminal.err(`Backend: ${backend.description}, ${reason}\n`);
  try {
    const { bytes, ...outcome } = await runQuantization(model, { backend, evaluation, signal });
    await writeFileAtomically(file, bytes);
    const { marks, accuracies } = outcome;
    if (isJson) {
      const sizes = { sizeBytesBefore: sizeBytes, sizeBytes: bytes.length };
      terminal.out(`${JSON.stringify({ event: 'result', model: source, file, ...sizes, ...outcome, data, notes })}\n`);
      return exitCodes.done;
    }
    const share = formatPercent(bytes.length / sizeBytes);
    terminal.out(
      `${model.graph.name} -> ${file}, ${formatBytes(sizeBytes)} -> ${formatBytes(bytes.length)} (${share})\n` +
        `  names the same class on ${formatPercent(marks.agreement)} of ${formatCount(marks.pictures)} pictures drawn without data\n`,
    );
    if (accuracies !== undefined) {
      const { before, after, count, runBy } = accuracies;
      const how = runBy === 'simulation' ? 'by simulation, as onnxruntime-node is not installed' : `by ${runBy}`;
      terminal.out(
        `  ${formatPercent(before)} -> ${formatPercent(after)} of ${formatCount(count)} test images of ${String(data)}; the file was run ${how}\n`,
      );
    }
    return exitCodes.done;
  } finally {
    await backend.close();
  }
}

import { z } from 'zod';
import type { Command } from '../command.ts';
import { defineCommand } from '../define-command.ts';
import type { Diagnosis } from '../diagnose.ts';
import { exitCodes } from '../exit-code.ts';
import { formatTable } from '../format.ts';
import { computingArguments } from '../shared-arguments.ts';

export const doctorCommand: Command = defineCommand({
  name: 'doctor',
  description:
    'Check what this machine offers: runtime, cores, memory, WebAssembly, backends with their speed and how to get those that are missing, data, disk.',
  arguments: z.strictObject({
    setupTensorflow: z
      .union([z.literal(true), z.string().min(1)])
      .optional()
      .describe(
        'Install what the backend node needs: build its addon against the library in a wheel of tensorflow or tensorflow-cpu, or in the folder of an installed one (for CUDA). Default: tensorflow-cpu, downloaded by pip',
      )
      .meta({ placeholder: 'wheel', isValueOptional: true }),
    allowSoftwareGpu: computingArguments.allowSoftwareGpu,
  }),
  examples: [
    'dafl doctor',
    'dafl doctor --json',
    'dafl doctor --setup-tensorflow',
    'dafl doctor --setup-tensorflow venv/lib/python3.13/site-packages/tensorflow',
  ],
  async run({ setupTensorflow: wheel, allowSoftwareGpu = false }, { terminal, isJson, signal }) {
    if (wheel !== undefined) {
      const { setupTensorflow } = await import('@dafl/backend-node');
      const { folder, version, hasGpu } = await setupTensorflow({
        wheel: wheel === true ? undefined : wheel,
        signal,
        onProgress: (step) => terminal.err(`${step}\n`),
      });
      terminal.err(`TensorFlow ${version} is set up in ${folder}${hasGpu ? ', with a GPU' : ''}\n\n`);
    }
    const { diagnose } = await import('../diagnose.ts');
    const { formatBytes } = await import('@dafl/run');
    const diagnosis = await diagnose(allowSoftwareGpu, signal);
    const isFit = diagnosis.backends.some(({ isAvailable }) => isAvailable);
    terminal.out(isJson ? `${JSON.stringify({ event: 'result', ...diagnosis })}\n` : render(diagnosis, formatBytes));
    return isFit ? exitCodes.done : exitCodes.failed;
  },
});

function describe({ runtime: { name, version }, node }: Diagnosis): string {
  return name === 'Node' ? `Node ${version} (22.13 or newer is needed)` : `${name} ${version}, like Node ${node}`;
}

function render(diagnosis: Diagnosis, formatBytes: (bytes: number) => string): string {
  const { machine, webAssembly: wasm, backends, teachers, mnist, freeDiskBytes } = diagnosis;
  const yes = (value: boolean): string => (value ? 'yes' : 'no');
  const rows = [
    ['dafl', diagnosis.dafl],
    ['Runtime', describe(diagnosis)],
    ['Processor', `${machine.processor}, ${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'}`],
    ['Memory', `${formatBytes(machine.memoryBytes)}, ${formatBytes(diagnosis.freeMemoryBytes)} free`],
    ['Disk', freeDiskBytes === null ? 'unknown' : `${formatBytes(freeDiskBytes)} free here`],
    ['System', machine.system],
    ['WebAssembly', `SIMD ${yes(wasm.simd)}, relaxed SIMD ${yes(wasm.relaxedSimd)}, threads ${yes(wasm.sharedMemory)}`],
    ['Teachers', teachers.join(', ')],
    ['MNIST', mnist ?? 'not found: downloaded when it is asked for'],
  ];
  const speeds = backends.map(({ name, isAvailable, description, gigaflopsPerSecond: speed }) => [
    name,
    isAvailable ? 'yes' : 'no',
    speed === null ? '-' : speed.toFixed(speed < 10 ? 2 : 0),
    description,
  ]);
  const table = formatTable([['Backend', 'here', 'GFLOP/s', ''], ...speeds], { right: [2] });
  return `${formatTable(rows)}\n${table}\n${explainAuto(backends)}\n`;
}

/** What `--backend auto` comes to on this machine: the rule of `selectBackend`. */
function explainAuto(backends: Diagnosis['backends']): string {
  const here = backends.filter(({ isAvailable }) => isAvailable);
  const find = (name: string): Diagnosis['backends'][number] | undefined => here.find((one) => one.name === name);
  const gpu = [find('node')].find((one) => one?.description.includes('CUDA')) ?? find('webgpu');
  if (gpu !== undefined) return `--backend auto takes ${gpu.name} here: a GPU comes first`;
  if (find('node') !== undefined && find('wasm') !== undefined)
    return '--backend auto takes wasm here for narrow networks (LeNet-5, ResNet-20, MobileNetV2), and node for wide ones (ResNet-18)';
  return here.length === 0 ? 'No backend runs here' : `--backend auto takes ${here[0].name} here`;
}

/**
 * Makes the classes of the kernels' arguments and the function that calls a kernel by its number, in AssemblyScript, from
 * `src/kernel-arguments.ts`. Compiles `assembly/` to WebAssembly, once with relaxed SIMD and once without, and writes each
 * module as a TypeScript file that holds it in base64. `--check` compares with the files that stand instead of writing
 * them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installTool } from '../../../../scripts/install-tool.ts';
import { kernelArguments, sharedArguments, type ArgumentType, type KernelName } from '../src/kernel-arguments.ts';

/** What is used of the compiler. */
interface Compiler {
  readonly main: (
    options: readonly string[],
    host: {
      readonly readFile: (name: string, base: string) => string | null;
      readonly writeFile: (name: string, contents: string | Uint8Array) => void;
      readonly listFiles: () => string[];
    },
  ) => Promise<{ readonly error: Error | null }>;
}

const { main } = (await import(
  pathToFileURL(join(installTool('assemblyscript'), 'assemblyscript', 'dist', 'asc.js')).href
)) as Compiler;

const folder = join(import.meta.dirname, '..');
const isCheck = process.argv.includes('--check');

/** Reserved below the heap: the scheduler's block lies there (`assembly/scheduler.ts`). */
const MEMORY_BASE = 4096;

/** What AssemblyScript calls the types of arguments. */
const assemblyTypes: Readonly<Record<ArgumentType, string>> = {
  address: 'usize',
  bytes: 'usize',
  integer: 'i32',
  float: 'f32',
};

function classOf(name: string): string {
  return `${name[0].toUpperCase()}${name.slice(1)}Arguments`;
}

function renderClass(name: string, fields: Readonly<Record<string, ArgumentType>>, shared?: string): string {
  const base = shared === undefined ? '' : ` extends ${classOf(shared)}`;
  const lines = Object.entries(fields).map(([field, type]) => `  ${field}: ${assemblyTypes[type]};\n`);
  return `// @ts-ignore: decorator\n@unmanaged\nexport class ${classOf(name)}${base} {\n${lines.join('')}}\n`;
}

const kernels = Object.keys(kernelArguments) as KernelName[];
const origin =
  '// Generated from src/kernel-arguments.ts by scripts/build-kernels.ts (npm run build:kernels). Do not edit.\n';

function renderArguments(): string {
  const shared = Object.entries(sharedArguments).map(([name, fields]) => renderClass(name, fields));
  const own = Object.entries<{ shared?: string; own: Readonly<Record<string, ArgumentType>> }>(kernelArguments).map(
    ([name, kernel]) => renderClass(name, kernel.own, kernel.shared),
  );
  return [origin, ...shared, ...own].join('\n');
}

function renderDispatch(): string {
  return `${origin}
import * as kernels from '../kernels';
import {
${kernels.map((name) => `  ${classOf(name)},\n`).join('')}} from './kernel-arguments';

/** Does chunk \`chunk\` of kernel number \`kernel\`. */
export function runChunk(kernel: i32, args: usize, chunk: i32): void {
  switch (kernel) {
${kernels.map((name, i) => `    case ${i}: kernels.${name}(changetype<${classOf(name)}>(args), chunk); break;\n`).join('')}  }
}
`;
}

async function compile(features: string): Promise<Uint8Array> {
  const outputs = new Map<string, Uint8Array>();
  const { error } = await main(
    [
      'assembly/index.ts',
      '--outFile',
      'kernels.wasm',
      '-O3',
      '--noAssert',
      '--runtime',
      'stub',
      '--use',
      'abort=',
      '--enable',
      features,
      '--importMemory',
      '--sharedMemory',
      '--initialMemory',
      '1',
      '--maximumMemory',
      '65536',
      '--memoryBase',
      String(MEMORY_BASE),
    ],
    {
      readFile: (name: string, base: string): string | null => {
        try {
          return readFileSync(join(folder, base, name), 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (name: string, contents: string | Uint8Array): void => {
        if (typeof contents !== 'string') outputs.set(name, contents);
      },
      listFiles: (): string[] => [],
    },
  );
  if (error !== null) throw new Error(`Cannot compile the kernels as the compiler must accept them: ${error.message}`);
  return outputs.get('kernels.wasm')!;
}

function render(bytes: Uint8Array, constant: string, summary: string): string {
  return [
    `// Generated from assembly/ by scripts/build-kernels.ts (npm run build:kernels). Do not edit.`,
    ``,
    `/** ${summary}, in base64. */`,
    `export const ${constant}: string =`,
    `  '${Buffer.from(bytes).toString('base64')}';`,
    ``,
  ].join('\n');
}

const modules = [
  {
    file: 'src/generated/kernels-relaxed-simd.ts',
    features: 'simd,relaxed-simd,threads,bulk-memory',
    constant: 'relaxedSimdKernels',
    summary: 'The kernels, compiled for 128-bit SIMD with relaxed multiply-add',
  },
  {
    file: 'src/generated/kernels-simd.ts',
    features: 'simd,threads,bulk-memory',
    constant: 'simdKernels',
    summary: 'The kernels, compiled for 128-bit SIMD',
  },
];

/** Writes a file, or holds it against the one that stands. */
function settle(file: string, text: string): void {
  const path = join(folder, file);
  if (!isCheck) {
    writeFileSync(path, text);
    process.stdout.write(`${file}: ${text.length} bytes\n`);
  } else if (readFileSync(path, 'utf8') !== text) {
    process.stderr.write(
      `Cannot accept '${file}' as it must be what the sources give: current file differs. Run npm run build:kernels\n`,
    );
    process.exitCode = 1;
  }
}

settle('assembly/generated/kernel-arguments.ts', renderArguments());
settle('assembly/generated/run-chunk.ts', renderDispatch());
for (const { file, features, constant, summary } of modules) {
  settle(file, render(await compile(features), constant, summary));
}

/**
 * Compiles `assembly/` to WebAssembly, once with relaxed SIMD and once without, and writes each module as a TypeScript
 * file that holds it in base64. `--check` compares with the files that stand instead of writing them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installTool } from '../../../../scripts/install-tool.ts';

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
const generated = join(folder, 'src', 'generated');
const isCheck = process.argv.includes('--check');

/** Reserved below the heap: the scheduler's block lies there (`assembly/scheduler.ts`). */
const MEMORY_BASE = 4096;

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
    file: 'kernels-relaxed-simd.ts',
    features: 'simd,relaxed-simd,threads,bulk-memory',
    constant: 'relaxedSimdKernels',
    summary: 'The kernels, compiled for 128-bit SIMD with relaxed multiply-add',
  },
  {
    file: 'kernels-simd.ts',
    features: 'simd,threads,bulk-memory',
    constant: 'simdKernels',
    summary: 'The kernels, compiled for 128-bit SIMD',
  },
];

for (const { file, features, constant, summary } of modules) {
  const bytes = await compile(features);
  const text = render(bytes, constant, summary);
  const path = join(generated, file);
  if (!isCheck) {
    writeFileSync(path, text);
    process.stdout.write(`${file}: ${bytes.length} bytes\n`);
  } else if (readFileSync(path, 'utf8') !== text) {
    process.stderr.write(
      `Cannot accept '${file}' as it must be what assembly/ compiles to: current file differs. Run npm run build:kernels\n`,
    );
    process.exitCode = 1;
  }
}

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { DaflError } from '@dafl/core';
import { extractWheel } from './extract-wheel.ts';
import { MUTE_ADDON, tensorflowFolder } from './load-tensorflow.ts';

/** Options of `setupTensorflow`; all have defaults. */
export interface TensorflowSetupOptions {
  /**
   * A `.whl` file of `tensorflow` or `tensorflow-cpu`, or the folder of an installed one (`site-packages/tensorflow`),
   * which CUDA needs: there the NVIDIA libraries lie beside it. Default: `tensorflow-cpu`, downloaded by pip.
   */
  readonly wheel?: string;
  /** What is filled. Default: the folder in which `createNodeBackend` looks. */
  readonly folder?: string;
  /** Told each step before it begins. */
  readonly onProgress?: (step: string) => void;
  /** Ends the tools that run and removes what they made. */
  readonly signal?: AbortSignal;
}

/** What `setupTensorflow` made. */
export interface TensorflowSetup {
  readonly folder: string;
  /** Version of the library, such as `2.21.0`. */
  readonly version: string;
  readonly hasGpu: boolean;
}

const TFJS_NODE = '@tensorflow/tfjs-node@4.22.0';
const NODE_API_HEADERS = 'node-api-headers@1.9.0';
const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const;
const NODE_API_VERSION = 8;

/**
 * What TensorFlow writes to stderr while its library is loaded ("oneDNN custom operations are on"), before it heeds
 * TF_CPP_MIN_LOG_LEVEL, can be stopped by nothing else than to lead stderr elsewhere for that time, which JavaScript cannot.
 */
const MUTE_SOURCE = `
#include <fcntl.h>
#include <unistd.h>
#include <node_api.h>
static int kept = -1;
static napi_value mute(napi_env, napi_callback_info) {
  int nowhere = kept == -1 ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1;
  if (nowhere == -1) return nullptr;
  kept = fcntl(2, F_DUPFD_CLOEXEC, 3);
  if (kept != -1) dup2(nowhere, 2);
  close(nowhere);
  return nullptr;
}
static napi_value unmute(napi_env, napi_callback_info) {
  if (kept == -1) return nullptr;
  dup2(kept, 2);
  close(kept);
  kept = -1;
  return nullptr;
}
extern "C" NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value call;
  napi_create_function(env, "mute", NAPI_AUTO_LENGTH, mute, nullptr, &call);
  napi_set_named_property(env, exports, "mute", call);
  napi_create_function(env, "unmute", NAPI_AUTO_LENGTH, unmute, nullptr, &call);
  napi_set_named_property(env, exports, "unmute", call);
  return exports;
}
`;

const run = promisify(execFile);

/**
 * Builds the addon of tfjs-node against the library inside a current TensorFlow wheel, for `createNodeBackend` to load.
 *
 * It needs a C++ compiler, npm for the addon's source, and pip where no wheel is given. A setup that fails leaves the
 * former one as it was.
 *
 * @throws {DaflError} `USAGE` if the system is not Linux, a tool is missing or the wheel is none; `STORAGE` if a file
 * cannot be written. `AbortError` if the signal is aborted.
 */
export async function setupTensorflow(options: TensorflowSetupOptions = {}): Promise<TensorflowSetup> {
  const { wheel, folder = tensorflowFolder(), onProgress = () => {}, signal } = options;
  if (process.platform !== 'linux') {
    throw new DaflError(
      'USAGE',
      `Cannot set TensorFlow up as the system must be Linux: current system is ${process.platform}. npm install @tensorflow/tfjs-node brings one for it`,
    );
  }
  const compiler = await findCompiler();
  const work = await mkdtemp(join(tmpdir(), 'dafl-tensorflow-'));
  const unfinished = `${folder}.unfinished-${process.pid}`;
  try {
    await mkdir(join(unfinished, 'lib', `napi-v${NODE_API_VERSION}`), { recursive: true });
    const library = await prepareLibrary(wheel, { work, unfinished, onProgress, signal });
    onProgress(`Downloading the source of ${TFJS_NODE}`);
    const source = await unpackFromNpm(TFJS_NODE, work, signal);
    const headers = await unpackFromNpm(NODE_API_HEADERS, work, signal);
    onProgress('Compiling the addon');
    const addon = join(unfinished, 'lib', `napi-v${NODE_API_VERSION}`, 'tfjs_binding.node');
    const compile = async (made: string, files: readonly string[], libraries: readonly string[]): Promise<void> => {
      const flags = ['-O2', '-std=c++17', '-fPIC', '-shared', `-DNAPI_VERSION=${NODE_API_VERSION}`];
      const include = [source, library.headers, join(headers, 'include')].map((path) => `-I${path}`);
      const link = [
        `-L${library.folder}`,
        `-Wl,-rpath,${library.runtimePath}`,
        ...libraries.map((name) => `-l:${name}`),
      ];
      const rule = 'its source must compile';
      await runTool(compiler, [...flags, ...include, ...files, ...link, '-o', made], rule, { signal });
    };
    const binding = join(source, 'binding');
    const sources = (await readdir(binding)).filter((name) => name.endsWith('.cc'));
    await compile(
      addon,
      sources.map((name) => join(binding, name)),
      LIBRARIES,
    );
    const mute = join(work, 'mute.cc');
    await writeFile(mute, MUTE_SOURCE);
    await compile(join(dirname(addon), MUTE_ADDON), [mute], []);
    onProgress('Trying the addon');
    const { version, hasGpu } = await tryAddon(addon, signal);
    await rm(folder, { recursive: true, force: true });
    await mkdir(dirname(folder), { recursive: true });
    await rename(unfinished, folder);
    return { folder, version, hasGpu };
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOSPC', 'EACCES', 'EROFS'].includes(String(error.code))) {
      throw new DaflError('STORAGE', `Cannot set TensorFlow up as '${folder}' must be writable: ${error.message}`, {
        cause: error,
      });
    }
    throw error;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
    await rm(work, { recursive: true, force: true });
  }
}

interface PreparedLibrary {
  /** Where the linker finds the libraries. */
  readonly folder: string;
  /** Where the addon finds them when it is loaded. */
  readonly runtimePath: string;
  readonly headers: string;
}

/** Where a setup works, and who is told. */
interface Workshop {
  readonly work: string;
  readonly unfinished: string;
  readonly onProgress: (step: string) => void;
  readonly signal: AbortSignal | undefined;
}

async function prepareLibrary(
  wheel: string | undefined,
  { work, unfinished, onProgress, signal }: Workshop,
): Promise<PreparedLibrary> {
  const isFolder = wheel !== undefined && (await stat(wheel).catch(() => null))?.isDirectory() === true;
  if (isFolder) {
    const installed = resolve(wheel);
    for (const name of LIBRARIES) {
      if (!existsSync(join(installed, name))) reject(wheel, `must contain ${name}`);
    }
    return { folder: installed, runtimePath: installed, headers: join(installed, 'include') };
  }
  if (wheel !== undefined && !existsSync(wheel)) reject(wheel, 'must exist');
  const file = wheel ?? (await downloadWheel(work, onProgress, signal));
  onProgress(`Unpacking ${file}`);
  const unpacked = join(work, 'wheel');
  const found = await extractWheel(file, unpacked, (path) => {
    signal?.throwIfAborted();
    return isNeeded(path);
  });
  const libraries = join(unpacked, 'tensorflow');
  if (LIBRARIES.some((name) => !found.includes(`tensorflow/${name}`))) reject(file, `must contain ${LIBRARIES[0]}`);
  const kept = join(unfinished, 'deps', 'lib');
  await mkdir(kept, { recursive: true });
  for (const name of LIBRARIES) await move(join(libraries, name), join(kept, name));
  return { folder: kept, runtimePath: '$ORIGIN/../../deps/lib', headers: join(libraries, 'include') };
}

/** The two libraries, and the headers that the C API's include. */
function isNeeded(path: string): boolean {
  if (LIBRARIES.some((name) => path === `tensorflow/${name}`)) return true;
  return /^tensorflow\/include\/(tensorflow\/c\/|(xla\/)?tsl\/c\/|.*platform\/ctstring)/.test(path);
}

async function downloadWheel(
  work: string,
  onProgress: (step: string) => void,
  signal: AbortSignal | undefined,
): Promise<string> {
  onProgress('Downloading tensorflow-cpu with pip');
  const folder = join(work, 'download');
  const rule = 'pip must find a wheel of tensorflow-cpu for this machine (or give one: --setup-tensorflow FILE.whl)';
  const pip = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--quiet', '--dest', folder];
  await runTool('python3', [...pip, 'tensorflow-cpu'], rule, { signal });
  const [name] = (await readdir(folder)).filter((entry) => entry.endsWith('.whl'));
  return join(folder, name);
}

async function findCompiler(): Promise<string> {
  for (const name of [process.env['CXX'], 'c++', 'g++', 'clang++']) {
    if (!name) continue;
    try {
      await run(name, ['--version']);
      return name;
    } catch {
      // Not there: the next one.
    }
  }
  throw new DaflError(
    'USAGE',
    'Cannot set TensorFlow up as a C++ compiler must be installed (c++, g++ or clang++; CXX names another): current machine has none',
  );
}

/** Downloads a package from the npm registry and unpacks it, without its dependencies and scripts. */
async function unpackFromNpm(name: string, work: string, signal: AbortSignal | undefined): Promise<string> {
  const folder = await mkdtemp(join(work, 'package-'));
  const npm = ['pack', name, '--silent', '--pack-destination', folder];
  await runTool('npm', npm, `npm must be able to download ${name}`, { signal });
  const [archive] = await readdir(folder);
  await runTool('tar', ['-xzf', join(folder, archive), '-C', folder], `tar must unpack ${archive}`, { signal });
  return join(folder, 'package');
}

/** Loads the addon in a process of its own: one that crashes must not take this one along. */
async function tryAddon(addon: string, signal: AbortSignal | undefined): Promise<{ version: string; hasGpu: boolean }> {
  const script =
    'const b = require(process.env.DAFL_ADDON); console.log(JSON.stringify({ version: b.TF_Version, hasGpu: b.isUsingGpuDevice() }))';
  const env = { ...process.env, DAFL_ADDON: addon, TF_CPP_MIN_LOG_LEVEL: '2' };
  const { stdout } = await runTool(process.execPath, ['-e', script], 'the addon must load', { env, signal });
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}

async function runTool(
  command: string,
  args: readonly string[],
  rule: string,
  settings: { readonly env?: NodeJS.ProcessEnv; readonly signal?: AbortSignal },
): Promise<{ stdout: string }> {
  try {
    return await run(command, args, { ...settings, maxBuffer: 2 ** 26 });
  } catch (error) {
    settings.signal?.throwIfAborted();
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    const reason = output.split('\n').slice(-8).join('\n') || (error instanceof Error ? error.message : String(error));
    throw new DaflError('USAGE', `Cannot set TensorFlow up as ${rule}: ${command} failed: ${reason}`, { cause: error });
  }
}

async function move(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    // The folders may lie on two disks.
    if (!(error instanceof Error && 'code' in error && error.code === 'EXDEV')) throw error;
    await cp(from, to);
  }
}

function reject(wheel: string, rule: string): never {
  throw new DaflError(
    'USAGE',
    `Cannot set TensorFlow up as '${wheel}' ${rule}: give a tensorflow or tensorflow-cpu wheel, or the folder of an installed one`,
  );
}

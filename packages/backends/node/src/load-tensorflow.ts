import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { DaflError } from '@dafl/core';
import type { TensorflowBinding } from './tensorflow-binding.ts';

/** Where a TensorFlow for this process was found. */
export interface TensorflowLocation {
  /** `'setup'` is what `dafl doctor --setup-tensorflow` built. */
  readonly source: 'setup' | '@tensorflow/tfjs-node-gpu' | '@tensorflow/tfjs-node';
  /** The addon's file. */
  readonly path: string;
}

/** Beside the addon of a setup: keeps what TensorFlow says while it is loaded off stderr. */
export const MUTE_ADDON = 'mute.node';

const PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/** The folder that `dafl doctor --setup-tensorflow` fills: `DAFL_TENSORFLOW_DIR`, or one in the user's cache. */
export function tensorflowFolder(): string {
  const { DAFL_TENSORFLOW_DIR: named, XDG_CACHE_HOME: cache, LOCALAPPDATA: local } = process.env;
  if (named) return named;
  if (process.platform === 'win32' && local) return join(local, 'dafl', 'tensorflow');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'dafl', 'tensorflow');
  return join(cache || join(homedir(), '.cache'), 'dafl', 'tensorflow');
}

/** Addons that this process could load, the best first: the one that was set up, then the packages, CUDA first. */
export function findTensorflow(): TensorflowLocation[] {
  const found: TensorflowLocation[] = [];
  const add = (source: TensorflowLocation['source'], packageFolder: string): void => {
    const path = addonUnder(packageFolder);
    if (path !== null) found.push({ source, path });
  };
  add('setup', tensorflowFolder());
  for (const name of PACKAGES) {
    const folder = packageFolder(name);
    if (folder !== null) add(name, folder);
  }
  return found;
}

let loaded: { readonly binding: TensorflowBinding; readonly location: TensorflowLocation } | null = null;

/**
 * Loads TensorFlow into the process, which stays there: a second call gives the same one.
 *
 * @param threads Threads of one operation; null for all cores. It counts for the first call only, as TensorFlow reads it
 * when it starts.
 * @throws {DaflError} `USAGE` if none is installed or none can be loaded, with the reason of each.
 */
export function loadTensorflow(threads: number | null): {
  readonly binding: TensorflowBinding;
  readonly location: TensorflowLocation;
} {
  if (loaded !== null) return loaded;
  const locations = findTensorflow();
  if (locations.length === 0) {
    throw new DaflError(
      'USAGE',
      "Cannot start TensorFlow as it must be installed: run 'dafl doctor --setup-tensorflow', or npm install @tensorflow/tfjs-node (CPU) or @tensorflow/tfjs-node-gpu (CUDA)",
    );
  }
  // TensorFlow reads these when it is loaded. Its log belongs to who asks for it, not into dafl's output.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  // oneDNN's kernels, and its pool of buffers, also on processors where TensorFlow would not choose them itself.
  process.env['TF_ENABLE_ONEDNN_OPTS'] ??= '1';
  if (threads !== null) process.env['TF_NUM_INTRAOP_THREADS'] = String(threads);
  const require = createRequire(import.meta.url);
  const reasons: string[] = [];
  for (const location of locations) {
    try {
      loaded = { binding: loadQuietly(location.path, require), location };
      return loaded;
    } catch (error) {
      reasons.push(`${location.source}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new DaflError('USAGE', `Cannot start TensorFlow as its addon must load: ${reasons.join('; ')}`);
}

function loadQuietly(path: string, require: NodeJS.Require): TensorflowBinding {
  const muteAddon = join(dirname(path), MUTE_ADDON);
  const isWanted = process.env['TF_CPP_MIN_LOG_LEVEL'] === '0';
  if (isWanted || !existsSync(muteAddon)) return require(path) as TensorflowBinding;
  const { mute, unmute } = require(muteAddon) as { readonly mute: () => void; readonly unmute: () => void };
  mute();
  try {
    return require(path) as TensorflowBinding;
  } finally {
    unmute();
  }
}

/** The addon of the newest Node-API below a package's folder, or null. */
function addonUnder(folder: string): string | null {
  const library = join(folder, 'lib');
  if (!existsSync(library)) return null;
  const versions = readdirSync(library)
    .map((name) => Number(/^napi-v(\d+)$/.exec(name)?.[1]))
    .filter((version) => Number.isInteger(version))
    .sort((left, right) => right - left);
  for (const version of versions) {
    const path = join(library, `napi-v${version}`, 'tfjs_binding.node');
    if (existsSync(path)) return path;
  }
  return null;
}

/** Folder of an installed package, as this package or the project that is worked in would import it; or null. */
function packageFolder(name: string): string | null {
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return dirname(createRequire(from).resolve(`${name}/package.json`));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND')) throw error;
    }
  }
  return null;
}

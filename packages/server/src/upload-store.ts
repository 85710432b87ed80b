import { constants, existsSync } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DaflError } from '@dafl/core';
import { createFolder, systemErrorCode, writeFileAtomically } from '@dafl/run';
import type { Upload } from './api.ts';
import { HttpProblem } from './http-problem.ts';
import { readStoredRecord } from './read-stored-record.ts';
import { type JobEvent, startProcess } from './start-process.ts';

/** Options of `createUploadStore`. */
export interface UploadStoreOptions {
  /** Folder of the uploads; created where it does not exist. */
  readonly folder: string;
  /** Uploads that are kept, >= 0. */
  readonly maxUploads: number;
  /** Milliseconds of a look into one. */
  readonly inspectMs: number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly createId: () => string;
  /** Told what is in the folder that is no upload, and passed over. */
  readonly onError: (error: unknown) => void;
}

/** The model files that clients have sent. */
export interface UploadStore {
  /** Stores a file as it arrives, and keeps it if it is a model. */
  receive(chunks: AsyncIterable<Uint8Array>): Promise<Upload>;
  has(id: string): boolean;
  get(id: string): Upload;
  /** Deletes one; jobs that were made with it keep their copy. */
  remove(id: string): Promise<void>;
  /** Puts a copy to `path`. */
  give(id: string, path: string): Promise<void>;
}

const MODEL_FILE = 'model.safetensors';
const RECORD_FILE = 'upload.json';
/** Where uploads lie until they are whole. */
const INCOMING_FOLDER = '.incoming';

/**
 * Opens the uploads of a folder, which no other process may use. What had not arrived whole is removed; anything else in
 * the folder that is no upload stays as it is.
 */
export async function createUploadStore(options: UploadStoreOptions): Promise<UploadStore> {
  const { folder, maxUploads, inspectMs, clock, createId, onError } = options;
  const incoming = join(folder, INCOMING_FOLDER);
  const uploads = new Map<string, Upload>();
  let arriving = 0;
  await rm(incoming, { recursive: true, force: true });
  await createFolder(incoming, undefined, 0o700);
  for (const id of await readdir(folder)) {
    const record = await readStoredRecord<Upload>(join(folder, id, RECORD_FILE), { onError, fields: [] });
    if (record === undefined || record.id !== id) continue;
    const model = join(folder, id, MODEL_FILE);
    if (existsSync(model)) uploads.set(id, record);
    else
      onError(
        new DaflError('DATA', `Cannot read '${model}' as it must be there: it is missing. Its upload is passed over`),
      );
  }

  function get(id: string): Upload {
    const upload = uploads.get(id);
    if (upload === undefined)
      throw new HttpProblem(404, 'NOT_FOUND', `Cannot find '${id}' as it must be the id of an upload`);
    return upload;
  }

  return {
    has: (id) => uploads.has(id),
    get,
    async receive(chunks) {
      const count = uploads.size + arriving;
      if (count >= maxUploads) {
        throw new HttpProblem(
          429,
          'TOO_MANY',
          `Cannot take the upload as at most ${maxUploads} are kept: current number is ${count}. Delete one`,
        );
      }
      arriving++;
      const id = createId();
      const home = join(incoming, id);
      try {
        await mkdir(home, { mode: 0o700 });
        const sizeBytes = await writeChunks(join(home, MODEL_FILE), chunks);
        const model = await inspect(home, inspectMs);
        const upload: Upload = { id, ...model, sizeBytes, createdAt: new Date(clock()).toISOString() };
        await writeFileAtomically(join(home, RECORD_FILE), JSON.stringify(upload));
        await rename(home, join(folder, id));
        uploads.set(id, upload);
        return upload;
      } catch (error) {
        await rm(home, { recursive: true, force: true });
        throw error;
      } finally {
        arriving--;
      }
    },
    async remove(id) {
      get(id);
      uploads.delete(id);
      await rm(join(folder, id), { recursive: true });
    },
    async give(id, path) {
      get(id);
      const source = join(folder, id, MODEL_FILE);
      try {
        await link(source, path);
      } catch (error) {
        // Not every file system has links.
        if (!['EPERM', 'ENOTSUP', 'EMLINK'].includes(systemErrorCode(error) ?? '')) throw error;
        await copyFile(source, path, constants.COPYFILE_FICLONE);
      }
    },
  };
}

/** Writes what comes, one chunk at a time; gives the number of bytes. */
async function writeChunks(path: string, chunks: AsyncIterable<Uint8Array>): Promise<number> {
  const file = await open(path, 'wx', 0o600);
  try {
    let size = 0;
    for await (const chunk of chunks) {
      await file.writeFile(chunk);
      size += chunk.byteLength;
    }
    await file.sync();
    return size;
  } finally {
    await file.close();
  }
}

/** Reads a file as a model, in a process of its own: it may be hostile. */
async function inspect(folder: string, mostMs: number): Promise<{ name: string; parameters: number }> {
  let model: { name: string; parameters: number } | undefined;
  const onEvent = ({ event, name, parameters }: JobEvent) => {
    if (event === 'model') model = { name: String(name), parameters: Number(parameters) };
  };
  const child = startProcess({ task: 'inspect', file: MODEL_FILE }, { folder, onEvent });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.terminate(0);
  }, mostMs);
  const error = await child.ended;
  clearTimeout(timer);
  if (error?.code === 'MODEL') throw new DaflError(error.code, error.message);
  if (model === undefined && isLate) {
    // Whether the file is to blame or a busy machine is not known.
    throw new HttpProblem(
      503,
      'UNAVAILABLE',
      `Cannot read the upload as looking into it must end within ${mostMs / 1000} s, which a busy server may not reach: try again later`,
      { 'retry-after': '60' },
    );
  }
  if (model === undefined) {
    throw new DaflError(
      'MODEL',
      `Cannot read the upload as looking into it must end well: current end is ${error?.code}`,
    );
  }
  return model;
}

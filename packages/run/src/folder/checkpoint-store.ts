import { createHash } from 'node:crypto';
import * as nodeFiles from 'node:fs/promises';
import { join } from 'node:path';
import { type Checkpoint, type CheckpointPart, DaflError, fail, type HostTensor } from '@dafl/core';
import {
  decodeFloat32,
  encodeFloat32,
  parseSafetensors,
  type SafetensorsTensor,
  serializeSafetensors,
} from '@dafl/models';
import { systemErrorCode } from './storage-error.ts';
import { createFolder, type FileCalls, listFolder, writeFileAtomically } from './write-file-atomically.ts';

/** What `CheckpointStore.load` found. */
export interface LoadedCheckpoint {
  /** The newest one that is whole; undefined if there is none. */
  readonly checkpoint: Checkpoint | undefined;
  /** One line for each generation that had to be passed over. */
  readonly damaged: readonly string[];
}

const GENERATION = /^step-(\d{8,})\.safetensors$/;
const FORMAT = 'dafl-checkpoint';
const KEPT_GENERATIONS = 2;

/**
 * Checkpoints of one run in one folder: `step-00000123.safetensors`, and beneath `parts/` the parts that they name, each
 * stored once. The newest two are kept. A checkpoint is written after its parts and the old ones go after it is on the
 * disk, so that a process killed at any moment leaves a whole one.
 */
export class CheckpointStore {
  readonly #folder: string;
  readonly #parts: string;
  readonly #files: FileCalls;
  /** Parts named by each kept generation, oldest first. */
  readonly #kept: { readonly name: string; readonly parts: readonly string[] }[] = [];
  /** Parts that are known to be whole on the disk. */
  readonly #stored = new Set<string>();

  /** @param folder Made at the first `save`. */
  constructor(folder: string, files: FileCalls = nodeFiles) {
    this.#folder = folder;
    this.#parts = join(folder, 'parts');
    this.#files = files;
  }

  /**
   * Writes a checkpoint, then removes what only older ones needed.
   *
   * @throws {DaflError} `STORAGE` if it cannot be written; the checkpoints before it are as they were.
   */
  async save(checkpoint: Checkpoint): Promise<void> {
    const { version, step, fingerprint, counters, tensors, parts } = checkpoint;
    await createFolder(this.#parts, this.#files);
    for (const part of parts) await this.#storePart(part);
    const name = generationName(step);
    const content = { version, step, fingerprint, counters, parts: parts.map(({ id }) => id) };
    await this.#write(join(this.#folder, name), tensors, content);
    const again = this.#kept.findIndex((generation) => generation.name === name);
    if (again >= 0) this.#kept.splice(again, 1);
    this.#kept.push({ name, parts: content.parts });
    while (this.#kept.length > KEPT_GENERATIONS) this.#kept.shift();
    await this.#removeUnnamed();
  }

  /** Reads the newest checkpoint that is whole, its parts included. */
  async load(): Promise<LoadedCheckpoint> {
    return await this.#newest(true);
  }

  /** The same without parts: to look at the weights, not to go on. Undefined if there is no whole checkpoint. */
  async loadWeights(): Promise<Omit<Checkpoint, 'parts'> | undefined> {
    return (await this.#newest(false)).checkpoint;
  }

  async #newest(withParts: boolean): Promise<LoadedCheckpoint> {
    const damaged: string[] = [];
    const names = (await listFolder(this.#folder)).filter((name) => GENERATION.test(name)).reverse();
    for (const name of names) {
      try {
        const checkpoint = await this.#read(name, withParts);
        this.#kept.push({ name, parts: checkpoint.parts.map(({ id }) => id) });
        return { checkpoint, damaged };
      } catch (error) {
        if (!(error instanceof DaflError)) throw error;
        damaged.push(error.message);
      }
    }
    return { checkpoint: undefined, damaged };
  }

  /** Removes the parts of all checkpoints, which cannot be resumed from then; the weights in them stay readable. */
  async discardParts(): Promise<void> {
    await this.#files.rm(this.#parts, { recursive: true, force: true });
    this.#stored.clear();
  }

  async #storePart(part: CheckpointPart): Promise<void> {
    if (this.#stored.has(part.id)) return;
    await this.#write(this.#partPath(part.id), await part.read(), { id: part.id });
    this.#stored.add(part.id);
  }

  async #read(name: string, withParts: boolean): Promise<Checkpoint> {
    const { tensors, content } = await this.#readFile(join(this.#folder, name));
    const { version, step, fingerprint, counters, parts } = content as Omit<Checkpoint, 'tensors' | 'parts'> & {
      parts: string[];
    };
    if (version !== 1) {
      fail({ code: 'CHECKPOINT', cannot: `read checkpoint '${name}'`, as: 'its version must be 1', value: version });
    }
    const read: CheckpointPart[] = [];
    for (const id of withParts ? parts : []) {
      // Checked now, so that a damaged part leads to the generation before and not to a failure half-way; kept in memory
      // only until the run has taken it over.
      const part = await this.#readFile(this.#partPath(id));
      this.#stored.add(id);
      read.push({ id, read: async () => part.tensors });
    }
    return { version, step, fingerprint, counters, tensors, parts: read };
  }

  #partPath(id: string): string {
    if (!/^[\w.-]+$/.test(id) || id.startsWith('.')) {
      fail({
        code: 'CHECKPOINT',
        cannot: 'use checkpoint part',
        as: 'its id must be a plain file name',
        value: `'${id}'`,
      });
    }
    return join(this.#parts, `${id}.safetensors`);
  }

  async #write(path: string, tensors: ReadonlyMap<string, HostTensor>, content: unknown): Promise<void> {
    const text = JSON.stringify(content);
    const stored = new Map(
      [...tensors].map(([name, { shape, data }]): [string, SafetensorsTensor] => [
        name,
        { dataType: 'F32', shape, bytes: encodeFloat32(data) },
      ]),
    );
    const metadata = new Map([
      ['format', FORMAT],
      ['content', text],
      ['sha256', hashContent(text, stored)],
    ]);
    await writeFileAtomically(path, serializeSafetensors({ metadata, tensors: stored }), this.#files);
  }

  async #readFile(path: string): Promise<{ tensors: ReadonlyMap<string, HostTensor>; content: unknown }> {
    let bytes: Uint8Array;
    try {
      bytes = await this.#files.readFile(path);
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === undefined) throw error;
      throw new DaflError(
        'CHECKPOINT',
        `Cannot read checkpoint '${path}' as it must be a readable file: current error is ${code}`,
      );
    }
    const { tensors: stored, metadata } = parseSafetensors(bytes, path);
    const format = metadata.get('format');
    const text = metadata.get('content');
    if (format !== FORMAT || text === undefined) {
      fail({
        code: 'CHECKPOINT',
        cannot: `read checkpoint '${path}'`,
        as: `its format must be '${FORMAT}'`,
        value: `'${format ?? ''}'`,
      });
    }
    const found = hashContent(text, stored);
    if (metadata.get('sha256') !== found) {
      fail({
        code: 'CHECKPOINT',
        cannot: `read checkpoint '${path}'`,
        as: `its SHA-256 must be ${metadata.get('sha256')}`,
        value: found,
      });
    }
    const tensors = new Map<string, HostTensor>();
    for (const [name, tensor] of stored) tensors.set(name, { shape: tensor.shape, data: decodeFloat32(tensor)! });
    return { tensors, content: JSON.parse(text) };
  }

  async #removeUnnamed(): Promise<void> {
    const generations = new Set(this.#kept.map(({ name }) => name));
    const parts = new Set(this.#kept.flatMap((generation) => generation.parts));
    for (const name of await listFolder(this.#folder)) {
      if (GENERATION.test(name) && !generations.has(name))
        await this.#files.rm(join(this.#folder, name), { force: true });
    }
    for (const name of await listFolder(this.#parts)) {
      const id = name.replace(/\.safetensors$/, '');
      if (parts.has(id)) continue;
      await this.#files.rm(join(this.#parts, name), { force: true });
      this.#stored.delete(id);
    }
  }
}

function generationName(step: number): string {
  return `step-${String(step).padStart(8, '0')}.safetensors`;
}

/** SHA-256 over the description and, sorted by name, each tensor's name, shape and bytes. */
function hashContent(text: string, tensors: ReadonlyMap<string, SafetensorsTensor>): string {
  const hash = createHash('sha256').update(text);
  for (const name of [...tensors.keys()].sort()) {
    const { shape, dataType, bytes } = tensors.get(name)!;
    hash.update(`\n${name} ${dataType} [${shape.join(',')}]\n`).update(bytes);
  }
  return hash.digest('hex');
}

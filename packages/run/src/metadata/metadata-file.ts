import { readFile } from 'node:fs/promises';
import { fail } from '@dafl/core';
import type { Metadata, RecordedView } from '@dafl/methods';
import { decodeFloat32, encodeFloat32, parseSafetensors, serializeSafetensors } from '@dafl/models';
import { z } from 'zod';
import { fingerprintFile } from '../models/load-model.ts';

/** The plain part of a metadata file, as JSON under the metadata key `dafl.metadata`. */
const headerSchema = z.strictObject({
  version: z.literal(1),
  /** Of the teacher's file. */
  teacherSha256: z.string(),
  classes: z.int().min(2),
  images: z.int().min(1),
  layers: z.array(z.strictObject({ node: z.string(), poolSize: z.tuple([z.int(), z.int()]).nullable() })).min(1),
  views: z
    .array(
      z.strictObject({
        variant: z.enum(['top-layer', 'all-layers', 'spectral-all-layers', 'spectral-layer-pairs']),
        layers: z.array(z.int().min(0)).min(1),
        coefficients: z.int().min(1),
        isSpectral: z.boolean(),
        spread: z.enum(['factor', 'deviation']),
      }),
    )
    .min(1),
});

const KEY = 'dafl.metadata';

/** A metadata file as bytes: safetensors. */
export function writeMetadata(metadata: Metadata, teacherSha256: string): Uint8Array {
  const tensors = new Map<string, { dataType: 'F32'; shape: readonly number[]; bytes: Uint8Array }>();
  const put = (name: string, data: Float32Array): void =>
    void tensors.set(name, { dataType: 'F32', shape: [data.length], bytes: encodeFloat32(data) });
  metadata.layers.forEach(({ units, mean, deviation }, index) => {
    put(`layers.${index}.units`, Float32Array.from(units));
    put(`layers.${index}.mean`, mean);
    put(`layers.${index}.deviation`, deviation);
  });
  metadata.views.forEach(({ basis, mean, spread }, index) => {
    if (basis !== null) put(`views.${index}.basis`, basis);
    put(`views.${index}.mean`, mean);
    put(`views.${index}.spread`, spread.data);
  });
  const header: z.infer<typeof headerSchema> = {
    version: 1,
    teacherSha256,
    classes: metadata.classes,
    images: metadata.images,
    layers: metadata.layers.map(({ node, poolSize }) => ({ node, poolSize: poolSize === null ? null : [...poolSize] })),
    views: metadata.views.map(({ variant, layers, coefficients, basis, spread }) => ({
      variant,
      layers: [...layers],
      coefficients,
      isSpectral: basis !== null,
      spread: spread.kind,
    })),
  };
  return serializeSafetensors({ metadata: new Map([[KEY, JSON.stringify(header)]]), tensors });
}

/**
 * Reads a metadata file.
 *
 * @throws {DaflError} `DATA` if it is none, is damaged, or was recorded of another teacher.
 */
export async function readMetadata(
  path: string,
  teacherSha256: string,
): Promise<{ readonly metadata: Metadata; readonly sha256: string }> {
  const reject = (rule: string, value: string, cause?: unknown): never => {
    fail({ code: 'DATA', cannot: `read '${path}'`, as: `metadata as ${rule}`, value, cause });
  };
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    return reject('it must be a readable file that dafl record wrote', (error as Error).message, error);
  }
  const file = parseSafetensors(bytes, path);
  const text = file.metadata.get(KEY);
  if (text === undefined) return reject(`its header must hold '${KEY}'`, 'a safetensors file without');
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch (error) {
    return reject('its header must be JSON', (error as SyntaxError).message, error);
  }
  const parsed = headerSchema.safeParse(stored);
  if (!parsed.success) return reject('its header must be sound', z.prettifyError(parsed.error), parsed.error);
  const header = parsed.data;
  if (header.teacherSha256 !== teacherSha256)
    reject(`it must be recorded of the teacher, whose SHA-256 is ${teacherSha256}`, header.teacherSha256);
  const read = (name: string, size?: number): Float32Array => {
    const tensor = file.tensors.get(name);
    if (tensor === undefined) return reject(`it must hold '${name}'`, 'none');
    const data = decodeFloat32(tensor);
    if (data === undefined) return reject(`'${name}' must be float`, tensor.dataType);
    if (size !== undefined && data.length !== size) reject(`'${name}' must have ${size} values`, String(data.length));
    return data;
  };
  const layers = header.layers.map(({ node, poolSize }, index) => {
    const units = Uint32Array.from(read(`layers.${index}.units`));
    const mean = read(`layers.${index}.mean`, units.length);
    return { node, poolSize, units, mean, deviation: read(`layers.${index}.deviation`, units.length) };
  });
  const views = header.views.map(({ variant, layers: seen, coefficients, isSpectral, spread }, index): RecordedView => {
    if (seen.some((layer) => layer >= layers.length)) reject('views must read its layers', `[${seen.join(', ')}]`);
    const units = seen.reduce((total, layer) => total + layers[layer].units.length, 0);
    if (!isSpectral && coefficients !== units)
      reject(`view ${index} must have ${units} coefficients`, String(coefficients));
    const size = header.classes * coefficients;
    return {
      variant,
      layers: seen,
      basis: isSpectral ? read(`views.${index}.basis`, units * coefficients) : null,
      coefficients,
      mean: read(`views.${index}.mean`, size),
      spread: { kind: spread, data: read(`views.${index}.spread`, spread === 'factor' ? size * coefficients : size) },
    };
  });
  const { classes, images } = header;
  return { metadata: { classes, images, layers, views }, sha256: fingerprintFile(bytes).sha256 };
}

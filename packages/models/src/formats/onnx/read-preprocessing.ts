import type { Preprocessing } from '@dafl/core';

/**
 * The preprocessing that `writeOnnx` says in a file's metadata, unless the graph does it itself.
 *
 * @returns undefined where there is none, or none for so many channels.
 */
export function readPreprocessing(metadata: ReadonlyMap<string, string>, channels: number): Preprocessing | undefined {
  const text = metadata.get('preprocessing');
  if (text === undefined) return undefined;
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    // Other exporters may mean something else by this key.
    return undefined;
  }
  if (typeof said !== 'object' || said === null) return undefined;
  const { resize, mean, standardDeviation } = said as Readonly<Record<string, unknown>>;
  const isRow = (values: unknown, holds: (value: number) => boolean): values is number[] =>
    Array.isArray(values) &&
    values.length === channels &&
    values.every((value) => Number.isFinite(value) && holds(value));
  if (resize !== 'bilinear' || !isRow(mean, () => true) || !isRow(standardDeviation, (value) => value > 0))
    return undefined;
  return { resize, mean, standardDeviation };
}

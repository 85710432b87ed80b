import { existsSync } from 'node:fs';
import { UsageError } from './usage-error.ts';

/** @throws {UsageError} If the file is there and may not be replaced. */
export function assertWritableFile(file: string, { force = false }: { readonly force?: boolean }): void {
  if (force || !existsSync(file)) return;
  throw new UsageError(`Cannot write '${file}' as it must not exist: replace it with --force`);
}

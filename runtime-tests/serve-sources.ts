import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { extname, join, normalize, relative } from 'node:path';
import { listWorkspaces, repositoryRoot } from '../scripts/workspace.ts';
import type { Serve } from './open-page.ts';

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.ts': 'text/javascript',
};

/** Serves a folder's modules and JSON files, TypeScript without its types. */
export function serveSources(folder: string): Serve {
  return (path) => {
    const type = types[extname(path)];
    if (type === undefined) return null;
    try {
      const body = readFileSync(join(folder, normalize(path)), 'utf8');
      return { type, body: path.endsWith('.ts') ? stripTypeScriptTypes(body) : body };
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
      throw error;
    }
  };
}

/** Where the repository's packages lie, for the import map of a page that runs them from source. */
export function sourceImports(): Record<string, string> {
  return Object.fromEntries(
    listWorkspaces().flatMap(({ folder, manifest }) =>
      Object.entries(manifest.exports ?? {}).flatMap(([path, source]) =>
        typeof source === 'string' && source.endsWith('.ts')
          ? [[manifest.name + path.slice(1), `/${relative(repositoryRoot, join(folder, source))}`]]
          : [],
      ),
    ),
  );
}

/**
 * Checks the documentation in the sources: whatever a published package exports has a comment, and the examples in
 * core's comments type-check.
 */
import { spawnSync } from 'node:child_process';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listWorkspaces, repositoryRoot } from './workspace.ts';

/** What `deno doc --json` says of one exported name. */
interface DocumentedSymbol {
  readonly name: string;
  readonly declarations: readonly {
    readonly declarationKind: string;
    readonly jsDoc?: object;
    readonly location: { readonly filename: string; readonly line: number };
  }[];
}

const deno = join(repositoryRoot, 'node_modules', '.bin', 'deno');
const env = { ...process.env, DENO_NO_UPDATE_CHECK: '1' };

/** Lists the exported names of a module, re-exports followed. */
function documentedSymbols(path: string): readonly DocumentedSymbol[] {
  const { status, stdout, stderr } = spawnSync(deno, ['doc', '--json', '--quiet', path], {
    cwd: repositoryRoot,
    encoding: 'utf8',
    env,
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`Cannot read the documentation of '${path}': ${stderr}`);
  const { nodes } = JSON.parse(stdout) as {
    readonly nodes: Readonly<Record<string, { readonly symbols?: readonly DocumentedSymbol[] }>>;
  };
  return Object.values(nodes).flatMap(({ symbols = [] }) => symbols);
}

let problems = 0;
for (const { folder, manifest } of listWorkspaces()) {
  if (manifest.private) continue;
  for (const path of Object.values(manifest.exports ?? {})) {
    if (typeof path !== 'string' || !path.endsWith('.ts')) continue;
    for (const { name, declarations } of documentedSymbols(join(folder, path))) {
      const [first] = declarations;
      if (first === undefined || declarations.some(({ jsDoc }) => jsDoc !== undefined)) continue;
      if (!first.location.filename.startsWith('file:')) continue;
      const file = relative(repositoryRoot, fileURLToPath(first.location.filename));
      // What another package exports is that package's to document.
      if (file.includes('node_modules') || !file.startsWith(relative(repositoryRoot, folder))) continue;
      console.error(`${file}:${first.location.line}: '${name}' must have a documentation comment`);
      problems++;
    }
  }
}

const examples = spawnSync(deno, ['check', '--quiet', '--doc', 'src/index.ts'], {
  cwd: join(repositoryRoot, 'packages', 'core'),
  stdio: ['ignore', 'inherit', 'inherit'],
  env,
});
if (problems > 0 || examples.status !== 0) process.exitCode = 1;

/**
 * Checks the documentation. In the sources: whatever a published package exports has a comment, and the examples in core's
 * comments type-check. In the pages: each command is one that there is, with flags and values that it takes, the quick
 * ones run, and each link leads somewhere. `-- --pages` checks the pages only.
 */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkCommand, daflWords } from './_check-command.ts';
import { brokenLinks, generatedPages } from './_check-links.ts';
import { listDocumentedCommands, splitWords } from './_documented-commands.ts';
import { installTool } from './install-tool.ts';
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

const env = { ...process.env, DENO_NO_UPDATE_CHECK: '1' };
const deno = (): string => join(installTool('deno'), '.bin', 'deno');

/** Lists the exported names of a module, re-exports followed. */
function documentedSymbols(path: string): readonly DocumentedSymbol[] {
  const { status, stdout, stderr } = spawnSync(deno(), ['doc', '--json', '--quiet', path], {
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

function checkSources(): void {
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
  const examples = spawnSync(
    deno(),
    ['check', '--quiet', '--doc', 'src/index.ts', 'src/autodiff.ts', 'src/backend-base.ts'],
    {
      cwd: join(repositoryRoot, 'packages', 'core'),
      stdio: ['ignore', 'inherit', 'inherit'],
      env,
    },
  );
  if (examples.status !== 0) problems++;
}

/** Commands that end at once and write nothing. */
const QUICK = ['models', 'inspect', 'doctor'];

async function checkPages(): Promise<void> {
  const pages = globSync(
    ['*.md', 'docs/**/*.md', 'examples/*.md', 'packages/*/README.md', 'packages/backends/*/README.md'],
    {
      cwd: repositoryRoot,
    },
  );
  const quick = new Set<string>();
  for (const page of pages) {
    const file = join(repositoryRoot, page);
    const text = readFileSync(file, 'utf8');
    for (const { line, text: command, isMention } of listDocumentedCommands(text)) {
      const problem = await checkCommand(command, isMention);
      if (problem !== null) report(`${page}:${line}`, `'${command}': ${problem}`);
      const words = isMention === true ? null : daflWords(splitWords(command));
      const isHelp = words?.includes('--help') === true && !/[<[]/.test(command);
      const isQuick = words !== null && QUICK.includes(words[0]) && !words.some((word) => /[./<[]|--setup/.test(word));
      if (problem === null && words !== null && (isHelp || isQuick)) quick.add(words.join(' '));
    }
    for (const link of brokenLinks(file, text, (path) => readFileSync(path, 'utf8'), generatedPages))
      report(page, `'${link}' must lead somewhere`);
  }
  for (const words of quick) {
    const main = join(repositoryRoot, 'packages', 'cli', 'src', 'main.ts');
    const { status, stderr } = spawnSync(process.execPath, [main, ...words.split(' ')], { encoding: 'utf8' });
    if (status !== 0) report(`dafl ${words}`, `must run: exit code is ${status}\n${stderr}`);
  }
}

function report(place: string, problem: string): void {
  console.error(`${place}: ${problem}`);
  problems++;
}

if (!process.argv.includes('--pages')) checkSources();
await checkPages();
if (problems > 0) process.exitCode = 1;

/**
 * Removes what npm installs and nobody here reads: three hundred megabytes of headers, source maps and builds for other
 * engines. Runs after `npm ci`, under any Node, so it is JavaScript.
 */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const modules = fileURLToPath(new URL('../node_modules', import.meta.url));

// The binary itself is linked into `node/bin`: what is left is Node's headers and documentation.
rmSync(join(modules, 'node', 'node_modules'), { recursive: true, force: true });

keep('onnxruntime-web', /^dist\/(ort\.node\.min\.(mjs|js)|ort-wasm-simd-threaded\.(wasm|mjs))$/, /^dist\//);
for (const name of ['tfjs-backend-cpu', 'tfjs-converter', 'tfjs-core', 'tfjs-layers'])
  keep(`@tensorflow/${name}`, /\.node\.js$|\.d\.ts$/, /^(dist|src)\/|\.map$/);
keep('axe-core', /^$/, /^locales\//);
keep('h5wasm', /^$/, /^dist\/(iife|node)\//);
keep('oxc-parser', /^$/, /\.wasm$/);
keep('playwright-core', /^$/, /^lib\/vite\//);
keep('protobufjs', /^$/, /^dist\//);
keep('zod', /^$/, /^src\//);
for (const name of listFolder(modules)) {
  for (const inner of name.startsWith('@') ? listFolder(join(modules, name)) : ['']) {
    if (!`${name}${inner}`.startsWith('.')) keep(join(name, inner), /^$/, /\.map$/);
  }
}

/**
 * @param {string} name Of a package.
 * @param {RegExp} used Files that stay.
 * @param {RegExp} among Files that go unless they are used.
 */
function keep(name, used, among) {
  const folder = join(modules, name);
  for (const path of listFolder(folder, true)) {
    const file = path.replaceAll('\\', '/');
    if (among.test(file) && !used.test(file)) rmSync(join(folder, path));
  }
}

/**
 * Names in a folder, or with `deep` all files beneath it; none where there is no such folder.
 *
 * @param {string} folder
 * @param {boolean} [deep]
 */
function listFolder(folder, deep = false) {
  try {
    const entries = readdirSync(folder, { withFileTypes: true, recursive: deep });
    if (!deep) return entries.map(({ name }) => name);
    // Node 20 says `path` where newer ones say `parentPath`.
    const inside = entries.filter((entry) => entry.isFile());
    return inside.map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1));
  } catch {
    return [];
  }
}

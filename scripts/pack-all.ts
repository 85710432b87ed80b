/** Packs every public package into a folder: `node scripts/pack-all.ts FOLDER`. */
import { resolve } from 'node:path';
import { packWorkspaces } from './pack-workspaces.ts';

for (const { tarball } of packWorkspaces(resolve(process.argv[2] ?? 'packed'))) console.log(tarball);

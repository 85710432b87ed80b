import { basename } from 'node:path';
import { defineConfig } from 'vitest/config';
import { listWorkspaces } from './scripts/workspace.ts';

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    // The cores are shared, on CI as well: a test that hangs is told by three minutes, not by a slow neighbour.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    setupFiles: [`${import.meta.dirname}/vitest.setup.ts`],
    projects: [
      ...listWorkspaces().map(({ folder, manifest }) => ({
        extends: true as const,
        test: { name: basename(manifest.name), root: folder, include: ['src/**/*.test.ts'] },
      })),
      {
        extends: true as const,
        test: { name: 'repository', include: ['{scripts,test-fixtures,bench,runtime-tests,examples}/**/*.test.ts'] },
      },
    ],
  },
});

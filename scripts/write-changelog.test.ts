import { expect, test } from 'vitest';
import { mergeChangelogs } from './write-changelog.ts';

test('mergeChangelogs tells each note once, with its packages', () => {
  const core =
    '# @dafl/core\n\n## 0.2.0\n\n### Minor Changes\n\n- abcdef1: Both\n\n  second line\n\n### Patch Changes\n\n- Only core\n';
  const run =
    '# @dafl/run\n\n## 0.2.0\n\n### Minor Changes\n\n- abcdef1: Both\n\n  second line\n\n### Patch Changes\n\n- Updated dependencies [abcdef1]\n  - @dafl/core@0.2.0\n\n## 0.1.0\n\n### Minor Changes\n\n- First\n';
  expect(
    mergeChangelogs([
      { name: '@dafl/core', text: core },
      { name: '@dafl/run', text: run },
    ]),
  ).toBe(
    '# Changelog\n\nWritten by `npm run version`. All packages have the same version.\n\n## 0.2.0\n\n### Minor Changes\n\n- Both\n\n  second line (core, run)\n\n### Patch Changes\n\n- Only core (core)\n\n## 0.1.0\n\n### Minor Changes\n\n- First (run)\n',
  );
});

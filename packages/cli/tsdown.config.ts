import { packageBuild } from '../../tsdown.base.ts';

export default packageBuild(import.meta.dirname, {
  platform: 'node',
  // Started as a process of its own: nothing imports it.
  entries: ['src/benchmark/contestant-process.ts'],
});

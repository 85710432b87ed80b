import { packageBuild } from '../../tsdown.base.ts';

export default packageBuild(import.meta.dirname, {
  platform: 'node',
  // Started as a thread of its own: nothing imports it.
  entries: ['src/metadata/decompose-worker.ts'],
});

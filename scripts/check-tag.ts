/** Fails unless a tag is that of the version that would be published: `node scripts/check-tag.ts v0.1.0`. */
import { listWorkspaces } from './workspace.ts';

const [tag] = process.argv.slice(2);
const versions = new Set(
  listWorkspaces().flatMap(({ manifest }) => (manifest.private ? [] : [`v${manifest.version}`])),
);
if (versions.size !== 1 || !versions.has(tag)) {
  console.error(
    `The tag must be that of all packages: current value is ${tag}, versions are ${[...versions].join(', ')}`,
  );
  process.exitCode = 1;
}

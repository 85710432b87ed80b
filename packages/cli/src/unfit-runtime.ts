const NEEDED = [22, 13] as const;

/** Why dafl cannot run in a runtime of these versions; undefined if it can. Written for old ones to understand. */
export function unfitRuntime(versions: Readonly<Record<string, string | undefined>>): string | undefined {
  if (versions.bun !== undefined || versions.deno !== undefined) return undefined;
  const [major, minor] = String(versions.node).split('.').map(Number);
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return undefined;
  return `Cannot run dafl as Node must be ${NEEDED.join('.')} or newer: current version is ${versions.node}`;
}

import { createRequire } from 'node:module';
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';

/** What a run was computed on. */
export interface Machine {
  readonly processor: string;
  /** Cores that the process may use. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
}

/** Describes this machine. */
export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${platform()} ${release()} ${arch()}`,
  };
}

/** What runs the code. */
export interface Runtime {
  readonly name: 'Node' | 'Deno' | 'Bun';
  readonly version: string;
}

/** Names the runtime: Deno and Bun give a version of Node too, the one that they are like. */
export function describeRuntime(versions: Readonly<Record<string, string | undefined>> = process.versions): Runtime {
  if (versions.bun !== undefined) return { name: 'Bun', version: versions.bun };
  if (versions.deno !== undefined) return { name: 'Deno', version: versions.deno };
  return { name: 'Node', version: String(versions.node) };
}

/** Version of dafl. */
export function daflVersion(): string {
  return (createRequire(import.meta.url)('../../package.json') as { version: string }).version;
}

/** The most memory that this process has taken so far, in bytes. */
export function peakMemoryBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}

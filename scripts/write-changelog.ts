/**
 * Writes CHANGELOG.md of the repository from those of the packages, which share their versions: each note once, with the
 * packages that it is of. `npm run version` runs it after changesets has written theirs.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listWorkspaces, repositoryRoot } from './workspace.ts';

/** A package's changelog, as changesets writes it. */
export interface PackageChangelog {
  readonly name: string;
  readonly text: string;
}

const KINDS = ['Major Changes', 'Minor Changes', 'Patch Changes'] as const;

/** @returns The text of the repository's changelog, the newest version first, as the packages have them. */
export function mergeChangelogs(changelogs: readonly PackageChangelog[]): string {
  const versions = new Map<string, Map<string, Map<string, string[]>>>();
  for (const { name, text } of changelogs) {
    for (const section of text.split(/^## /m).slice(1)) {
      const version = section.slice(0, section.indexOf('\n')).trim();
      const kinds = versions.get(version) ?? new Map<string, Map<string, string[]>>();
      versions.set(version, kinds);
      for (const part of section.split(/^### /m).slice(1)) {
        const kind = part.slice(0, part.indexOf('\n')).trim();
        const notes = kinds.get(kind) ?? new Map<string, string[]>();
        kinds.set(kind, notes);
        for (const entry of part.split(/^- /m).slice(1)) {
          const note = entry.trim().replace(/^[0-9a-f]{7,}: /, '');
          // Of each release the packages take the others' new versions, which goes without saying.
          if (note.startsWith('Updated dependencies') || /^@dafl\/[\w-]+@/.test(note)) continue;
          notes.set(note, [...(notes.get(note) ?? []), name]);
        }
      }
    }
  }
  const lines = ['# Changelog', '', 'Written by `npm run version`. All packages have the same version.'];
  for (const [version, kinds] of versions) {
    lines.push('', `## ${version}`);
    for (const kind of KINDS) {
      const notes = kinds.get(kind);
      if (notes === undefined || notes.size === 0) continue;
      lines.push('', `### ${kind}`, '');
      for (const [note, names] of notes) {
        const short = names.map((name) => name.replace('@dafl/', '')).sort();
        lines.push(`- ${note} (${short.join(', ')})`);
      }
    }
  }
  return `${lines.join('\n')}\n`;
}

if (import.meta.main) {
  const changelogs = listWorkspaces().flatMap(({ folder, manifest }) => {
    const path = join(folder, 'CHANGELOG.md');
    return manifest.private || !existsSync(path) ? [] : [{ name: manifest.name, text: readFileSync(path, 'utf8') }];
  });
  writeFileSync(join(repositoryRoot, 'CHANGELOG.md'), mergeChangelogs(changelogs));
}

/** Metadata keys under which exporters keep the names of classes. */
const keys = ['classNames', 'class_names', 'classes', 'names', 'labels', 'dafl.classNames'];

/** Names of the classes in a file's metadata: a JSON list, a dictionary by number as Python prints it, or words between commas. */
export function readClassNames(metadata: ReadonlyMap<string, string>): string[] | undefined {
  for (const key of keys) {
    const text = metadata.get(key)?.trim();
    if (text === undefined || text === '') continue;
    const entries = /^\{(.*)\}$/s.exec(text)?.[1];
    if (entries !== undefined) {
      const named = [...entries.matchAll(/['"]?(\d+)['"]?\s*:\s*(?:'([^']*)'|"([^"]*)")/g)];
      const names = named.sort((a, b) => Number(a[1]) - Number(b[1])).map((entry) => entry[2] ?? entry[3]);
      if (names.length > 0) return names;
    }
    const words = /^\[(.*)\]$/s.exec(text)?.[1];
    const quoted = words === undefined ? [] : [...words.matchAll(/'([^']*)'|"([^"]*)"/g)];
    if (quoted.length > 0) return quoted.map((entry) => entry[1] ?? entry[2]);
    if (words === undefined && entries === undefined && text.includes(','))
      return text.split(',').map((word) => word.trim());
  }
  return undefined;
}

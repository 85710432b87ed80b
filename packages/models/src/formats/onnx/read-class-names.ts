/** Metadata keys under which exporters keep the names of classes. */
const keys = [
  'classNames',
  'class_names',
  'classes',
  'names',
  'labels',
  'id2label',
  'label2id',
  'categories',
  'dafl.classNames',
];

/** A word between quotes, as Python and JSON write it. */
const WORD = String.raw`'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"`;
const words = new RegExp(WORD, 'g');
const byNumber = new RegExp(String.raw`['"]?(\d+)['"]?\s*:\s*(?:${WORD})`, 'g');
const byName = new RegExp(String.raw`(?:${WORD})\s*:\s*(\d+)`, 'g');

/**
 * Names of the classes in a file's metadata: a list or a dictionary by number or by name, as JSON has it or as Python prints it, or
 * words between commas or on lines of their own.
 */
export function readClassNames(metadata: ReadonlyMap<string, string>): string[] | undefined {
  for (const key of keys) {
    const text = metadata.get(key)?.trim();
    if (text === undefined || text === '') continue;
    const entries = /^\{(.*)\}$/s.exec(text)?.[1];
    const list = /^\[(.*)\]$/s.exec(text)?.[1];
    const names =
      entries === undefined
        ? list === undefined
          ? text.split(text.includes('\n') ? '\n' : ',').map((word) => word.trim())
          : Array.from(list.matchAll(words), ([, single, double]) => unescape(single ?? double))
        : inOrder(entries);
    // One word may mean anything.
    if (names.length > 1 || (names.length > 0 && (entries ?? list) !== undefined)) return names;
  }
  return undefined;
}

/** The names of a dictionary, by their numbers. */
function inOrder(entries: string): string[] {
  let named = Array.from(
    entries.matchAll(byNumber),
    ([, number, single, double]) => [Number(number), single ?? double] as const,
  );
  if (named.length === 0)
    named = Array.from(
      entries.matchAll(byName),
      ([, single, double, number]) => [Number(number), single ?? double] as const,
    );
  return named.sort(([a], [b]) => a - b).map(([, name]) => unescape(name));
}

function unescape(word: string): string {
  return word.replaceAll(
    /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))/gs,
    (_, long?: string, short?: string, plain?: string) =>
      plain === undefined
        ? String.fromCharCode(Number.parseInt(long ?? short ?? '', 16))
        : (controls.get(plain) ?? plain),
  );
}
const controls: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['t', '\t'],
]);

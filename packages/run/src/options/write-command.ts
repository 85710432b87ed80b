/**
 * A command as a POSIX shell takes it.
 *
 * @param words The command's name and what is given without a flag.
 * @param flags Names with their dashes, and values: `true` stands for the flag alone, lists are joined by commas.
 */
export function writeCommand(
  words: readonly string[],
  flags: readonly (readonly [name: string, value: unknown])[],
): string {
  const written = flags.map(([name, value]) => {
    if (value === true) return name;
    const text = Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : JSON.stringify(value);
    // What begins with a dash would be taken for a flag.
    return `${name}${text.startsWith('-') ? '=' : ' '}${quote(text)}`;
  });
  return [...words.map(quote), ...written].join(' ');
}

function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * A value from a file or a caller as an error message shows it: one line, short, text in quotes, nothing in it that a
 * terminal would obey.
 *
 * @param longest Characters after which text is cut off; paths may need more than the usual.
 */
export function showValue(value: unknown, longest = 100): string {
  if (typeof value === 'string') return `'${plain(value, longest)}'`;
  if (Array.isArray(value)) {
    const items = value.slice(0, longest).map((item) => (Array.isArray(item) ? 'a list' : showValue(item)));
    return plain(`[${items.join(', ')}]`, longest);
  }
  return typeof value === 'object' && value !== null ? 'an object' : plain(String(value), longest);
}

function plain(text: string, longest: number): string {
  const short = text.length > longest ? `${text.slice(0, longest)}...` : text;
  // Control, format (bidirectional overrides among them), separator and unpaired surrogate characters.
  return short.replaceAll(
    /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

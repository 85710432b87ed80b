/** About how wide a text of 12 units is drawn: fonts differ, so places are measured generously. */
export function textWidth(text: string): number {
  return Array.from(text).reduce((total, character) => {
    if ("ijl.,:;|!' ".includes(character)) return total + 3.6;
    return total + (/[A-ZMW%m]/.test(character) ? 8.6 : character.codePointAt(0)! > 0x2e80 ? 12 : 6.9);
  }, 0);
}

/** A text that takes at most so many characters; the rest is an ellipsis. */
export function shorten(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}

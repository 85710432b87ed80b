/** Rows of each character, 5 pixels wide and 7 high, `#` for ink. */
const GLYPHS: Readonly<Record<string, string>> = {
  '0': ' ### #   ##  ### # ###  ##   # ### ',
  '1': '  #   ##    #    #    #    #   ### ',
  '2': ' ### #   #    #   #   #   #   #####',
  '3': ' ### #   #    #  ##     ##   # ### ',
  '4': '   #   ##  # # #  # #####   #    # ',
  '5': '######    ####     #    ##   # ### ',
  '6': ' ### #    #    #### #   ##   # ### ',
  '7': '#####    #   #   #   #    #    #   ',
  '8': ' ### #   ##   # ### #   ##   # ### ',
  '9': ' ### #   ##   # ####    #    # ### ',
  '.': '                          ##   ##  ',
  '%': '##   ##  #   #   #   #   #  ##   ##',
  A: ' ### #   ##   #######   ##   ##   #',
  B: '#### #   ##   ##### #   ##   ##### ',
  C: ' ### #   ##    #    #    #   # ### ',
  D: '#### #   ##   ##   ##   ##   ##### ',
  E: '######    #    #### #    #    #####',
  F: '######    #    #### #    #    #    ',
  G: ' ### #   ##    # ####   ##   # ### ',
  H: '#   ##   ##   #######   ##   ##   #',
  I: ' ###   #    #    #    #    #   ### ',
  J: '  ###   #    #    #    # #  #  ##  ',
  K: '#   ##  # # #  ##   # #  #  # #   #',
  L: '#    #    #    #    #    #    #####',
  M: '#   ### ### # ## # ##   ##   ##   #',
  N: '#   ###  ## # ##  ###   ##   ##   #',
  O: ' ### #   ##   ##   ##   ##   # ### ',
  P: '#### #   ##   ##### #    #    #    ',
  Q: ' ### #   ##   ##   ## # ##  #  ## #',
  R: '#### #   ##   ##### # #  #  # #   #',
  S: ' #####    #     ###     #    ##### ',
  T: '#####  #    #    #    #    #    #  ',
  U: '#   ##   ##   ##   ##   ##   # ### ',
  V: '#   ##   ##   ##   ##   # # #   #  ',
  W: '#   ##   ##   ## # ## # ### ###   #',
  X: '#   ##   # # #   #   # # #   ##   #',
  Y: '#   ##   # # #   #    #    #    #  ',
  Z: '#####    #   #   #   #   #    #####',
  '-': '               #####               ',
  '+': '       #    #  #####  #    #       ',
};

const WIDTH = 5;
const HEIGHT = 7;

/** Height of a line of text in pixels. */
export function textHeight(scale: number): number {
  return HEIGHT * scale;
}

/** Width of a text in pixels: each character and one column of space after all but the last. */
export function textWidth(text: string, scale: number): number {
  return Math.max(0, text.length * (WIDTH + 1) - 1) * scale;
}

/**
 * Draws digits, letters (as capitals) and `.%-+` with square pixels.
 *
 * @param paint Called for each pixel of ink.
 */
export function drawText(
  text: string,
  at: { readonly x: number; readonly y: number; readonly scale: number },
  paint: (x: number, y: number) => void,
): void {
  Array.from(text).forEach((character, position) => {
    const glyph = GLYPHS[character.toUpperCase()] ?? '';
    for (let pixel = 0; pixel < glyph.length; pixel++) {
      if (glyph[pixel] !== '#') continue;
      const left = at.x + (position * (WIDTH + 1) + (pixel % WIDTH)) * at.scale;
      const top = at.y + Math.floor(pixel / WIDTH) * at.scale;
      for (let y = 0; y < at.scale; y++) for (let x = 0; x < at.scale; x++) paint(left + x, top + y);
    }
  });
}

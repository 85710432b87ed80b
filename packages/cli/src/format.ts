import stringWidth from 'fast-string-width';

/** `97.53 %`. */
export function formatPercent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

/** `12 s`, `3:05 min`, `1:02 h`, `5.3 days`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 100) return `${whole} s`;
  if (whole < 6000) return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} min`;
  if (whole >= 172_800) return `${(whole / 86_400).toFixed(1)} days`;
  return `${Math.floor(whole / 3600)}:${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} h`;
}

/** `61,706`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** Rows of text with columns as wide as their widest cell, two spaces apart. Chinese letters are two cells of a terminal wide. */
export function formatTable(
  rows: readonly (readonly string[])[],
  options: { readonly right?: readonly number[]; readonly indent?: string } = {},
): string {
  const { right = [], indent = '' } = options;
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => stringWidth(row[column])))) ?? [];
  return rows
    .map((row) => {
      const cells = row.map((cell, column) => {
        const rest = ' '.repeat(widths[column] - stringWidth(cell));
        return right.includes(column) ? rest + cell : cell + rest;
      });
      return `${indent}${cells.join('  ').trimEnd()}\n`;
    })
    .join('');
}

/** `1 step`, `375 steps`. */
export function formatSteps(count: number): string {
  return `${count} ${count === 1 ? 'step' : 'steps'}`;
}

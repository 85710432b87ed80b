const LEVELS = '▁▂▃▄▅▆▇█';

/**
 * A line of text that falls and rises as values do, the least at the bottom and the greatest at the top.
 *
 * @param width Characters, >= 1; each is the mean of its share of the values.
 */
export function sparkline(values: readonly number[], width: number): string {
  const count = Math.min(width, values.length);
  const means = Array.from({ length: count }, (_, index) => {
    const part = values.slice(
      Math.floor((index * values.length) / count),
      Math.floor(((index + 1) * values.length) / count),
    );
    return part.reduce((total, value) => total + value, 0) / part.length;
  });
  const [least, greatest] = [Math.min(...means), Math.max(...means)];
  const levelOf = (mean: number): number =>
    greatest === least ? 0 : Math.round(((mean - least) / (greatest - least)) * (LEVELS.length - 1));
  return means.map((mean) => LEVELS[levelOf(mean)]).join('');
}

/** Where the samples of one measure lie. */
export interface Summary {
  readonly median: number;
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
  readonly minimum: number;
  readonly maximum: number;
}

/** Sums up at least one sample. Quartiles lie between the samples nearest to them, as NumPy has it by default. */
export function summarizeSamples(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((left, right) => left - right);
  const quantile = (share: number): number => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
  };
  return {
    median: quantile(0.5),
    lowerQuartile: quantile(0.25),
    upperQuartile: quantile(0.75),
    minimum: sorted[0],
    maximum: sorted[sorted.length - 1],
  };
}

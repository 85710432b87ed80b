/** 0..1 with two places. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

/** With commas between thousands. */
export function integer(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1 step`, `1,875 steps`. */
export function stepCount(steps: number): string {
  return `${integer(steps)} ${steps === 1 ? 'step' : 'steps'}`;
}

/** How often one is the other. */
export function ratio(large: number, small: number): string {
  return small === 0 ? '-' : (large / small).toFixed(1);
}

/** A time for people. */
export function formatDuration(seconds: number): string {
  if (seconds < 100) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  if (seconds < 6000) return `${(seconds / 60).toFixed(1)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Three places that count. */
export function milliseconds(value: number): string {
  return `${value >= 100 ? value.toFixed(0) : Number(value.toPrecision(3))} ms`;
}

/** The points of a line, in the order of their x. */
export type Points = readonly (readonly [x: number, y: number])[];

const MOST_POINTS = 240;

/** At most 240 of the points, evenly chosen, the first and the last included. */
export function pick(points: Points): Points {
  const count = Math.min(points.length, MOST_POINTS);
  if (count < 2) return points;
  return Array.from({ length: count }, (_, index) => points[Math.round((index * (points.length - 1)) / (count - 1))]);
}

/** At most 240 points, each the mean of its neighbours. */
export function thin(points: Points): Points {
  const size = Math.ceil(points.length / MOST_POINTS);
  if (size <= 1) return points;
  return Array.from({ length: Math.ceil(points.length / size) }, (_, index) => {
    const group = points.slice(index * size, (index + 1) * size);
    const mean = (axis: 0 | 1) => group.reduce((total, point) => total + point[axis], 0) / group.length;
    return [mean(0), mean(1)] as const;
  });
}

/** A centred moving average over about a twentieth of the line. */
export function smooth(points: Points): Points {
  const radius = Math.floor(points.length / 40);
  return points.map(([x], index) => {
    const reach = Math.min(radius, index, points.length - 1 - index);
    const near = points.slice(index - reach, index + reach + 1);
    return [x, near.reduce((total, [, y]) => total + y, 0) / near.length] as const;
  });
}

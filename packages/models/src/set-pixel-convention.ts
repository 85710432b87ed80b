import { fail, type Model } from '@dafl/core';

/** How pictures become a network's input, as its trainer would say it. */
export interface PixelConvention {
  /** Range of pixels before mean and deviation; absent: `'0..1'`. */
  readonly range?: '0..1' | '-1..1' | '0..255';
  /** Subtracted from each channel, in units of `range`: one number, or one a channel; absent: 0, where `std` is too. */
  readonly mean?: readonly number[];
  /** What each channel is divided by: one number > 0, or one a channel; absent: 1, where `mean` is too. */
  readonly std?: readonly number[];
}

/** Value of a stored pixel 0, and of the distance to pixel 255. */
const ranges = { '0..1': [0, 1], '-1..1': [-1, 2], '0..255': [0, 255] } as const;

/** Whether anything is said. */
export function isPixelConvention({ range, mean, std }: PixelConvention): boolean {
  return range !== undefined || mean !== undefined || std !== undefined;
}

/**
 * The same model with other preprocessing. Of mean and deviation, the one that is not given stays as the model has it.
 *
 * @throws {DaflError} `USAGE` if there are neither one nor as many means or deviations as channels, or one of the two is
 *   given for a model that has none.
 */
export function setPixelConvention(model: Model, { range = '0..1', mean, std }: PixelConvention): Model {
  const channels = model.graph.inputShape.at(-1)!;
  const isHalf = (mean === undefined) !== (std === undefined);
  const own = isHalf ? model.graph.preprocessing : undefined;
  if (isHalf && own === undefined) {
    fail({
      cannot: `use model '${model.graph.name}'`,
      as: "'mean' and 'std' must be given together, as the model says neither",
      value: [mean, std].map((values) => (values === undefined ? 'none' : `[${values.join(', ')}]`)).join(' and '),
    });
  }
  for (const [name, values] of Object.entries({ mean, std })) {
    if (values !== undefined && values.length !== 1 && values.length !== channels) {
      fail({
        cannot: `use model '${model.graph.name}'`,
        as: `'${name}' must be ${channels === 1 ? '1 number' : `1 or ${channels} numbers, one for each channel`}`,
        value: `[${values.join(', ')}]`,
      });
    }
  }
  const [low, span] = ranges[range];
  const outside = (mean ?? []).find((value) => value < low || value > low + span);
  if (outside !== undefined) {
    const other = Object.entries(ranges).find(
      ([, [least, width]]) => outside >= least && outside <= least + width,
    )?.[0];
    fail({
      cannot: `use model '${model.graph.name}'`,
      as: `'mean' must lie within its pixels, ${range}`,
      value: `[${mean!.join(', ')}]${other === undefined ? '' : `. Pixels of other ranges are told by --range ${other}`}`,
    });
  }
  const pick = (values: readonly number[], channel: number) => values[values.length === 1 ? 0 : channel];
  const each = (value: (channel: number) => number) => Array.from({ length: channels }, (_, channel) => value(channel));
  const { mean: ownMean, standardDeviation: ownDeviation } = own ?? {};
  const preprocessing = {
    resize: 'bilinear' as const,
    mean: (mean === undefined && ownMean) || each((channel) => (pick(mean ?? [0], channel) - low) / span),
    standardDeviation: (std === undefined && ownDeviation) || each((channel) => pick(std ?? [1], channel) / span),
  };
  return { ...model, graph: { ...model.graph, preprocessing } };
}

import { fail, type Model } from '@dafl/core';

/** How pictures become a network's input, as its trainer would say it. */
export interface PixelConvention {
  /** Range of pixels before mean and deviation; absent: `'0..1'`. */
  readonly range?: '0..1' | '-1..1' | '0..255';
  /** Subtracted from each channel, in units of `range`: one number, or one a channel; absent: 0. */
  readonly mean?: readonly number[];
  /** What each channel is divided by: one number > 0, or one a channel; absent: 1. */
  readonly std?: readonly number[];
}

/** Value of a stored pixel 0, and of the distance to pixel 255. */
const ranges = { '0..1': [0, 1], '-1..1': [-1, 2], '0..255': [0, 255] } as const;

/** Whether anything is said. */
export function isPixelConvention({ range, mean, std }: PixelConvention): boolean {
  return range !== undefined || mean !== undefined || std !== undefined;
}

/**
 * The same model with other preprocessing.
 *
 * @throws {DaflError} `USAGE` if there are neither one nor as many means or deviations as channels.
 */
export function setPixelConvention(model: Model, { range = '0..1', mean = [0], std = [1] }: PixelConvention): Model {
  const channels = model.graph.inputShape.at(-1)!;
  for (const [name, values] of Object.entries({ mean, std })) {
    if (values.length !== 1 && values.length !== channels) {
      fail({
        cannot: `use model '${model.graph.name}'`,
        as: `'${name}' must be 1 or ${channels} numbers, one for each channel`,
        value: `[${values.join(', ')}]`,
      });
    }
  }
  const [low, span] = ranges[range];
  const pick = (values: readonly number[], channel: number) => values[values.length === 1 ? 0 : channel];
  const each = (value: (channel: number) => number) => Array.from({ length: channels }, (_, channel) => value(channel));
  const preprocessing = {
    resize: 'bilinear' as const,
    mean: each((channel) => (pick(mean, channel) - low) / span),
    standardDeviation: each((channel) => pick(std, channel) / span),
  };
  return { ...model, graph: { ...model.graph, preprocessing } };
}

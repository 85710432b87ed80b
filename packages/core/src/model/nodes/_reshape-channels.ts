import type { Shape } from '../../backend.ts';
import type { Axis, Channel, ChannelFlow, Layout } from '../channel-flow.ts';
import { sizeOf } from '../../shape.ts';

/**
 * Where channels go when the same elements get another shape. They are followed where one axis had them and one has them
 * afterwards: repeated by a flattening, tied to each other where the axis is cut. Otherwise all stay.
 */
export function reshapeChannels(input: Layout, from: Shape, to: Shape, flow: ChannelFlow): Layout {
  const untracked = to.map((): Axis => null);
  const [wideFrom, wideTo] = [wideAxes(from), wideAxes(to)];
  // Where axes of size 1 alone come or go, each axis stays what it is.
  if (wideFrom.length === wideTo.length && wideFrom.every((axis, place) => from[axis] === to[wideTo[place]]))
    return wideTo.reduce((layout, axis, place) => layout.with(axis, input[wideFrom[place]]), untracked);
  // A channel that is alone always stays, wherever it goes.
  const tracked = input.flatMap((axis, index) => (axis === null || axis.length === 1 ? [] : [index]));
  if (tracked.length === 0) return untracked;
  if (tracked.length > 1) {
    input.forEach((axis) => flow.fix(axis));
    return untracked;
  }
  const channels = input[tracked[0]]!;
  const inner = sizeOf(from.slice(tracked[0] + 1));
  const size = sizeOf(from);
  const channelAt = (element: number): Channel => flow.find(channels[Math.floor(element / inner) % channels.length]);

  // An axis each of whose entries holds one channel.
  for (let axis = to.length - 1; axis >= 0; axis--) {
    const stride = sizeOf(to.slice(axis + 1));
    const found: (Channel | undefined)[] = Array(to[axis]).fill(undefined);
    let isTold = true;
    for (let element = 0; element < size && isTold; element++) {
      const entry = Math.floor(element / stride) % to[axis];
      found[entry] ??= channelAt(element);
      isTold = found[entry] === channelAt(element);
    }
    if (isTold) return untracked.with(axis, found as Channel[]);
  }
  // An axis that is cut, as for the heads of attention, the groups of a shuffle or a row that becomes maps: the channels of each
  // of an axis's entries go together, where none is in two.
  for (let axis = to.length - 1; axis >= 0; axis--) {
    // All of them would go together.
    if (to[axis] === 1) continue;
    const heads = tieEntries(axis);
    if (heads !== undefined) return untracked.with(axis, heads);
  }
  flow.fix(channels);
  return untracked;

  /** What stands for each entry of an axis, whose channels are tied; undefined, and nothing is, where a channel is in two. */
  function tieEntries(axis: number): Channel[] | undefined {
    const stride = sizeOf(to.slice(axis + 1));
    const owners = new Map<Channel, number>();
    for (let element = 0; element < size; element++) {
      const entry = Math.floor(element / stride) % to[axis];
      const channel = channelAt(element);
      if ((owners.get(channel) ?? entry) !== entry) return undefined;
      owners.set(channel, entry);
    }
    const heads: Channel[] = [];
    for (const [channel, entry] of owners) {
      if (heads[entry] === undefined) heads[entry] = channel;
      else flow.tie(heads[entry], channel);
    }
    return heads;
  }
}

function wideAxes(shape: Shape): number[] {
  return shape.flatMap((size, axis) => (size === 1 ? [] : [axis]));
}

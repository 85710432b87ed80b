import type { Shape } from '../../backend.ts';
import type { Axis, Channel, ChannelFlow, Layout } from '../channel-flow.ts';
import { sizeOf } from '../../shape.ts';

/**
 * Where channels go when the same elements get another shape. They are followed where one axis had them and one has them
 * afterwards: repeated by a flattening, tied to each other where a row becomes maps. Otherwise all stay.
 */
export function reshapeChannels(input: Layout, from: Shape, to: Shape, flow: ChannelFlow): Layout {
  const untracked = to.map((): Axis => null);
  const tracked = input.flatMap((axis, index) => (axis === null ? [] : [index]));
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
  // A row that becomes maps: the entries of each of their channels go together, as far as none is in two.
  const last = to[to.length - 1];
  const owners = new Map<Channel, number>();
  for (let element = 0; element < size; element++) {
    const entry = element % last;
    const channel = channelAt(element);
    if ((owners.get(channel) ?? entry) !== entry) {
      flow.fix(channels);
      return untracked;
    }
    owners.set(channel, entry);
  }
  const heads: Channel[] = [];
  for (const [channel, entry] of owners) {
    if (heads[entry] === undefined) heads[entry] = channel;
    else flow.tie(heads[entry], channel);
  }
  return untracked.with(to.length - 1, heads);
}

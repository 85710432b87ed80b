import type { Shape, Size2d } from '../../backend.ts';
import type { Axis, ChannelFlow, Layout } from '../channel-flow.ts';

/**
 * Where channels that lie along rows and columns go when a window slides over them, as those of channel attention do (Wang
 * et al., "ECA-Net", 2020): a window that keeps their number gives one for each; others need all of them.
 *
 * @param strides Null for what is no window that slides.
 */
export function slideAxes(
  input: Layout,
  strides: Size2d | null,
  flow: ChannelFlow,
  shapes: { readonly inputs: readonly Shape[]; readonly output: Shape },
): [rows: Axis, columns: Axis] {
  const follow = (axis: 0 | 1): Axis => {
    if (strides?.[axis] === 1 && shapes.output[axis] === shapes.inputs[0][axis]) return input[axis];
    flow.fix(input[axis]);
    return null;
  };
  return [follow(0), follow(1)];
}

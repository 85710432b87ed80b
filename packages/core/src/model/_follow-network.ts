import type { Tensor } from '../backend.ts';
import type { Tape, Value } from '../autodiff/tape.ts';
import type { Turn } from '../turn.ts';
import type { Network, NodeVisit } from './network.ts';

/**
 * Walks through a network as far as it is asked for.
 *
 * @returns What gives a node's results for the first `count` images, to be disposed; undefined where the walk is past that node.
 */
export function followNetwork(
  network: Network,
  tape: Tape,
  images: Tensor,
): (name: string, count: number, turn: Turn) => Promise<Tensor | undefined> {
  let last: { readonly name: string; readonly output: Value } | undefined;
  const walked = network.walk(tape, tape.constant(images), {
    mode: 'inference',
    trainable: false,
    observe: ({ name }, _inputs, output) => (last = { name, output }),
  });
  let visit: IteratorResult<NodeVisit, unknown> = walked.next();
  return async (name, count, turn) => {
    while (visit.done !== true && visit.value.node.name !== name) {
      await turn();
      visit = walked.next();
    }
    if (visit.done === true) return undefined;
    // The node itself, whose result lives until the next.
    visit = walked.next();
    if (last?.name !== name) return undefined;
    const { tensor, shape } = last.output;
    return tape.backend.slice(
      tensor,
      shape.map(() => 0),
      [count, ...shape.slice(1)],
    );
  };
}

import { type CombiningKind, combine, scaleBy } from '../onnx/broadcast.ts';
import type { Activation } from '../onnx/graph-builder.ts';
import { scalar } from '../onnx/lower-arithmetic.ts';
import type { LayerLowering, LayerLowerings, LayerSite } from './layer-site.ts';

/** Inputs of one rank: Keras gives those of a smaller one axes of size 1 behind the batch. */
function aligned({ inputs }: LayerSite): Activation[] {
  const rank = Math.max(...inputs.map(({ shape }) => shape.length));
  return inputs.map((input) => {
    const missing = rank - input.shape.length;
    return missing === 0
      ? input
      : {
          ...input,
          shape: [1, ...Array<number>(missing).fill(1), ...input.shape.slice(1)],
          order: input.order.map((axis) => axis + missing),
        };
  });
}

function merge(site: LayerSite, kind: CombiningKind): Activation {
  const [first, ...others] = aligned(site);
  if (first === undefined) return site.refuse('it reads nothing');
  return others.reduce((total, next) => combine(site, kind, total, next), first);
}

const merging =
  (kind: CombiningKind): LayerLowering =>
  (site) =>
    merge(site, kind);

/** Layers that combine several values. */
export const lowerMerging: LayerLowerings = {
  Add: merging('add'),
  Multiply: merging('multiply'),
  Maximum: merging('maximum'),
  Minimum: merging('minimum'),
  Average: (site) => scaleBy(site, merge(site, 'add'), scalar(1 / site.inputs.length)),

  Subtract(site) {
    if (site.inputs.length !== 2) site.refuse(`it reads ${site.inputs.length} tensors in place of two`);
    return merge(site, 'subtract');
  },

  Concatenate(site) {
    const { inputs, builder, name } = site;
    if (inputs.length === 0) return site.refuse('it reads nothing');
    const [first] = inputs;
    const rank = first.shape.length;
    const given = site.number('axis', -1);
    const axis = given < 0 ? given + rank : given;
    if (!Number.isInteger(axis) || axis < 1 || axis >= rank)
      return site.refuse(`it has no axis ${given} beside the batch`);
    for (const { shape } of inputs) {
      if (shape.length !== rank || shape.some((size, other) => other !== axis && size !== first.shape[other]))
        site.refuse(`[${first.shape.slice(1).join(', ')}] and [${shape.slice(1).join(', ')}] do not fit`);
    }
    // All in the order of the first, in which the axis along which they are joined has a place.
    const order = first.order.includes(axis) ? first.order : [...first.order, axis];
    const parts = inputs.map((input) => builder.arrange(name, input, order).node);
    const along = order.indexOf(axis);
    const node = builder.add(name, { kind: 'concat', ...(along !== order.length - 1 && { axis: along }) }, parts);
    const size = inputs.reduce((total, { shape }) => total + shape[axis], 0);
    return { node, shape: first.shape.with(axis, size), order };
  },
};

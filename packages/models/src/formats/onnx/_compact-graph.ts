import type { OnnxAttribute, OnnxNode, OnnxTensor } from './_onnx-messages.ts';

/** Operators and tensors of a file. */
export interface OnnxParts {
  readonly nodes: readonly OnnxNode[];
  readonly tensors: readonly OnnxTensor[];
}

/** Larger tensors are not compared with others. */
const SMALL_BYTES = 64;

const isAll = (number: number) => (value: OnnxAttribute) =>
  Array.isArray(value) ? value.every((item) => item === number) : value === number;

/** Attributes that say what ONNX takes for granted. */
const defaults: Readonly<Record<string, Readonly<Record<string, (value: OnnxAttribute) => boolean>>>> = {
  Conv: { kernel_shape: () => true, strides: isAll(1), pads: isAll(0), dilations: isAll(1), group: isAll(1) },
  MaxPool: { strides: isAll(1), pads: isAll(0) },
  AveragePool: { strides: isAll(1), pads: isAll(0), count_include_pad: isAll(0) },
  DequantizeLinear: { axis: isAll(1) },
};

/**
 * The same graph in fewer bytes, as small models are mostly names: short names for what is no layer's result, small
 * tensors that are equal stored once, no names of operators, no attributes that ONNX takes for granted.
 *
 * @param kept Names that stay.
 */
export function compactGraph({ nodes, tensors }: OnnxParts, kept: ReadonlySet<string>): OnnxParts {
  const renamed = new Map<string, string>();
  let count = 0;
  const shorten = (name: string): string => {
    if (name === '' || kept.has(name)) return name;
    const known = renamed.get(name);
    if (known !== undefined) return known;
    let short: string;
    do short = shortName(count++);
    while (kept.has(short));
    renamed.set(name, short);
    return short;
  };
  const stored = new Map<string, string>();
  const left = tensors.flatMap((tensor): OnnxTensor[] => {
    const { name, dataType, shape, bytes } = tensor;
    const key = `${dataType} [${shape.join()}] ${bytes.length > SMALL_BYTES ? name : bytes.join()}`;
    const twin = stored.get(key);
    if (twin !== undefined && !kept.has(name)) {
      renamed.set(name, twin);
      return [];
    }
    const short = shorten(name);
    stored.set(key, short);
    return [{ ...tensor, name: short }];
  });
  return {
    tensors: left,
    nodes: nodes.map(({ operator, inputs, outputs, attributes }) => ({
      name: '',
      operator,
      inputs: inputs.map(shorten),
      outputs: outputs.map(shorten),
      attributes: Object.fromEntries(
        Object.entries(attributes).filter(([name, value]) => !defaults[operator]?.[name]?.(value)),
      ),
    })),
  };
}

const LETTERS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

function shortName(index: number): string {
  const behind = Math.floor(index / LETTERS.length);
  return (behind === 0 ? '' : shortName(behind - 1)) + LETTERS[index % LETTERS.length];
}

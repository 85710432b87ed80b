import { buildZip, concatenate } from '../../zip/_testing/build-zip.ts';

/** Operations of a pickle, put together by hand: text stands for its characters. */
export function buildPickle(...parts: readonly (string | number | readonly number[])[]): Uint8Array<ArrayBuffer> {
  const bytes = parts.map((part) =>
    typeof part === 'string' ? new TextEncoder().encode(part) : typeof part === 'number' ? [part] : part,
  );
  return concatenate([[0x80, 2], ...bytes, [0x2e]]);
}

/** `X` and a string. */
export function pickledText(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [0x58, ...new Uint8Array(Uint32Array.of(bytes.length).buffer), ...bytes];
}

/** `K` or `J` and a number. */
export function pickledInteger(value: number): number[] {
  return [0x4a, ...new Uint8Array(Int32Array.of(value).buffer)];
}

/** What a test changes of a tensor of float32. */
export interface TensorSketch {
  readonly storage?: string;
  readonly key?: string;
  readonly elements?: number;
  readonly offset?: number;
  readonly shape?: readonly number[];
  readonly strides?: readonly number[];
}

/** The call that makes a tensor. */
export function pickledTensor(sketch: TensorSketch = {}): number[] {
  const { storage = 'FloatStorage', key = '0', elements = 4, offset = 0, shape = [2, 2], strides = [2, 1] } = sketch;
  const code = (text: string): number[] => [...new TextEncoder().encode(text)];
  const tuple = (values: readonly number[]): number[] => [0x28, ...values.flatMap(pickledInteger), 0x74];
  const id = [
    0x28,
    ...pickledText('storage'),
    ...code(`ctorch\n${storage}\n`),
    ...pickledText(key),
    ...pickledText('cpu'),
    ...pickledInteger(elements),
    0x74,
    0x51,
  ];
  return [
    ...code('ctorch._utils\n_rebuild_tensor_v2\n'),
    0x28,
    ...id,
    ...pickledInteger(offset),
    ...tuple(shape),
    ...tuple(strides),
    0x89,
    ...code('}'),
    0x74,
    0x52,
  ];
}

/** A checkpoint: its pickle, and 16 bytes of values under `data/0`. */
export function buildCheckpoint(
  pickle: Uint8Array,
  values: Float32Array = Float32Array.of(1, 2, 3, 4),
): Uint8Array<ArrayBuffer> {
  return buildZip([
    { name: 'archive/data.pkl', content: pickle },
    { name: 'archive/data/0', content: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) },
  ]);
}

import { crc32 } from '../../_crc32.ts';

/** One entry of an archive that a test builds, and what of it is not as it should be. */
export interface ZipSketch {
  readonly name: string;
  readonly content: Uint8Array;
  readonly method?: number;
  readonly checksum?: number;
  /** What the directory says of its size and place. */
  readonly size?: number;
  readonly offset?: number;
}

/** A ZIP archive as PyTorch writes it: nothing compressed. */
export function buildZip(entries: readonly ZipSketch[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let position = 0;
  for (const {
    name,
    content,
    method = 0,
    checksum = crc32(content),
    size = content.length,
    offset = position,
  } of entries) {
    const path = new TextEncoder().encode(name);
    const local = new DataView(new ArrayBuffer(30));
    local.setUint32(0, 0x04034b50, true);
    local.setUint16(8, method, true);
    local.setUint16(26, path.length, true);
    const listed = new DataView(new ArrayBuffer(46));
    listed.setUint32(0, 0x02014b50, true);
    listed.setUint16(10, method, true);
    listed.setUint32(16, checksum, true);
    listed.setUint32(20, size, true);
    listed.setUint32(24, size, true);
    listed.setUint16(28, path.length, true);
    listed.setUint32(42, offset, true);
    parts.push(new Uint8Array(local.buffer), path, content);
    directory.push(new Uint8Array(listed.buffer), path);
    position += 30 + path.length + content.length;
  }
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(10, entries.length, true);
  end.setUint32(
    12,
    directory.reduce((total, part) => total + part.length, 0),
    true,
  );
  end.setUint32(16, position, true);
  return concatenate([...parts, ...directory, new Uint8Array(end.buffer)]);
}

export function concatenate(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let position = 0;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.length;
  }
  return bytes;
}

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

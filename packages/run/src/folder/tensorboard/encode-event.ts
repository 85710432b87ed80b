/** One moment of a run as TensorBoard shows it. */
export interface TensorboardEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  /** Curves by tag. */
  readonly scalars?: Readonly<Record<string, number>>;
  /** Pictures by tag. */
  readonly images?: Readonly<Record<string, TensorboardImage>>;
  /** Of the first event of a file only: `brain.Event:2`. */
  readonly fileVersion?: string;
}

/** A picture as a PNG file. */
export interface TensorboardImage {
  readonly height: number;
  readonly width: number;
  /** Channels: 1 grey, 3 RGB, 4 with alpha. */
  readonly colorspace: number;
  readonly png: Uint8Array;
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const key = (field: number, type: number): number[] => varint((field << 3) | type);

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...bytes, rest];
}

function float64(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return join([key(field, FIXED64), bytes]);
}

function float32(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return join([key(field, FIXED32), bytes]);
}

function integer(field: number, value: number): Uint8Array {
  return join([key(field, VARINT), varint(value)]);
}

function message(field: number, content: Uint8Array): Uint8Array {
  return join([key(field, BYTES), varint(content.length), content]);
}

function text(field: number, value: string): Uint8Array {
  return message(field, new TextEncoder().encode(value));
}

function join(parts: readonly ArrayLike<number>[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let position = 0;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.length;
  }
  return bytes;
}

/**
 * The protocol-buffer form of an event.
 *
 * Source: tensorflow/core/util/event.proto (wall_time 1, step 2, file_version 3, summary 5) and
 * tensorflow/core/framework/summary.proto (value 1: tag 1, simple_value 2, image 4: height, width, colorspace,
 * encoded_image_string 1 to 4).
 */
export function encodeEvent(event: TensorboardEvent): Uint8Array {
  const { wallTime, step, scalars = {}, images = {}, fileVersion } = event;
  const values = [
    ...Object.entries(scalars).map(([tag, value]) => join([text(1, tag), float32(2, value)])),
    ...Object.entries(images).map(([tag, { height, width, colorspace, png }]) =>
      join([
        text(1, tag),
        message(4, join([integer(1, height), integer(2, width), integer(3, colorspace), message(4, png)])),
      ]),
    ),
  ];
  return join([
    float64(1, wallTime),
    integer(2, step),
    ...(fileVersion === undefined ? [] : [text(3, fileVersion)]),
    ...(values.length === 0 ? [] : [message(5, join(values.map((value) => message(1, value))))]),
  ]);
}

/** What a file is, as far as its first bytes tell. */
interface Signature {
  readonly format: string;
  readonly bytes: readonly number[];
  readonly offset?: number;
}

const ascii = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));

const signatures: readonly Signature[] = [
  { format: 'HDF5 (Keras .h5)', bytes: [0x89, ...ascii('HDF\r\n'), 0x1a, 0x0a] },
  { format: 'TensorFlow Lite', bytes: ascii('TFL3'), offset: 4 },
  { format: 'GGUF', bytes: ascii('GGUF') },
  { format: 'NumPy', bytes: [0x93, ...ascii('NUMPY')] },
  { format: 'a PNG image', bytes: [0x89, ...ascii('PNG')] },
  { format: 'a JPEG image', bytes: [0xff, 0xd8, 0xff] },
  { format: 'gzip', bytes: [0x1f, 0x8b] },
];

/** Formats that are ZIP archives. */
const zipExtensions: readonly string[] = ['keras', 'pt', 'pth'];

/** Formats that share a container or have no signature of their own. */
const extensions: ReadonlyMap<string, string> = new Map([
  ['onnx', 'ONNX'],
  ['h5', 'HDF5 (Keras .h5)'],
  ['hdf5', 'HDF5 (Keras .h5)'],
  ['keras', 'Keras'],
  ['pt', 'PyTorch'],
  ['pth', 'PyTorch'],
  ['pb', 'TensorFlow'],
  ['tflite', 'TensorFlow Lite'],
]);

/**
 * Names the format of a file that is no safetensors file, by its first bytes and, where these leave it open, by its
 * extension.
 *
 * @returns Undefined if it looks like nothing that is known here.
 */
export function recognizeFormat(bytes: Uint8Array, name: string): string | undefined {
  if (bytes.length === 0) return 'an empty file';
  for (const { format, bytes: expected, offset = 0 } of signatures) {
    if (expected.every((byte, index) => bytes[offset + index] === byte)) return format;
  }
  const isZip = startsWith(bytes, [0x50, 0x4b, 3, 4]);
  // What a download gave in place of the file has the file's extension, and no format that is known here is text.
  const text = recognizeText(bytes.subarray(0, 4096));
  if (text !== undefined) return text;
  // ONNX: field 1 (ir_version, a small integer), then field 2 (producer_name) or 7 (graph).
  if (bytes[0] === 0x08 && bytes[1] > 0 && bytes[1] < 0x20 && (bytes[2] === 0x12 || bytes[2] === 0x3a)) return 'ONNX';
  const extension = /\.([^./\\]+)$/.exec(name.toLowerCase())?.[1] ?? '';
  if (isZip && !zipExtensions.includes(extension)) return 'a ZIP archive';
  const byExtension = extensions.get(extension);
  if (byExtension !== undefined) return byExtension;
  // A pickle of protocol 2 to 5.
  return bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5 ? 'a pickle (PyTorch)' : undefined;
}

function startsWith(bytes: Uint8Array, expected: readonly number[]): boolean {
  return expected.every((byte, index) => bytes[index] === byte);
}

function recognizeText(bytes: Uint8Array): string | undefined {
  let text: string;
  try {
    // Streaming, as the cut may go through a character.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return undefined;
  }
  if (/[^\P{Cc}\t\n\r\f]/u.test(text)) return undefined;
  if (/^\s*<(!doctype html|html|head|body)\b/i.test(text)) return 'an HTML page';
  if (/^\s*<\?xml\b/i.test(text)) return 'an XML page';
  if (text.startsWith('version https://git-lfs.github.com/spec/'))
    return 'a Git LFS pointer (git lfs pull fetches the file)';
  if (!/^\s*[{[]/.test(text)) return 'text';
  return text.includes('"modelTopology"') || text.includes('"weightsManifest"') ? 'TensorFlow.js (model.json)' : 'JSON';
}

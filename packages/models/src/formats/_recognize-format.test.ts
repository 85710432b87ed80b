import { deflateRawSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { recognizeFormat } from './_recognize-format.ts';

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const bytes = (...values: (number | string)[]): Uint8Array =>
  Uint8Array.from(values.flatMap((value) => (typeof value === 'string' ? [...text(value)] : [value])));

test.each<[string, Uint8Array, string | undefined]>([
  ['model', bytes(0x89, 'HDF\r\n', 0x1a, '\n', 0, 0), 'HDF5 (Keras .h5)'],
  ['model.onnx', bytes(0x89, 'HDF\r\n', 0x1a, '\n', 0, 0), 'HDF5 (Keras .h5)'],
  ['model', bytes(0x20, 0, 0, 0, 'TFL3'), 'TensorFlow Lite'],
  ['model', text('GGUF....'), 'GGUF'],
  ['model', bytes(0x93, 'NUMPY', 1, 0), 'NumPy'],
  ['model', bytes(0x89, 'PNG\r\n', 0x1a, '\n'), 'a PNG image'],
  ['model', bytes(0xff, 0xd8, 0xff, 0xe0), 'a JPEG image'],
  ['model', gzipSync('x'), 'gzip'],
  ['model.ONNX', bytes(0xff), 'ONNX'],
  ['folder.onnx/model', bytes(0xff), undefined],
  ['model', bytes(8, 7, 0x12, 7, 'pytorch'), 'ONNX'],
  ['model', bytes(8, 7, 0x3a, 0x90, 1), 'ONNX'],
  ['model.keras', bytes('PK', 3, 4), 'Keras'],
  ['model.pt', bytes('PK', 3, 4), 'PyTorch'],
  ['model.pth', bytes(0x80, 2, 0x8a), 'PyTorch'],
  ['model', bytes('PK', 3, 4), 'a ZIP archive'],
  ['model.onnx', bytes('PK', 3, 4), 'a ZIP archive'],
  ['model.safetensors', bytes('PK', 3, 4), 'a ZIP archive'],
  ['model.onnx', text('<!DOCTYPE html>\n<html lang="en">'), 'an HTML page'],
  ['model.safetensors', text('\n <html><head>'), 'an HTML page'],
  [
    'model.onnx',
    text('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'),
    'a Git LFS pointer (git lfs pull fetches the file)',
  ],
  ['model', bytes(0x80, 4, 0x95), 'a pickle (PyTorch)'],
  ['model.json', text('{"format": "layers-model", "modelTopology": {}}'), 'TensorFlow.js (model.json)'],
  ['model.json', text('  [1, 2]'), 'JSON'],
  ['notes', text('Grüße'), 'text'],
  ['notes', text(`${'a'.repeat(4095)}é`), 'text'],
  ['model.safetensors', bytes(0xff, 0, 1), undefined],
  ['model', bytes(0, 1, 2), undefined],
  ['model', deflateRawSync('x'), undefined],
  ['model.onnx', new Uint8Array(0), 'an empty file'],
])('recognizeFormat: %s (%#)', (name, content, format) => {
  expect(recognizeFormat(content, name)).toBe(format);
});

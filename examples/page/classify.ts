/** Classifies pictures in the page, by WebAssembly. Run: npx vite examples/page */
import { createWasmBackend } from '@dafl/backend-wasm';
import { classify, createNetwork } from '@dafl/core';
import { builtInTeacher } from '@dafl/models';

// A model of your own: readModel(new Uint8Array(await (await fetch('student.safetensors')).arrayBuffer())).
const network = createNetwork(await createWasmBackend(), await builtInTeacher('lenet5-mnist'));
const output = document.querySelector('output')!;

document.querySelector('input')!.addEventListener('change', async ({ target }) => {
  const picture = await createImageBitmap((target as HTMLInputElement).files![0]);
  const { width, height } = picture;
  const canvas = new OffscreenCanvas(width, height).getContext('2d')!;
  canvas.drawImage(picture, 0, 0);
  const { data } = canvas.getImageData(0, 0, width, height);
  const pixels = Uint8Array.from({ length: width * height }, (_, index) => data[4 * index]); // red is grey here
  const [{ label, probabilities }] = await classify(network, { count: 1, height, width, channels: 1, pixels });
  output.textContent = `${label} (${(100 * probabilities[label]).toFixed(1)} %)`;
});
output.textContent = 'ready';

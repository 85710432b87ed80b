/**
 * Classifies pictures in the page, by WebAssembly. Run: npx vite examples/page
 *
 * A model of your own: copy it to examples/page/public and open the page with ?model=student.safetensors
 */
import { createWasmBackend } from '@dafl/backend-wasm';
import { classify, createNetwork, describeClassifier } from '@dafl/core';
import { collectImages, decodeImage } from '@dafl/data';
import { builtInTeacher, readModel } from '@dafl/models';

const file = new URLSearchParams(location.search).get('model');
const model =
  file === null
    ? await builtInTeacher('lenet5-mnist')
    : readModel(new Uint8Array(await (await fetch(`./${file}`)).arrayBuffer()), file);
const [height, width, channels] = describeClassifier(model.graph).inputShape;
const network = createNetwork(await createWasmBackend(), model);
const output = document.querySelector('output')!;

document.querySelector('input')!.addEventListener('change', async ({ target }) => {
  const picture = (target as HTMLInputElement).files![0];
  const image = decodeImage(new Uint8Array(await picture.arrayBuffer()), picture.name);
  const images = collectImages([image], { height, width, channels: channels === 3 ? 3 : 1 });
  const [{ label, probabilities }] = await classify(network, images);
  output.textContent = `${model.graph.classNames?.[label] ?? label} (${(100 * probabilities[label]).toFixed(1)} %)`;
});
output.textContent = 'ready';

/**
 * The script of a report's "Try it": classifies a dropped picture, a drawing or one of the report's own images, by the
 * student and the teacher that the report holds. `scripts/build-try-out.ts` makes one minified text of it and all that it
 * imports, so that a report needs no network.
 */
import { createCpuBackend } from '@dafl/backend-cpu';
import { createWasmBackend } from '@dafl/backend-wasm';
import {
  classify,
  createNetwork,
  describeClassifier,
  type ImageSet,
  type Network,
  type TensorBackend,
} from '@dafl/core';
import { collectImages, type DecodedImage, decodeImage } from '@dafl/data';
import { readModel } from '@dafl/models';

/** Most classes that are shown of an answer. */
const SHOWN = 5;
const PEN = 0.085;
/** Of a drawing, as digits lie in MNIST: the larger side of the ink takes 20 of 28 pixels. */
const INK_SHARE = 20 / 28;

const part = <Found extends Element>(selector: string): Found => document.querySelector<Found>(`#try ${selector}`)!;
const root = document.querySelector<HTMLElement>('#try .try');
if (root !== null) void start(root);

/** A network in the page, and where its answer is shown. */
interface Contestant {
  readonly network: Network;
  readonly output: HTMLElement;
}

async function start(root: HTMLElement): Promise<void> {
  const status = part<HTMLElement>('.try-status');
  try {
    const backend = await openBackend();
    const contestants = ['teacher', 'student'].flatMap((role): Contestant[] => {
      const file = document.querySelector(`#${role}-file`)?.textContent;
      const output = document.querySelector<HTMLElement>(`#try [data-role=${role}]`);
      if (file === undefined || file === null || output === null) return [];
      const bytes = Uint8Array.from(atob(file), (character) => character.charCodeAt(0));
      return [{ network: createNetwork(backend, readModel(bytes, role)), output }];
    });
    const [height, width, channels] = describeClassifier(contestants[0].network.graph).inputShape;
    const shape = { height, width, channels: channels === 3 ? 3 : 1 } as const;
    let queue: Promise<void> = Promise.resolve();
    const show = (image: DecodedImage): void => {
      queue = queue.then(async () => await answer(contestants, collectImages([image], shape)));
    };
    // The first image of a network takes longer: its kernels are compiled then.
    await warmUp(contestants, shape);
    listenToFiles(root, show, (message) => (status.textContent = message));
    listenToSamples(show);
    listenToPad(contestants[0].network, shape, show);
    root.hidden = false;
    status.textContent = '';
    document.querySelector<HTMLElement>('#try .sprite-button')?.click();
  } catch (error) {
    status.textContent = `This browser cannot run the networks: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** As `dafl predict` computes; where the browser shares no memory with itself, slower. */
async function openBackend(): Promise<TensorBackend> {
  try {
    return await createWasmBackend({ threads: 1, maximumMemoryBytes: 2 ** 30 });
  } catch {
    return createCpuBackend();
  }
}

async function warmUp(contestants: readonly Contestant[], shape: Omit<ImageSet, 'count' | 'pixels'>): Promise<void> {
  const blank = { ...shape, count: 1, pixels: new Uint8Array(shape.height * shape.width * shape.channels) };
  for (let round = 0; round < 2; round++)
    for (const { network } of contestants) await classify(network, blank, { turn: async () => {} });
}

async function answer(contestants: readonly Contestant[], images: ImageSet): Promise<void> {
  showInput(images);
  for (const { network, output } of contestants) {
    const startMs = performance.now();
    const [{ probabilities }] = await classify(network, images, { turn: async () => {} });
    const took = performance.now() - startMs;
    const best = Array.from(probabilities, (probability, label) => ({ probability, label }))
      .sort((one, other) => other.probability - one.probability)
      .slice(0, SHOWN);
    const names = network.graph.classNames;
    const rows = best.map(({ probability, label }) => {
      const row = document.createElement('li');
      const [name, track, bar, value] = ['b', 'span', 'i', 'span'].map((tag) => document.createElement(tag));
      name.textContent = names?.[label] ?? String(label);
      track.className = 'track';
      bar.style.width = `${(probability * 100).toFixed(2)}%`;
      track.append(bar);
      value.className = 'value';
      value.textContent = `${(probability * 100).toFixed(2)} %`;
      row.append(name, track, value);
      return row;
    });
    output.querySelector('ol')!.replaceChildren(...rows);
    output.querySelector('.took')!.textContent = `${took < 10 ? took.toFixed(1) : took.toFixed(0)} ms`;
  }
}

/** What the networks see, as it is. */
function showInput({ height, width, channels, pixels }: ImageSet): void {
  const canvas = part<HTMLCanvasElement>('.try-seen');
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext('2d')!;
  const data = context.createImageData(width, height);
  for (let place = 0; place < width * height; place++) {
    for (let channel = 0; channel < 3; channel++)
      data.data[place * 4 + channel] = pixels[place * channels + (channels === 3 ? channel : 0)];
    data.data[place * 4 + 3] = 255;
  }
  context.putImageData(data, 0, 0);
}

function listenToFiles(root: HTMLElement, show: (image: DecodedImage) => void, tell: (message: string) => void): void {
  const take = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    try {
      show(await readPicture(file));
      tell('');
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error));
    }
  };
  const input = part<HTMLInputElement>('input[type=file]');
  input.addEventListener('change', () => void take(input.files?.[0]));
  root.addEventListener('dragover', (event) => {
    event.preventDefault();
    root.classList.add('over');
  });
  root.addEventListener('dragleave', () => root.classList.remove('over'));
  root.addEventListener('drop', (event) => {
    event.preventDefault();
    root.classList.remove('over');
    void take(event.dataTransfer?.files[0]);
  });
}

/** PNG and JPEG as `dafl predict` reads them; of other kinds, what the browser can. */
async function readPicture(file: File): Promise<DecodedImage> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  try {
    return decodeImage(bytes, file.name);
  } catch (error) {
    let bitmap: ImageBitmap;
    try {
      bitmap = await createImageBitmap(file);
    } catch {
      throw error;
    }
    const { width, height } = bitmap;
    const context = new OffscreenCanvas(width, height).getContext('2d')!;
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const pixels = Uint8Array.from(
      { length: width * height * 3 },
      (_, offset) => data[Math.floor(offset / 3) * 4 + (offset % 3)],
    );
    return { width, height, channels: 3, pixels };
  }
}

/** Images of the report: their pixels stand in the page. */
function listenToSamples(show: (image: DecodedImage) => void): void {
  for (const button of document.querySelectorAll<HTMLElement>('#try .sprite-button')) {
    button.addEventListener('click', () => {
      const { pixels, height, width, channels } = button.dataset;
      show({
        height: Number(height),
        width: Number(width),
        channels: channels === '3' ? 3 : 1,
        pixels: Uint8Array.from(atob(pixels!), (character) => character.charCodeAt(0)),
      });
    });
  }
}

/** A place to draw in, for networks of grey images. */
function listenToPad(
  { graph }: Network,
  shape: { readonly height: number; readonly width: number },
  show: (image: DecodedImage) => void,
): void {
  const pad = document.querySelector<HTMLCanvasElement>('#try .pad');
  if (pad === null) return;
  const context = pad.getContext('2d', { willReadFrequently: true })!;
  // Images of a low mean are light on dark.
  const isLightOnDark = describeClassifier(graph).preprocessing.mean[0] < 0.5;
  const [paper, ink] = isLightOnDark ? ['#000', '#fff'] : ['#fff', '#000'];
  const clear = (): void => {
    context.fillStyle = paper;
    context.fillRect(0, 0, pad.width, pad.height);
  };
  clear();
  part('.clear').addEventListener('click', clear);
  let [isDrawing, isDue] = [false, false];
  const draw = (event: PointerEvent): void => {
    const place = pad.getBoundingClientRect();
    const [x, y] = [
      ((event.clientX - place.left) / place.width) * pad.width,
      ((event.clientY - place.top) / place.height) * pad.height,
    ];
    context.lineTo(x, y);
    context.stroke();
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      const drawing = takeDrawing(pad, isLightOnDark, shape);
      if (drawing !== null) show(drawing);
    });
  };
  pad.addEventListener('pointerdown', (event) => {
    isDrawing = true;
    pad.setPointerCapture(event.pointerId);
    Object.assign(context, { strokeStyle: ink, lineWidth: pad.width * PEN, lineCap: 'round', lineJoin: 'round' });
    context.beginPath();
    draw(event);
  });
  pad.addEventListener('pointermove', (event) => {
    if (isDrawing) draw(event);
  });
  for (const end of ['pointerup', 'pointercancel'] as const)
    pad.addEventListener(end, () => {
      isDrawing = false;
    });
}

/** The ink at the size and place that digits have in MNIST: by its box, its centre of mass in the middle. Null where there is none. */
function takeDrawing(
  pad: HTMLCanvasElement,
  isLightOnDark: boolean,
  { height, width }: { readonly height: number; readonly width: number },
): DecodedImage | null {
  const { data } = pad.getContext('2d')!.getImageData(0, 0, pad.width, pad.height);
  const inkAt = (place: number): number => (isLightOnDark ? data[place * 4] : 255 - data[place * 4]);
  let [left, right, top, bottom, mass, massX, massY] = [Infinity, -1, Infinity, -1, 0, 0, 0];
  for (let place = 0; place < pad.width * pad.height; place++) {
    const ink = inkAt(place);
    if (ink < 32) continue;
    const [x, y] = [place % pad.width, Math.floor(place / pad.width)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    mass += ink;
    massX += ink * x;
    massY += ink * y;
  }
  if (mass === 0) return null;
  const scale =
    (INK_SHARE * Math.min(height, width)) / Math.max(right - left + 1, bottom - top + 1, pad.width * PEN * 2);
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext('2d')!;
  context.fillStyle = isLightOnDark ? '#000' : '#fff';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  const [shiftX, shiftY] = [width / 2 - (massX / mass) * scale, height / 2 - (massY / mass) * scale];
  context.drawImage(pad, shiftX, shiftY, pad.width * scale, pad.height * scale);
  const small = context.getImageData(0, 0, width, height).data;
  return {
    width,
    height,
    channels: 1,
    pixels: Uint8Array.from({ length: width * height }, (_, place) => small[place * 4]),
  };
}

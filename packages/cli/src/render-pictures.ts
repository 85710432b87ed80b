import { readFile } from 'node:fs/promises';
import { type Picture, pictureOf, type RunSamplesEvent } from '@dafl/run';

/** How a terminal shows pictures: by Kitty's protocol, by iTerm2's, or as characters of two colours each. */
export type PictureForm = 'kitty' | 'iterm2' | 'blocks';

/** Pictures as text, and the lines that it takes on the screen. */
export interface RenderedPictures {
  readonly text: string;
  readonly rows: number;
}

/** Lines of a picture that the terminal draws itself. */
const ROWS = 10;
/** Pixels that a side of a picture is brought to, where each is half a character. */
const BLOCK_SIDE = 16;
/** Bytes of one command of Kitty's protocol. */
const CHUNK = 4096;

/** Shows what the student learns from: all of it where the terminal draws files, else one picture of each class. */
export async function renderPictures(
  samples: RunSamplesEvent,
  { form, columns }: { readonly form: PictureForm; readonly columns: number },
): Promise<RenderedPictures> {
  if (form === 'blocks') return renderBlocks(samples, columns);
  const file = (await readFile(samples.file)).toString('base64');
  return { text: form === 'kitty' ? renderKitty(file) : renderIterm2(file), rows: ROWS };
}

/** https://sw.kovidgoyal.net/kitty/graphics-protocol: the pictures before are deleted, and the new one is sent in parts. */
function renderKitty(file: string): string {
  const parts = file.match(new RegExp(`.{1,${CHUNK}}`, 'g')) ?? [];
  const commands = parts.map((part, index) => {
    const more = index < parts.length - 1 ? 1 : 0;
    return `\u001B_G${index === 0 ? `a=T,f=100,r=${ROWS},q=2,` : ''}m=${more};${part}\u001B\\`;
  });
  return `\u001B_Ga=d,q=2\u001B\\${commands.join('')}`;
}

/** https://iterm2.com/documentation-images.html */
function renderIterm2(file: string): string {
  return `\u001B]1337;File=inline=1;height=${ROWS};preserveAspectRatio=1:${file}\u0007`;
}

function renderBlocks(samples: RunSamplesEvent, columns: number): RenderedPictures {
  const firsts = [...new Set(samples.labels)].sort((a, b) => a - b).map((label) => samples.labels.indexOf(label));
  const scale = Math.ceil(Math.max(samples.height, samples.width) / BLOCK_SIDE);
  const [height, width] = [Math.ceil(samples.height / scale), Math.ceil(samples.width / scale)];
  const most = Math.max(1, Math.floor((columns - 1) / (width + 1)));
  const pictures = firsts.slice(0, most).map((index) => pictureOf(samples.images, index, samples));
  const rows = Math.ceil(height / 2);
  const lines = Array.from({ length: rows }, (_, row) =>
    pictures
      .map((picture) => {
        const cells = Array.from({ length: width }, (__, column) => {
          const [upper, lower] = [2 * row, 2 * row + 1].map((y) => colourAt(picture, y, column, scale));
          return `\u001B[38;2;${upper}m\u001B[48;2;${lower}m▀`;
        });
        return `${cells.join('')}\u001B[0m`;
      })
      .join(' '),
  );
  return { text: lines.join('\n'), rows };
}

/** The mean colour of a square: `red;green;blue`. Black below the picture. */
function colourAt({ data, height, width, channels }: Picture, row: number, column: number, scale: number): string {
  const sums = [0, 0, 0];
  let count = 0;
  for (let y = row * scale; y < Math.min(height, (row + 1) * scale); y++) {
    for (let x = column * scale; x < Math.min(width, (column + 1) * scale); x++) {
      count++;
      for (const channel of sums.keys())
        sums[channel] += data[(y * width + x) * channels + Math.min(channel, channels - 1)];
    }
  }
  return sums.map((sum) => Math.round(sum / Math.max(1, count))).join(';');
}

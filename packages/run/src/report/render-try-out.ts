import { describeClassifier, type Graph } from '@dafl/core';
import type { StoredSamples } from './samples-image.ts';
import { classNames } from './class-names.ts';
import type { Examples } from './collect-examples.ts';
import { escapeHtml } from './escape-html.ts';
import type { Picture } from './figures/picture.ts';
import { pictureGallery } from './picture-gallery.ts';
import type { PageSection } from './render-page.ts';

/** What can be tried out in a report. */
export interface TryOutContent {
  readonly teacher: Graph;
  /** The networks whose weights the page holds, and what they are called. */
  readonly roles: readonly (readonly [role: 'teacher' | 'student', name: string])[];
  readonly examples: Examples | null;
  readonly samples: readonly StoredSamples[];
}

const MOST_SAMPLES = 12;
const PAD = 280;

/** Whether a page can read pictures for a network: those of one and of three channels. */
export function canTryOut(teacher: Graph): boolean {
  const [, , channels] = describeClassifier(teacher).inputShape;
  return channels === 1 || channels === 3;
}

/** Where a reader classifies pictures, by the weights that the page holds; its script is `tryOutScript`. */
export function renderTryOut({ teacher, roles, examples, samples }: TryOutContent): PageSection {
  const [, , channels] = describeClassifier(teacher).inputShape;
  const names = classNames(teacher);
  const isReal = examples !== null && examples.ofClass.some((pictures) => pictures.length > 0);
  const pictures: readonly (readonly [Picture | undefined, number])[] = isReal
    ? examples.ofClass.map((own, label) => [own[0], label] as const)
    : names.map((_, label) => [samples.at(-1)?.images.find((image) => image.label === label)?.picture, label] as const);
  const chosen = pictures
    .flatMap(([picture, label]) => (picture === undefined ? [] : [{ picture, label }]))
    .slice(0, MOST_SAMPLES);
  const gallery = chosen.length === 0 ? null : pictureGallery(chosen.map(({ picture }) => picture));
  const buttons = chosen.map(({ picture, label }, index) => {
    const data = `data-pixels="${Buffer.from(picture.data).toString('base64')}" data-height="${picture.height}" data-width="${picture.width}" data-channels="${picture.channels}"`;
    return `<button type="button" class="sprite-button" ${data} aria-label="Classify an image of ${escapeHtml(names[label])}"><i class="sprite" style="${gallery!.tiles[index]}"></i></button>`;
  });
  const pad =
    channels === 1
      ? `<div><h3>Draw</h3><canvas class="pad" width="${PAD}" height="${PAD}" role="img" aria-label="A place to draw in"></canvas><div><button type="button" class="clear">Clear</button></div></div>`
      : '';
  const answers = roles.map(
    ([role, name]) =>
      `<div class="answer" data-role="${role}"><h3>${name} <span class="soft took"></span></h3><ol></ol></div>`,
  );
  const where = isReal ? 'Real images' : 'Images that it learnt from';
  return {
    id: 'try',
    link: 'Try it',
    heading: 'Try it',
    lead: `${channels === 1 ? 'Draw, drop' : 'Drop'} a picture, or pick one: ${roles.length > 1 ? 'both networks classify it' : `the ${roles[0][0] === roles[0][1].toLowerCase() ? roles[0][0] : 'network'} classifies it`} in this page, with the weights that it holds. Nothing leaves it.`,
    body: `<p class="try-status soft" role="status">Needs scripts.</p>
<div class="card try${pad === '' ? ' without-pad' : ''}" hidden>${pad}<div class="try-middle">${gallery === null ? '' : `<h3>${where}</h3><div class="sprites" style="${gallery.style}">${buttons.join('')}</div>`}
<label class="drop">Or drop a PNG or JPEG here, or <input type="file" accept="image/*"></label>
<div class="try-input"><canvas class="try-seen" width="1" height="1" role="img" aria-label="What the networks see"></canvas><span class="soft">what the networks see</span></div></div>
<div class="answers" aria-live="polite">${answers.join('')}</div></div>`,
  };
}

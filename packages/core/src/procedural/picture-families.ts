import type { Canvas } from './canvas.ts';
import { clouds } from './families/clouds.ts';
import { fields } from './families/fields.ts';
import { glyphs } from './families/glyphs.ts';
import { leaves } from './families/leaves.ts';
import { scenes } from './families/scenes.ts';
import { shapes } from './families/shapes.ts';
import { silhouettes } from './families/silhouettes.ts';
import { strokes } from './families/strokes.ts';
import { waves } from './families/waves.ts';
import type { PictureRandom } from './picture-random.ts';

/** A way to paint pictures: covers the whole canvas, each time with another picture. */
export type PictureFamily = (canvas: Canvas, random: PictureRandom) => void;

/** All families by name. */
export const pictureFamilies: Readonly<Record<PictureFamilyName, PictureFamily>> = {
  shapes,
  silhouettes,
  strokes,
  glyphs,
  waves,
  leaves,
  clouds,
  fields,
  scenes,
};

/** Names of the families. */
export type PictureFamilyName =
  | 'shapes'
  | 'silhouettes'
  | 'strokes'
  | 'glyphs'
  | 'waves'
  | 'leaves'
  | 'clouds'
  | 'fields'
  | 'scenes';

/** What answers are taken to be. */
import { softmaxRows } from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { opaqueModel } from './opaque-model.ts';

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
/** A program that says something of the first pixels of each image. */
const program = (say: (pixels: readonly number[]) => readonly number[], imageShape: readonly number[] = [2, 2, 1]) => ({
  name: 'p',
  imageShape,
  async run(images: Float32Array, [count]: readonly number[]): Promise<Float32Array> {
    const size = images.length / count;
    const answers = Array.from({ length: count }, (_, index) =>
      say([...images.subarray(index * size, index * size + 3)]),
    );
    return await Promise.resolve(Float32Array.from(answers.flat()));
  },
});
const pixels = [0.3, -0.8, 0.1, 0];
/** The class probabilities of one image. */
async function judge(say: (pixels: readonly number[]) => readonly number[]) {
  const { model, notes } = await opaqueModel(program(say), { mean: [0], std: [1] });
  const logits = await model.answer!(Float32Array.from(pixels), [1, 2, 2, 1]);
  return { probabilities: [...softmaxRows(logits, logits.length)], note: notes[0].replace(/^.*classes, /, '') };
}
const near = (values: readonly number[]): number[] => values.map((value) => expect.closeTo(value, 5) as number);
const softmaxed = (values: readonly number[]): number[] => [...softmaxRows(Float32Array.from(values), values.length)];

describe('answers', () => {
  it('of one sigmoid unit, or of one value, are two classes', async () => {
    const unit = await judge(([first]) => [sigmoid(first)]);
    expect(unit.note).toBe('the probability of the second, of which logits are made');
    expect(unit.probabilities).toEqual(near([1 - sigmoid(0.3), sigmoid(0.3)]));
    const value = await judge(([first]) => [first]);
    expect(value.note).toBe('one value, which is above 0 for the second');
    expect(value.probabilities).toEqual(near([1 - sigmoid(0.3), sigmoid(0.3)]));
  });

  it('that are the same whatever is shown are told of', async () => {
    const notesOf = async (say: (shown: readonly number[]) => readonly number[]) =>
      (await opaqueModel(program(say), { mean: [0], std: [1] })).notes.slice(1);
    expect(await notesOf(() => [1, 2, 3])).toEqual([
      'It answers 4 different images with the same values: what it sees may not be what it is sent',
    ]);
    expect(await notesOf((shown) => shown)).toEqual([]);
  });

  it('may be percents, or probabilities each by itself', async () => {
    const percents = await judge((values) => softmaxed(values).map((value) => 100 * value));
    expect(percents.note).toBe('probabilities in percent, whose logarithms are taken');
    const single = await judge((values) => values.map(sigmoid));
    expect(single.note).toMatch(/^a probability for each by itself, whose logits are taken: /);
    const logits = await judge((values) => values);
    expect(logits.note).toBe('logits');
    for (const { probabilities } of [percents, single, logits])
      expect(probabilities).toEqual(near(softmaxed(pixels.slice(0, 3))));
  });
});

describe('the size of images', () => {
  const open = program((values) => values, [3, Number.NaN, -1]);
  it('is asked for where the program leaves it open', async () => {
    await expect(opaqueModel(open)).rejects.toThrow(
      "Cannot use 'p' as a teacher as it must take images of three sizes where 'inputSize' is not given: current value is [3, ?, ?]",
    );
    const { model } = await opaqueModel(open, { inputSize: [4, 6] });
    expect(model.graph.inputShape).toEqual([4, 6, 3]);
  });

  it('is that of the program where it says one', async () => {
    await expect(
      opaqueModel(
        program((values) => values),
        { inputSize: [4, 4] },
      ),
    ).rejects.toThrow("'inputSize' must be that of its images: current value is [4, 4] for [2, 2, 1]");
  });
});

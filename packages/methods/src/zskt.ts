import { adversarialLoss, type Method } from '@dafl/core';
import { assertMethodOptions } from './_assert-method-options.ts';
import { type GeneratorMethodOptions, startGeneratorSession } from './_generator-session.ts';

/** Options of `zskt`. */
export interface ZsktOptions extends GeneratorMethodOptions {
  /** β of the attention term, >= 0; 250 in the paper. Without effect where the networks have no maps of one size. */
  readonly attentionWeight: number;
}

const LONGEST_GRADIENT = 5;

/**
 * Zero-shot knowledge transfer: a generator looks for images on which student and teacher differ, of any value; the student
 * learns from each batch several times, by the teacher's answers and by where its layers are active.
 *
 * Source: Micaelli and Storkey, "Zero-Shot Knowledge Transfer via Adversarial Belief Matching", NeurIPS 2019. Deviations: the
 * student's gradients are not shortened.
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function zskt(options: ZsktOptions): Method {
  assertMethodOptions('zskt', options, {
    counts: ['studentSteps'],
    pairs: ['batchSize'],
    weights: { attention: options.attentionWeight },
  });
  return {
    name: 'zskt',
    options: { ...options },
    collapseAdvice: { alikeImages: "Lower the generator's learning rate" },
    start: (context) =>
      startGeneratorSession(
        {
          output: { kind: 'affine' },
          optimizer: { kind: 'adam' },
          terms: (tape, { teacherLogits, studentLogits }) => ({
            adversarial: [1, adversarialLoss(tape, teacherLogits, studentLogits, { masked: false })],
          }),
          studentLoss: { kind: 'divergence', temperature: 1, attentionWeight: options.attentionWeight },
          batches: 'same',
          longestGradient: LONGEST_GRADIENT,
        },
        options,
        context,
      ),
  };
}

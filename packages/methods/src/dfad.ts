import type { Method } from '@dafl/core';
import { abs, affine, mean, subtract } from '@dafl/core/autodiff';
import { assertMethodOptions } from './_assert-method-options.ts';
import { type GeneratorMethodOptions, startGeneratorSession } from './_generator-session.ts';

/**
 * Data-free adversarial distillation: student and generator play about the distance of the logits; the student has several
 * moves, each on fresh images, for one of the generator.
 *
 * Source: Fang et al., "Data-Free Adversarial Distillation", 2019. Deviations: none.
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function dfad(options: GeneratorMethodOptions): Method {
  assertMethodOptions('dfad', options, { counts: ['studentSteps'], pairs: ['batchSize'] });
  return {
    name: 'dfad',
    options: { ...options },
    collapseAdvice: { alikeImages: "Lower the generator's learning rate" },
    start: (context) =>
      startGeneratorSession(
        {
          output: { kind: 'normalized' },
          optimizer: { kind: 'adam' },
          terms: (tape, { teacherLogits, studentLogits }) => ({
            adversarial: [1, affine(tape, mean(tape, abs(tape, subtract(tape, teacherLogits, studentLogits))), -1)],
          }),
          studentLoss: { kind: 'l1' },
          batches: 'fresh',
          studentFirst: true,
        },
        options,
        context,
      ),
  };
}

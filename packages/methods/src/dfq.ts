import { adversarialLoss, batchNormDistance, informationEntropyLoss, type Method, oneHotLoss } from '@dafl/core';
import { add, mean, type Value } from '@dafl/core/autodiff';
import { assertMethodOptions } from './_assert-method-options.ts';
import { type GeneratorMethodOptions, startGeneratorSession } from './_generator-session.ts';

/** Weight of the batch entropy, whose logarithm is natural in the source and of base 10 here. */
const BALANCE_WEIGHT = 20 * Math.LN10;

/**
 * The generator of data-free quantization, for distillation: images that match the teacher's batch norms, that it is sure of,
 * that cover all classes, and on which the student errs; each update of the student is on fresh ones.
 *
 * Source: Choi et al., "Data-Free Network Quantization With Adversarial Knowledge Distillation", CVPR workshops 2020, with
 * the weights of its reimplementations. Deviations: none.
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function dfq(options: GeneratorMethodOptions): Method {
  assertMethodOptions('dfq', options, { counts: ['studentSteps'], pairs: ['batchSize'] });
  return {
    name: 'dfq',
    options: { ...options },
    collapseAdvice: {
      alikeImages: "Lower the generator's learning rate",
      missingClasses: 'Raise the batch size',
    },
    start(context) {
      const { variables } = context.teacher;
      let distances: Value[] = [];
      return startGeneratorSession(
        {
          output: { kind: 'sigmoid' },
          optimizer: { kind: 'adam' },
          observe(tape, node, [input]) {
            if (node.kind !== 'batchNorm') return;
            const kept = (name: string) => variables.get(`${node.name}.${name}`)!.tensor;
            const observed = { input, runningMean: kept('runningMean'), runningVariance: kept('runningVariance') };
            distances.push(batchNormDistance(tape, observed).distance);
          },
          terms(tape, { teacherLogits, studentLogits }) {
            const own = distances;
            distances = [];
            return {
              oneHot: [1, mean(tape, oneHotLoss(tape, teacherLogits))],
              informationEntropy: [BALANCE_WEIGHT, informationEntropyLoss(tape, teacherLogits)],
              ...(own.length > 0
                ? { batchNorm: [1, own.reduce((sum, distance) => add(tape, sum, distance))] as const }
                : {}),
              adversarial: [1, adversarialLoss(tape, teacherLogits, studentLogits, { masked: false })],
            };
          },
          studentLoss: { kind: 'divergence', temperature: 1 },
          batches: 'fresh',
        },
        options,
        context,
      );
    },
  };
}

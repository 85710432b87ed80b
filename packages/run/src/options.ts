/**
 * What options there are, without what they are for: for command lines, forms and checks that must be there at once.
 *
 * @module
 */
export {
  type BackendName,
  type DistillationOptions,
  distillationOptionsSchema,
  parseDistillationOptions,
} from './distillation-options.ts';
export type { HyperParameters } from './hyper-parameters.ts';
export type { MethodName } from './method-name.ts';
export { nearestName } from './nearest-name.ts';
export { describeOptions, describeRule, type OptionSchema, type OptionsSchema, parseOptions } from './parse-options.ts';
export { parseTrainingOptions, type TrainingOptions, trainingOptionsSchema } from './training-options.ts';

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
} from './options/distillation-options.ts';
export { flagName } from './options/flag-name.ts';
export { hyperParameters, type HyperParameter, type HyperParameters } from './options/hyper-parameters.ts';
export { isAddress } from './options/is-address.ts';
export type { MethodName } from './options/method-name.ts';
export { nearestName } from './options/nearest-name.ts';
export {
  describeOptions,
  describeRule,
  type OptionSchema,
  type OptionsSchema,
  parseOptions,
} from './options/parse-options.ts';
export { widthShares } from './options/width-shares.ts';
export { writeCommand } from './options/write-command.ts';
export { parseTrainingOptions, type TrainingOptions, trainingOptionsSchema } from './options/training-options.ts';

import { distillationOptionsSchema } from '@dafl/run/options';
import { z } from 'zod';

type Shape = typeof distillationOptionsSchema.shape;

const { backend, threads, allowSoftwareGpu, logits, mean, std, range, architecture, inputSize } =
  distillationOptionsSchema.shape;

/** The model that a command reads. */
export const modelArgument: z.ZodType<string> = z
  .string()
  .min(1)
  .describe('Built-in teacher or model file: .onnx, .keras, .h5, model.json, .pt, .safetensors')
  .meta({ placeholder: 'name|file' });

/** What computes. */
export const computingArguments: Pick<Shape, 'backend' | 'threads' | 'allowSoftwareGpu'> = {
  backend,
  threads,
  allowSoftwareGpu: allowSoftwareGpu.meta({ isAdvanced: true }),
};

/** What a model is and takes, where its file does not say so: every command that reads a `modelArgument` has them. */
export const fileArguments: Pick<Shape, 'logits' | 'mean' | 'std' | 'range' | 'architecture' | 'inputSize'> = {
  logits: logits.describe('Node that gives the logits. Default: as its file says, or found').meta({ isAdvanced: true }),
  mean: mean.describe(
    "Mean of the model's training images, for each channel; given with their deviation. Default: as its file says",
  ),
  std,
  range: range.describe('Pixels that the model takes, before mean and deviation. Default: as its file says'),
  architecture: architecture
    .describe('Built-in architecture of its weights, for files of weights alone. Default: found by names and shapes')
    .meta({ isAdvanced: true }),
  inputSize: inputSize
    .describe('Side, or height and width, of its pictures, if its file leaves them open')
    .meta({ isAdvanced: true }),
};

/** For a teacher at an address. */
export const teacherTokenArgument: z.ZodType<string | undefined> = z
  .string()
  .min(1)
  .optional()
  .describe('Sent as a bearer token to a teacher at an address, and written nowhere. Default: DAFL_TEACHER_TOKEN')
  .meta({ placeholder: 'text', isAdvanced: true });

/** Whether what is there is replaced. */
export const forceArgument: z.ZodType<boolean | undefined> = z
  .boolean()
  .optional()
  .describe('Replace the file if it exists');

/** Labelled images. */
export const labelledImages: z.ZodType<string> = z.string().min(1).meta({ placeholder: 'mnist|folder' });

import type { Operand } from './command.ts';
import type { Flag } from './flag.ts';

/** The model that a command reads, as its first operand or by its flag. */
export const modelOperand: Operand = {
  name: '<model>',
  key: 'model',
  description: 'Built-in teacher or model file: .onnx, .safetensors',
};

/** The same as a flag. */
export const modelFlag: Flag = {
  name: 'model',
  key: 'model',
  placeholder: 'name|file',
  description: 'The same as <model>',
  isAdvanced: true,
};

import type { Command } from './command.ts';

/** A command that is loaded when it is used. */
export interface CommandEntry {
  readonly summary: string;
  load(): Promise<Command>;
}

/** All commands by name, in the order of the help. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  distill: {
    summary: 'Make a small student from a trained teacher, without its training data',
    load: async () => (await import('./commands/distill.ts')).distillCommand,
  },
  estimate: {
    summary: 'Tell what a distillation will take',
    load: async () => (await import('./commands/estimate.ts')).estimateCommand,
  },
  demo: {
    summary: 'Distil a LeNet-5 that knows MNIST, and look at the result',
    load: async () => (await import('./commands/demo.ts')).demoCommand,
  },
  train: {
    summary: 'Train a network on labelled images',
    load: async () => (await import('./commands/train.ts')).trainCommand,
  },
  record: {
    summary: "Record a teacher's activations where its data is, for --method metadata",
    load: async () => (await import('./commands/record.ts')).recordCommand,
  },
  evaluate: {
    summary: 'Measure the accuracy of a model on labelled images',
    load: async () => (await import('./commands/evaluate.ts')).evaluateCommand,
  },
  models: {
    summary: 'List the built-in teachers and architectures',
    load: async () => (await import('./commands/models.ts')).modelsCommand,
  },
  inspect: {
    summary: 'Show the layers, sizes and preprocessing of a model',
    load: async () => (await import('./commands/inspect.ts')).inspectCommand,
  },
  predict: {
    summary: 'Tell the classes of images',
    load: async () => (await import('./commands/predict.ts')).predictCommand,
  },
  convert: {
    summary: 'Write a model as ONNX, for Keras, TensorFlow.js or PyTorch',
    load: async () => (await import('./commands/convert.ts')).convertCommand,
  },
  quantize: {
    summary: 'Write a model in eight bits as ONNX, without its training data',
    load: async () => (await import('./commands/quantize.ts')).quantizeCommand,
  },
  samples: {
    summary: 'Draw what the generator of a run makes',
    load: async () => (await import('./commands/samples.ts')).samplesCommand,
  },
  runs: {
    summary: 'List the runs in a folder, and what came out',
    load: async () => (await import('./commands/runs.ts')).runsCommand,
  },
  'runs compare': {
    summary: 'Show in what two runs differ',
    load: async () => (await import('./commands/runs-compare.ts')).runsCompareCommand,
  },
  serve: {
    summary: 'Serve distillations over HTTP',
    load: async () => (await import('./commands/serve.ts')).serveCommand,
  },
  experiment: {
    summary: 'Run a table of the paper, beside its published figures',
    load: async () => (await import('./commands/experiment.ts')).experimentCommand,
  },
  bench: {
    summary: 'Measure a step on every backend, and on PyTorch',
    load: async () => (await import('./commands/bench.ts')).benchCommand,
  },
  completion: {
    summary: 'Have bash, zsh or fish complete what you type',
    load: async () => (await import('./commands/completion.ts')).completionCommand,
  },
  doctor: {
    summary: 'Check what this machine offers',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand,
  },
};

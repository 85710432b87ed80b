/**
 * A teacher of one's own: a graph made in memory, with weights as PyTorch holds them, distilled into a student of half
 * the width. Run: node examples/own-teacher.ts [STEPS] (Node 22.18 or newer, Deno and Bun strip the types themselves)
 */
import { writeFile } from 'node:fs/promises';
import { createWasmBackend } from '@dafl/backend-wasm';
import { createRandomStream, distill, type HostTensor, presets, procedural, shrink } from '@dafl/core';
import { fromNchw, GraphBuilder, writeModel } from '@dafl/models';

const [steps = '100', file = 'student.safetensors'] = process.argv.slice(2);

// The network, layer by layer: a sum of two branches stands for what no table of architectures has.
const builder = new GraphBuilder({
  name: 'mine',
  classes: 10,
  inputShape: [28, 28, 1],
  preprocessing: { resize: 'bilinear', mean: [0.1307], standardDeviation: [0.3081] },
});
builder.convolution('conv1', 8, { kernel: 5, stride: 2 });
builder.batchNorm('bn1');
const trunk = builder.activation('relu1');
builder.convolution('conv2', 8, { useBias: true });
builder.add('sum', [trunk, builder.activation('relu2', 'silu')]);
builder.maxPool('pool', 2);
builder.flatten('features', 'chw'); // as PyTorch flattens
const graph = builder.classifier();

// Its weights, under PyTorch's names and in its shapes: channels first. Yours come from a file, see parseSafetensors.
const random = createRandomStream(0, 'weights');
const tensor = (...shape: number[]): HostTensor => {
  const size = shape.reduce((product, length) => product * length, 1);
  return { shape, data: random.uniform(size, -0.3, 0.3) };
};
const filled = (value: number): HostTensor => ({ shape: [8], data: new Float32Array(8).fill(value) });
const teacher = fromNchw(
  graph,
  new Map([
    ['conv1.weight', tensor(8, 1, 5, 5)],
    ['bn1.weight', filled(1)],
    ['bn1.bias', tensor(8)],
    ['bn1.running_mean', tensor(8)],
    ['bn1.running_var', filled(1)],
    ['conv2.weight', tensor(8, 8, 3, 3)],
    ['conv2.bias', tensor(8)],
    ['logits.weight', tensor(10, 8 * 7 * 7)],
    ['logits.bias', tensor(10)],
  ]),
);

const backend = await createWasmBackend();
const run = distill({
  backend,
  teacher,
  student: shrink(graph, 0.5),
  method: procedural({ batchSize: 64, studentSteps: 1, pictures: 512 }),
  training: presets.fast.training,
  steps: Number(steps),
  seed: 0,
});
for await (const event of run) {
  if (event.event === 'step') console.log(`step ${event.step}: loss ${event.losses['distillation']?.toFixed(4)}`);
  if (event.event === 'result') {
    await writeFile(file, writeModel(event.student));
    console.log(`${file}: ${event.student.graph.name}, agrees with its teacher on ${event.agreement} of its pictures`);
  }
}
await backend.close();

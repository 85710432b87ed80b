/** Live tensors and bytes along a run of the fast preset on wasm: `npm run bench:memory`. */
import { createWasmBackend } from '@dafl/backend-wasm';
import { dafl, distill, presets, shrink } from '@dafl/core';
import { builtInTeacher } from '@dafl/models';
import { storeResult } from './_store-result.ts';

const backend = await createWasmBackend();
const teacher = await builtInTeacher('lenet5-mnist');
const student = shrink(teacher.graph, 0.5);
const { fast } = presets;
const measured: Record<string, object> = {};
const run = { backend, teacher, student, method: dafl(fast.dafl), training: fast.training, steps: 201, seed: 0 };
for await (const event of distill(run)) {
  if (event.event === 'step' && [1, 10, 50, 100, 200].includes(event.step)) measured[event.step] = backend.memory();
}
const afterwards = backend.memory();
await backend.close();
await storeResult('memory', 'npm run bench:memory', { backend: backend.description, afterStep: measured, afterwards });

/**
 * Distils the built-in teacher and writes the student as ONNX, in Deno.
 *
 * Run: deno run --allow-read --allow-write --allow-env examples/deno/distil-to-onnx.ts [STEPS] [FILE]
 */
import { createWasmBackend } from '@dafl/backend-wasm';
import { distill, presets, procedural, shrink } from '@dafl/core';
import { builtInTeacher, writeOnnx } from '@dafl/models';

const [steps = '1000', file = 'student.onnx'] = Deno.args;
const backend = await createWasmBackend();
const teacher = await builtInTeacher('lenet5-mnist');
const student = shrink(teacher.graph, 0.5);
const method = procedural({ batchSize: 64, studentSteps: 1, pictures: 512 });
const { training } = presets.fast;
for await (const event of distill({ backend, teacher, student, method, training, steps: Number(steps), seed: 0 })) {
  if (event.event === 'warning') console.warn(event.message);
  if (event.event !== 'result') continue;
  await Deno.writeFile(file, writeOnnx(event.student, { includesSoftmax: true }));
  console.log(`${file}: ${(await Deno.stat(file)).size} bytes, after ${event.steps} steps on ${event.backend}`);
}
await backend.close();

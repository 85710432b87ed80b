/**
 * "Data-Free Learning of Student Networks" (Chen et al., ICCV 2019), step by step: what each of its losses asks for, and
 * its Algorithm 1 written out. `dafl(...)` of @dafl/core is the same, with replay, checkpoints and more.
 *
 * Run: node examples/paper-walk.ts [STEPS] (the paper takes 24,000; a hundred show where it goes)
 */
import { createWasmBackend } from '@dafl/backend-wasm';
import {
  activationLoss,
  argMaxRows,
  createAdam,
  createNetwork,
  createRandomStream,
  describeClassifier,
  distillationLoss,
  generatorGraph,
  informationEntropyLoss,
  initializeWeights,
  oneHotLoss,
  presets,
  shrink,
} from '@dafl/core';
import { add, affine, mean, type Value, withTape } from '@dafl/core/autodiff';
import { builtInTeacher } from '@dafl/models';

const STEPS = Number(process.argv[2] ?? 100);
const BATCH = 64;
const { paper } = presets;

// 1. A trained teacher, frozen. Nobody has its data any longer.
const backend = await createWasmBackend();
const teacherModel = await builtInTeacher('lenet5-mnist');
const teacher = createNetwork(backend, teacherModel);
const { inputShape, preprocessing, classes } = describeClassifier(teacher.graph);
const [height, width, channels] = inputShape;

// 2. A student of half the widths (LeNet-5-HALF), with random weights.
const studentGraph = shrink(teacher.graph, 0.5);
const student = createNetwork(backend, initializeWeights(studentGraph, createRandomStream(0, 'student weights')));
const studentOptimizer = createAdam(backend, student.trainableVariables);

// 3. A generator, which makes images from random vectors. The teacher plays the part of the discriminator, and is no
//    longer trained. Narrower here than the paper's 128, 128, 64, so that a step takes a fraction of a second.
const latentSize = 100;
const generatorOptions = { ...paper.dafl.generator, latentSize, widths: [16, 16, 8] as const };
const graph = generatorGraph({ ...generatorOptions, imageSize: [height, width], channels, preprocessing });
const generator = createNetwork(backend, initializeWeights(graph, createRandomStream(0, 'generator weights')));
const generatorOptimizer = createAdam(backend, generator.trainableVariables);
const latents = createRandomStream(0, 'latent');

for (let step = 1; step <= STEPS; step++) {
  const { told, tensors } = withTape(backend, (tape) => {
    // 4. Images from the generator, and what the teacher says of them.
    const latent = tape.own(backend.tensor(latents.normal(BATCH * latentSize), [BATCH, latentSize]));
    const { images } = generator.forward(tape, latent, { mode: 'training' });
    const { logits, features } = teacher.forward(tape, images, { mode: 'inference' });

    // 5. Three losses tell good images, and none needs a real one:
    const losses: Record<string, Value> = {
      // equation 2: the teacher is sure of each image, as it is of what it was trained on;
      oneHot: mean(tape, oneHotLoss(tape, logits)),
      // equation 3: real images excite the features, noise does not;
      activation: mean(tape, activationLoss(tape, features)),
      // equation 4: over a batch, all classes occur equally often (-log10(classes) where they do).
      informationEntropy: informationEntropyLoss(tape, logits),
    };
    const { oneHotWeight, activationWeight, informationEntropyWeight } = paper.dafl;
    const total = [
      affine(tape, losses['oneHot'], oneHotWeight),
      affine(tape, losses['activation'], activationWeight),
      affine(tape, losses['informationEntropy'], informationEntropyWeight),
    ].reduce((left, right) => add(tape, left, right)); // equation 5

    // 6. What outlives this tape: handles of our own.
    const keep = ({ tensor, shape }: Value) => backend.reshape(tensor, shape);
    const kept = { images: keep(images), logits: keep(logits) };
    const terms = Object.entries(losses).map(([name, loss]) => ({ name, tensor: keep(loss) }));

    // 7. Module 1 of Algorithm 1: the generator learns.
    const leaves = generator.trainableVariables.map(({ tensor }) => tape.leaf(tensor));
    generatorOptimizer.apply(tape.gradients(total, leaves), 0.01);
    return { told: terms, tensors: kept };
  });

  // 8. Module 2: the student learns the teacher's answers on the same images (equation 1).
  const distillation = withTape(backend, (tape) => {
    const { logits } = student.forward(tape, tape.constant(tensors.images), { mode: 'training' });
    const loss = mean(tape, distillationLoss(tape, logits, tape.constant(tensors.logits)));
    const kept = backend.reshape(loss.tensor, []);
    const leaves = student.trainableVariables.map(({ tensor }) => tape.leaf(tensor));
    studentOptimizer.apply(tape.gradients(loss, leaves), 2e-3);
    return kept;
  });

  if (step === 1 || step % 10 === 0 || step === STEPS) {
    const terms: string[] = [];
    for (const { name, tensor } of [...told, { name: 'distillation', tensor: distillation }])
      terms.push(`${name} ${(await backend.read(tensor))[0].toFixed(3)}`);
    const seen = new Set(argMaxRows(await backend.read(tensors.logits), classes)).size;
    console.log(`step ${step}: ${terms.join(', ')}; ${seen} of ${classes} classes in the batch`);
  }
  for (const tensor of [...told.map(({ tensor }) => tensor), ...Object.values(tensors), distillation])
    backend.dispose(tensor);
}
await backend.close();

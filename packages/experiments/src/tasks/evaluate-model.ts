import { createNetwork, describeModel, evaluate, inheritWeights, type Model } from '@dafl/core';
import { loadImagesFor, selectBackend } from '@dafl/run';
import { loadModel, loadStudent } from '@dafl/run/load-model';
import type { TaskContext, TaskOf } from './task-context.ts';
import { nothingMeasured, type TaskOutcome } from './task-outcome.ts';

/** Measures a model, or what a student of it starts as. */
export async function evaluateModel(task: TaskOf<'evaluate'>, { backend, signal }: TaskContext): Promise<TaskOutcome> {
  const loaded = await loadModel(task.model);
  const model = task.student === undefined ? loaded.model : await loadFirstStudent(task.student, loaded.model);
  const images = await loadImagesFor(model.graph, task.data, { signal });
  const selected = await selectBackend({ backend, networks: [model.graph] });
  try {
    const network = createNetwork(selected.backend, model);
    const { accuracy } = await evaluate(network, images, { signal });
    network.dispose();
    const { parameters, multiplyAccumulates } = describeModel(model.graph);
    const { description } = selected.backend;
    return { ...nothingMeasured, accuracy, parameters, multiplyAccumulates, backend: description };
  } finally {
    await selected.backend.close();
  }
}

/** A student that starts from its teacher, before its first step. */
async function loadFirstStudent(student: string, teacher: Model): Promise<Model> {
  const { graph, weights } = await loadStudent(student, teacher);
  return weights === undefined ? inheritWeights(teacher, graph) : { graph, weights };
}

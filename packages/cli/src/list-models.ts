import { describeClassifier, describeModel, type Graph } from '@dafl/core';
import { architectures, builtInTeacher, createArchitecture, listTeachers, readTeacherRecord } from '@dafl/models';

/** A network that can be had by name. */
export interface ListedModel {
  readonly name: string;
  readonly description: string;
  /** `[height, width, channels]`. */
  readonly inputShape: readonly number[];
  readonly classes: number;
  readonly parameters: number;
  /** For one image. */
  readonly multiplyAccumulates: number;
}

/** One with weights. */
export interface ListedTeacher extends ListedModel {
  readonly data: string;
  /** On the test images of its data, 0..1. */
  readonly accuracy: number;
}

/** All that can be named in place of a file. */
export async function listModels(): Promise<{
  readonly teachers: readonly ListedTeacher[];
  readonly architectures: readonly ListedModel[];
}> {
  const teachers: ListedTeacher[] = [];
  for (const name of listTeachers()) {
    const { accuracy, options } = await readTeacherRecord(name);
    const description = architectures.get(String(options.architecture))?.description ?? '';
    const { graph } = await builtInTeacher(name);
    teachers.push({ ...describe(name, graph, description), data: String(options.data), accuracy });
  }
  return {
    teachers,
    architectures: [...architectures].map(([name, { description }]) =>
      describe(name, createArchitecture(name), description),
    ),
  };
}

function describe(name: string, graph: Graph, description: string): ListedModel {
  const { inputShape, parameters, multiplyAccumulates } = describeModel(graph);
  return { name, description, inputShape, classes: describeClassifier(graph).classes, parameters, multiplyAccumulates };
}

/**
 * What it takes to read a model, without what writes and quantises: for programs that must be there at once. A page or a
 * command that only classifies loads a third of the package.
 *
 * @module
 */
export { type ArchitectureOptions, architectures } from './architectures/architectures.ts';
export { createArchitecture } from './architectures/create-architecture.ts';
export { importModel } from './formats/import-model.ts';
export { writeModel } from './formats/native-model.ts';
export { markLogits } from './mark-logits.ts';
export { builtInTeacher } from './teachers/built-in-teacher.ts';
export { listTeachers } from './teachers/list-teachers.ts';

export { describeBackend } from './describe-backend.ts';
export type { BackendDescription, Skip } from './list-conformance-tests.ts';
export { expectClose } from './expect-close.ts';
export type { Tolerance } from './expect-close.ts';

export { describeBackend } from './describe-backend.ts';
export type { BackendDescription, Skip } from './describe-backend.ts';
export { expectClose } from './expect-close.ts';
export type { Tolerance } from './expect-close.ts';

import type { TensorBackend } from '../backend.ts';
import { Tape } from './tape.ts';

/** Gives `use` a tape and disposes it afterwards, also where `use` throws: then nothing is left that was made by `tape.backend`. */
export function withTape<Result>(backend: TensorBackend, use: (tape: Tape) => Result): Result {
  return new Tape(backend).use(use);
}

import type { TensorBackend } from '../backend.ts';
import { Tape } from './tape.ts';

/** Gives `use` a tape and disposes it afterwards, also where `use` throws. */
export function withTape<Result>(backend: TensorBackend, use: (tape: Tape) => Result): Result {
  const tape = new Tape(backend);
  try {
    return use(tape);
  } finally {
    tape.dispose();
  }
}

import type { Tape, Value } from '../../autodiff/tape.ts';

/** Goes on from an intermediate result and lets it go as soon as no derivative needs it. */
export function passOn(tape: Tape, intermediate: Value, next: (value: Value) => Value): Value {
  const result = next(intermediate);
  tape.release(intermediate);
  return result;
}

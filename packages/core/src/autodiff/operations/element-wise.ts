import type { Tensor } from '../../backend.ts';
import type { Tape, Value } from '../tape.ts';
import { assertArguments } from './_assert-arguments.ts';
import { alias, sumToShape } from './_shape.ts';
import { using } from './_using.ts';

/** left + right, with broadcasting. */
export function add(tape: Tape, left: Value, right: Value): Value {
  assertArguments.broadcast('add', left.shape, right.shape);
  const { backend } = tape;
  return tape.record(backend.binary('add', left.tensor, right.tensor), [left, right], (gradient, needed) => [
    needed[0] ? sumToShape(backend, gradient, left.shape) : null,
    needed[1] ? sumToShape(backend, gradient, right.shape) : null,
  ]);
}

/** left - right, with broadcasting. */
export function subtract(tape: Tape, left: Value, right: Value): Value {
  assertArguments.broadcast('subtract', left.shape, right.shape);
  const { backend } = tape;
  return tape.record(backend.binary('subtract', left.tensor, right.tensor), [left, right], (gradient, needed) =>
    using(backend, (keep) => [
      needed[0] ? sumToShape(backend, gradient, left.shape) : null,
      needed[1] ? sumToShape(backend, keep(backend.unary('negate', gradient)), right.shape) : null,
    ]),
  );
}

/** left x right, with broadcasting. */
export function multiply(tape: Tape, left: Value, right: Value): Value {
  assertArguments.broadcast('multiply', left.shape, right.shape);
  const { backend } = tape;
  return tape.record(
    backend.binary('multiply', left.tensor, right.tensor),
    [left, right],
    (gradient, needed) =>
      using(backend, (keep) => [
        needed[0] ? sumToShape(backend, keep(backend.binary('multiply', gradient, right.tensor)), left.shape) : null,
        needed[1] ? sumToShape(backend, keep(backend.binary('multiply', gradient, left.tensor)), right.shape) : null,
      ]),
    { saves: [...(right.requiresGradient ? [left] : []), ...(left.requiresGradient ? [right] : [])] },
  );
}

/** left / right, with broadcasting. */
export function divide(tape: Tape, left: Value, right: Value): Value {
  assertArguments.broadcast('divide', left.shape, right.shape);
  const { backend } = tape;
  return tape.record(
    backend.binary('divide', left.tensor, right.tensor),
    [left, right],
    (gradient, needed) =>
      using(backend, (keep) => {
        const overRight = keep(backend.binary('divide', gradient, right.tensor));
        if (!needed[1]) return [sumToShape(backend, overRight, left.shape), null];
        // d(l / r)/dr = -(l / r) / r
        const quotient = keep(backend.binary('divide', left.tensor, right.tensor));
        const product = keep(backend.binary('multiply', overRight, quotient));
        return [
          needed[0] ? sumToShape(backend, overRight, left.shape) : null,
          sumToShape(backend, keep(backend.unary('negate', product)), right.shape),
        ];
      }),
    { saves: right.requiresGradient ? [left, right] : [right] },
  );
}

/** input x factor + summand, with numbers. */
export function affine(tape: Tape, input: Value, factor: number, summand = 0): Value {
  const { backend } = tape;
  return tape.record(backend.affine(input.tensor, factor, summand), [input], (gradient) => [
    backend.affine(gradient, factor, 0),
  ]);
}

/** Natural exponential. */
export function exp(tape: Tape, input: Value): Value {
  const { backend } = tape;
  const output = backend.unary('exp', input.tensor);
  return tape.record(output, [input], (gradient) => [backend.binary('multiply', gradient, output)], {
    saves: ['output'],
  });
}

/** Natural logarithm. */
export function log(tape: Tape, input: Value): Value {
  const { backend } = tape;
  const output = backend.unary('log', input.tensor);
  return tape.record(output, [input], (gradient) => [backend.binary('divide', gradient, input.tensor)], {
    saves: [input],
  });
}

/** input^2. */
export function square(tape: Tape, input: Value): Value {
  const { backend } = tape;
  return tape.record(
    backend.unary('square', input.tensor),
    [input],
    (gradient) =>
      using(backend, (keep) => [backend.affine(keep(backend.binary('multiply', gradient, input.tensor)), 2, 0)]),
    { saves: [input] },
  );
}

/** Absolute value; its derivative at 0 is 0. */
export function abs(tape: Tape, input: Value): Value {
  const { backend } = tape;
  return tape.record(
    backend.unary('abs', input.tensor),
    [input],
    (gradient) =>
      using(backend, (keep) => [backend.binary('multiply', gradient, keep(backend.unary('sign', input.tensor)))]),
    { saves: [input] },
  );
}

/** Hyperbolic tangent. */
export function tanh(tape: Tape, input: Value): Value {
  const { backend } = tape;
  const output = backend.unary('tanh', input.tensor);
  return tape.record(
    output,
    [input],
    (gradient) =>
      using(backend, (keep) => {
        const slope = keep(backend.affine(keep(backend.unary('square', output)), -1, 1));
        return [backend.binary('multiply', gradient, slope)];
      }),
    { saves: ['output'] },
  );
}

/** 1 / (1 + exp(-input)). */
export function sigmoid(tape: Tape, input: Value): Value {
  const { backend } = tape;
  const output = backend.unary('sigmoid', input.tensor);
  return tape.record(
    output,
    [input],
    (gradient) =>
      using(backend, (keep) => {
        const complement = keep(backend.affine(output, -1, 1));
        const slope = keep(backend.binary('multiply', output, complement));
        return [backend.binary('multiply', gradient, slope)];
      }),
    { saves: ['output'] },
  );
}

/** Gauss error function. */
export function erf(tape: Tape, input: Value): Value {
  const { backend } = tape;
  return tape.record(
    backend.unary('erf', input.tensor),
    [input],
    (gradient) =>
      using(backend, (keep) => {
        // d erf(x)/dx = 2 / sqrt(pi) exp(-x^2)
        const negativeSquare = keep(backend.unary('negate', keep(backend.unary('square', input.tensor))));
        const slope = keep(backend.affine(keep(backend.unary('exp', negativeSquare)), 2 / Math.sqrt(Math.PI), 0));
        return [backend.binary('multiply', gradient, slope)];
      }),
    { saves: [input] },
  );
}

/** The input where it is > 0, `slope` x input elsewhere; `slope` >= 0, and 0 is ReLU. Its derivative at 0 is `slope`. */
export function leakyRelu(tape: Tape, input: Value, slope = 0): Value {
  const { backend } = tape;
  const output = backend.leakyRelu(input.tensor, slope);
  return tape.record(output, [input], (gradient) => [backend.leakyReluGradient(gradient, output, slope)], {
    saves: ['output'],
  });
}

/** Limits the input to low..high (finite, low < high); its derivative is 1 inside, 0 outside and on the bounds. */
export function clip(tape: Tape, input: Value, low: number, high: number): Value {
  const { backend } = tape;
  const { fused } = backend;
  if (fused?.clip !== undefined && fused.clipGradient !== undefined) {
    return tape.record(
      fused.clip(input.tensor, low, high),
      [input],
      (gradient) => [fused.clipGradient!(gradient, input.tensor, low, high)],
      { saves: [input] },
    );
  }
  const output = using(backend, (keep) => {
    const raised = keep(backend.binary('maximum', input.tensor, keep(backend.fill([], low))));
    return backend.binary('minimum', raised, keep(backend.fill([], high)));
  });
  return tape.record(
    output,
    [input],
    (gradient) =>
      using(backend, (keep) => {
        const aboveLow = keep(backend.binary('greater', input.tensor, keep(backend.fill([], low))));
        const belowHigh = keep(backend.binary('greater', keep(backend.fill([], high)), input.tensor));
        const inside = keep(backend.binary('multiply', aboveLow, belowHigh));
        return [backend.binary('multiply', gradient, inside)];
      }),
    { saves: [input] },
  );
}

/**
 * Gaussian error linear unit: input x (1 + erf(input / sqrt(2))) / 2.
 *
 * Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016, the exact form.
 */
export function gelu(tape: Tape, input: Value): Value {
  const { backend } = tape;
  const { fused } = backend;
  if (fused?.gelu !== undefined && fused.geluGradient !== undefined) {
    return tape.record(fused.gelu(input.tensor), [input], (gradient) => [fused.geluGradient!(gradient, input.tensor)], {
      saves: [input],
    });
  }
  /** (1 + erf(x / sqrt(2))) / 2 */
  const share = (keep: (tensor: Tensor) => Tensor): Tensor =>
    keep(backend.affine(keep(backend.unary('erf', keep(backend.affine(input.tensor, Math.SQRT1_2, 0)))), 0.5, 0.5));
  return tape.record(
    using(backend, (keep) => backend.binary('multiply', input.tensor, share(keep))),
    [input],
    (gradient) =>
      using(backend, (keep) => {
        const halfSquare = keep(backend.affine(keep(backend.unary('square', input.tensor)), -0.5, 0));
        const density = keep(backend.affine(keep(backend.unary('exp', halfSquare)), 1 / Math.sqrt(2 * Math.PI), 0));
        const slope = keep(backend.binary('add', share(keep), keep(backend.binary('multiply', input.tensor, density))));
        return [backend.binary('multiply', gradient, slope)];
      }),
    { saves: [input] },
  );
}

/** The input itself, for which no gradient flows back: what comes after treats it as given. */
export function detach(tape: Tape, input: Value): Value {
  return tape.own(alias(tape.backend, input.tensor));
}

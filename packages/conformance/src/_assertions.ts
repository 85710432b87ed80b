/**
 * The few assertions that the suite needs, in plain JavaScript: it runs in browsers and in runtimes that have no test
 * runner's library at hand.
 */

/**
 * Fails unless both values are equal: the same primitive (NaN is itself, 0 is -0), or arrays or plain objects of equal
 * parts.
 *
 * @param subject What is compared, for the message.
 * @throws {Error} Naming the subject and both values.
 */
export function assertEqual(actual: unknown, expected: unknown, subject: string): void {
  if (isEqual(actual, expected)) return;
  throw new Error(`Expected ${subject} to be ${show(expected)} but got ${show(actual)}`);
}

/**
 * Fails unless the condition holds.
 *
 * @param message What to say otherwise.
 */
export function assertTrue(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

/**
 * Fails unless `use` throws an `Error`, at once or by a rejected promise.
 *
 * @param subject What is tried, for the message.
 */
export async function assertThrows(use: () => unknown, subject: string): Promise<void> {
  try {
    await use();
  } catch (error) {
    if (error instanceof Error) return;
    throw new Error(`Expected ${subject} to throw an Error but it threw ${show(error)}`, { cause: error });
  }
  throw new Error(`Expected ${subject} to throw but it did not`);
}

function isEqual(left: unknown, right: unknown): boolean {
  if (left === right || (Number.isNaN(left) && Number.isNaN(right))) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => key in right && isEqual(left[key as keyof typeof left], right[key as keyof typeof right]))
  );
}

function show(value: unknown): string {
  // JSON has no NaN, and nothing for undefined.
  return typeof value === 'number' || value === undefined ? String(value) : JSON.stringify(value);
}

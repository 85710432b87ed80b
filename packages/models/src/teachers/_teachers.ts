/** Where a built-in teacher lies. */
export interface StoredTeacher {
  readonly model: URL;
  readonly record: URL;
}

/**
 * The built-in teachers by name.
 *
 * Each URL is spelled out, with a literal path: that is the form by which bundlers find the files that they must ship.
 */
export const teachers: ReadonlyMap<string, StoredTeacher> = new Map<string, StoredTeacher>([
  [
    'lenet5-mnist',
    {
      model: new URL('./lenet5-mnist.safetensors', import.meta.url),
      record: new URL('./lenet5-mnist.json', import.meta.url),
    },
  ],
]);

/** Whether a teacher is named by the address of an endpoint, which answers and no more, rather than by a file or a built-in name. */
export function isAddress(teacher: string): boolean {
  return /^https?:\/\//.test(teacher);
}

/** What belongs to a kernel and, where there is one, to the bias. */
export function withBias<Part>(kernel: Part, bias: Part | null): Record<string, Part> {
  return bias === null ? { kernel } : { kernel, bias };
}

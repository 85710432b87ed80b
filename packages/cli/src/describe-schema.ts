import { z } from 'zod';

/** JSON Schema of what may be given, before defaults are filled in. */
export function describeSchema(schema: z.ZodType): Record<string, unknown> {
  return z.toJSONSchema(schema, { io: 'input' });
}

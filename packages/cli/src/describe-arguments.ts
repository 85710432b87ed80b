import { z } from 'zod';

/** The arguments of a command as JSON Schema: what may be given, before defaults are filled in. */
export function describeArguments(schema: z.ZodObject): object {
  return z.toJSONSchema(schema, { io: 'input' });
}

import { DaflError } from '@dafl/core';
import { architectures, listTeachers } from '@dafl/models';
import { type DistillationOptions, lowRankShare, parseDistillationOptions, resolveRecipe } from '@dafl/run';

/**
 * Checks the options that a client sent. A command line may name files; a client may name only what the server has:
 * built-in names and uploads.
 *
 * @param isUpload Whether a text is the id of an upload.
 * @throws {DaflError} `USAGE`, naming the option, the rule and the value.
 */
export function readOptions(body: unknown, isUpload: (id: string) => boolean): DistillationOptions {
  const options = parseDistillationOptions(body);
  const { teacher, student, eval: evaluation } = options;
  const reject = (name: string, rule: string, value: unknown): never => {
    throw new DaflError('USAGE', `Cannot distill as '${name}' must be ${rule}: current value is '${String(value)}'`);
  };
  if (!listTeachers().includes(teacher) && !isUpload(teacher)) {
    reject('teacher', `one of [${listTeachers().join(', ')}] or the id of an upload`, teacher);
  }
  const named = ['half', 'quarter', ...architectures.keys()];
  const isKnown = typeof student !== 'string' || named.includes(student) || lowRankShare(student) !== undefined;
  if (!isKnown && !isUpload(student)) {
    const rule = `one of [${named.join(', ')}, low-rank, low-rank-SHARE], a number > 0 and <= 1 or the id of an upload`;
    reject('student', rule, student);
  }
  if (evaluation !== undefined && evaluation !== 'mnist') reject('eval', "'mnist'", evaluation);
  if (options.data !== undefined && options.data !== 'mnist') reject('data', "'mnist'", options.data);
  if (options.compare !== undefined) reject('compare', 'absent over HTTP', options.compare);
  if (options.metadata !== undefined) reject('metadata', 'absent over HTTP', options.metadata);
  resolveRecipe(options);
  return options;
}

import { DaflError } from '@dafl/core';
import { architectures, listTeachers } from '@dafl/models';
import type { Limits } from './limits.ts';
import { assertEffective, type DistillationOptions, isFormOfTeacher, parseDistillationOptions } from '@dafl/run';
import { widthShares } from '@dafl/run/options';

/** What a client may name, and how much it may ask for. */
interface ReadOptionsRules {
  /** Whether a text is the id of an upload. */
  readonly isUpload: (id: string) => boolean;
  readonly limits: Pick<Limits, 'steps' | 'timeBudgetMs'>;
}

/**
 * Checks the options that a client sent. A command line may name files; a client may name only what the server has:
 * built-in names and uploads.
 *
 * @throws {DaflError} `USAGE`, naming the option, the rule and the value.
 */
export function readOptions(body: unknown, { isUpload, limits }: ReadOptionsRules): DistillationOptions {
  const options = parseDistillationOptions(body);
  const { teacher, student, eval: evaluation } = options;
  const reject = (name: string, rule: string, value: unknown): never => {
    throw new DaflError(
      'USAGE',
      `Cannot distill as '${name}' must be ${rule}: current value is ${typeof value === 'number' ? value : `'${String(value)}'`}`,
    );
  };
  if (!listTeachers().includes(teacher) && !isUpload(teacher)) {
    reject('teacher', `one of [${listTeachers().join(', ')}] or the id of an upload`, teacher);
  }
  const name = String(student);
  if (!isFormOfTeacher(student) && !architectures.has(name) && !isUpload(name)) {
    const named = [...widthShares.keys(), ...architectures.keys()];
    const rule = `one of [${named.join(', ')}, low-rank, low-rank-SHARE], a number > 0 and <= 1 or the id of an upload`;
    reject('student', rule, student);
  }
  for (const name of ['steps', 'timeBudgetMs'] as const) {
    const value = options[name];
    if (value !== undefined && value > limits[name]) reject(name, `<= ${limits[name]} on this server`, value);
  }
  if (options.pace !== undefined) reject('pace', 'absent over HTTP', options.pace);
  if (evaluation !== undefined && evaluation !== 'mnist') reject('eval', "'mnist'", evaluation);
  if (options.data !== undefined && options.data !== 'mnist') reject('data', "'mnist'", options.data);
  // A folder, of which no answer can be made.
  if (options.export?.split(',').includes('tfjs') === true)
    reject('export', 'one or several of onnx and keras over HTTP', options.export);
  if (options.compare !== undefined) reject('compare', 'absent over HTTP', options.compare);
  if (options.metadata !== undefined) reject('metadata', 'absent over HTTP', options.metadata);
  assertEffective(body as Partial<DistillationOptions>, options);
  return options;
}

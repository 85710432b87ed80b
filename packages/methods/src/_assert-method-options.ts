import { check } from '@dafl/core';

/** Which options must be what. */
export interface OptionRules {
  /** Integers >= 1. */
  readonly counts?: readonly string[];
  /** Integers >= 0. */
  readonly optional?: readonly string[];
  /** Integers >= 2: batches that are normalised. */
  readonly pairs?: readonly string[];
  /** > 0. */
  readonly rates?: readonly string[];
  /** In [0, 1). */
  readonly shares?: readonly string[];
  /** Each >= 0. */
  readonly weights?: object;
}

/** @throws {DaflError} `USAGE`, naming the method, the option, the rule and the value. */
export function assertMethodOptions(method: string, options: object, rules: OptionRules): void {
  const values = options as Readonly<Record<string, number>>;
  const assertOption = (holds: boolean, name: string, rule: string, value: number): void => {
    check(holds, { cannot: `use method '${method}'`, as: `'${name}' must be ${rule}`, value });
  };
  const { counts = [], optional = [], pairs = [], rates = [], shares = [], weights = {} } = rules;
  const isInteger = (value: number, least: number): boolean => Number.isInteger(value) && value >= least;
  for (const name of counts) assertOption(isInteger(values[name], 1), name, 'an integer >= 1', values[name]);
  for (const name of optional) assertOption(isInteger(values[name], 0), name, 'an integer >= 0', values[name]);
  for (const name of pairs) assertOption(isInteger(values[name], 2), name, 'an integer >= 2', values[name]);
  for (const name of rates) assertOption(values[name] > 0 && Number.isFinite(values[name]), name, '> 0', values[name]);
  for (const name of shares) assertOption(values[name] >= 0 && values[name] < 1, name, 'in [0, 1)', values[name]);
  for (const [name, value] of Object.entries(weights as Record<string, number>))
    assertOption(value >= 0 && Number.isFinite(value), `weights.${name}`, '>= 0', value);
}

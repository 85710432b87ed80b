import { fail, showValue } from '@dafl/core';

/** Long enough for most paths. */
const LONGEST_NAME = 1000;

/** A file's name as error messages show it. */
export function showFileName(name: string): string {
  return showValue(name, LONGEST_NAME);
}

/** Ends the reading of a file: `rule` says what must hold, `value` what is there. */
export type Reject = (rule: string, value: string) => never;

/** Makes the errors of reading the file `name` as `format`, in dafl's error grammar. */
export function createReject(name: string, format: string): Reject {
  return (rule, value) => {
    fail({ code: 'MODEL', cannot: `read ${showFileName(name)}`, as: `${format} as ${rule}`, value });
  };
}

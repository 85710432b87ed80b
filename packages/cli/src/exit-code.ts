/** Exit codes of commands that end as they should; those of errors follow from the error's code. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  interrupted: 130,
} as const;

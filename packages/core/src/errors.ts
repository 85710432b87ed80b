/**
 * What went wrong, by who can mend it: the caller's options, the model, the data, a shape handed to core, the training
 * itself (a loss that is no number), a checkpoint that does not fit the run, or the machine (memory, disk, time).
 */
export type ErrorCode =
  | 'USAGE'
  | 'MODEL'
  | 'DATA'
  | 'SHAPE'
  | 'NON_FINITE'
  | 'CHECKPOINT'
  | 'OUT_OF_MEMORY'
  | 'STORAGE';

/**
 * The error of every dafl package. Its message names what could not be done, the rule and the value:
 * `Cannot shrink model 'lenet5' as 'ratio' must be in (0, 1]: current value is 2`.
 */
export class DaflError extends Error {
  override readonly name: string = 'DaflError';
  readonly code: ErrorCode;

  /**
   * @param code Who can mend it; command lines derive their exit code from it.
   * @param message One sentence in the grammar above, without a full stop.
   */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

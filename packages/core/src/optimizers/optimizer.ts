import type { Tensor } from '../backend.ts';

/** What an optimizer remembers between steps, on the host. */
export interface OptimizerState {
  /** Updates done so far. */
  readonly step: number;
  /** Moments by name, `<variable>/<moment>`. */
  readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;
}

/** Changes variables along their gradients. */
export interface Optimizer {
  /**
   * One update of each variable it was made for.
   *
   * @param gradients In the order of the variables. Disposed by this call.
   * @param learningRate > 0.
   */
  apply(gradients: readonly Tensor[], learningRate: number): void;

  state(): Promise<OptimizerState>;
  restore(state: OptimizerState): void;
  dispose(): void;
}

/** An optimizer as data; learning rates come from schedules. */
export type OptimizerOptions =
  | {
      readonly kind: 'adam';
      /** Decay of the first moment, in [0, 1); default 0.9. */
      readonly beta1?: number;
      /** Decay of the second moment, in [0, 1); default 0.999. */
      readonly beta2?: number;
      /** > 0, default 1e-8. */
      readonly epsilon?: number;
      /**
       * Whether a kernel whose first values are unusually large or small learns faster or more slowly, in proportion, so that
       * one learning rate suits all networks; default false.
       */
      readonly relative?: boolean;
    }
  | {
      readonly kind: 'sgd';
      /** In [0, 1), default 0. */
      readonly momentum?: number;
      /** Whether the momentum looks ahead (Nesterov); default false. */
      readonly nesterov?: boolean;
      /** L2 penalty added to the gradient, >= 0; default 0. */
      readonly weightDecay?: number;
      /**
       * How many times faster biases and offsets learn, > 0; default 1. Their decay (learning rate x weightDecay) stays
       * the same. Source: Page, "How to Train Your ResNet 8: Bag of Tricks", 2019.
       */
      readonly biasLearningRateFactor?: number;
    };

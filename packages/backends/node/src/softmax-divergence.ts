import type { Shaped } from './layout.ts';
import type { Tensorflow, TensorId } from './tensorflow.ts';

/** `softmaxDivergence` of the contract: the divergence and the gradient of the logits. The caller owns the results. */
export function softmaxDivergence(tf: Tensorflow, logits: Shaped, target: Shaped): readonly TensorId[] {
  const ids = [logits.id, target.id];
  const [crossEntropy, gradient] = tf.runMany('SoftmaxCrossEntropyWithLogits', ids, {}, 2);
  // Targets are met again: a batch is replayed many times.
  const negativeEntropy = target.derive('negative entropy', () => {
    const information = tf.temporary('Xlogy', [target.id, target.id]);
    return tf.run('Sum', [information, tf.integers([1])]);
  });
  return [tf.run('AddV2', [tf.keep(crossEntropy), negativeEntropy]), gradient];
}

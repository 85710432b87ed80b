import type { Network, AnsweredBatch, Tensor } from '@dafl/core';
import { withTape } from '@dafl/core/autodiff';

/** What the teacher says of images: the batch that a student learns from. Takes ownership of `images`. */
export function answerBatch(teacher: Network, images: Tensor): AnsweredBatch {
  const { backend } = teacher;
  return withTape(backend, (tape) => {
    const { logits } = teacher.forward(tape, tape.constant(images), { mode: 'inference' });
    return { images, teacherLogits: backend.reshape(logits.tensor, logits.shape) };
  });
}

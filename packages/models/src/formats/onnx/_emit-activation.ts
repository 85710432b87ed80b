import type { ActivationNode } from '@dafl/core';
import type { OnnxGraphBuilder, OnnxValue } from './_onnx-graph-builder.ts';

/** Writes an activation; ONNX has no operator of its own for some of them at opset 17. */
export function emitActivation(node: ActivationNode, input: OnnxValue, builder: OnnxGraphBuilder): void {
  const { name } = node;
  switch (node.function) {
    case 'abs':
    case 'erf':
    case 'exp':
    case 'hardSwish':
    case 'log':
    case 'relu':
    case 'selu':
    case 'sigmoid':
    case 'softplus':
    case 'softsign':
    case 'sqrt':
    case 'tanh':
      // ONNX calls them the same, with a capital letter.
      builder.emit(node.function[0].toUpperCase() + node.function.slice(1), [input.name], name);
      return;
    case 'elu':
      builder.emit('Elu', [input.name], name, { alpha: { float: node.alpha ?? 1 } });
      return;
    case 'mish': {
      const softplus = builder.step('Softplus', [input.name], `${name}:softplus`);
      const gate = builder.step('Tanh', [softplus], `${name}:gate`);
      builder.emit('Mul', [input.name, gate], name);
      return;
    }
    case 'geluTanh': {
      // x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
      const square = builder.step('Mul', [input.name, input.name], `${name}:square`);
      const scale = Math.sqrt(2 / Math.PI);
      const bend = builder.step('Mul', [square, builder.scalar(`${name}:cubic`, 0.044715 * scale)], `${name}:bend`);
      const slope = builder.step('Add', [bend, builder.scalar(`${name}:linear`, scale)], `${name}:slope`);
      const inner = builder.step('Mul', [input.name, slope], `${name}:inner`);
      const bent = builder.step('Tanh', [inner], `${name}:tanh`);
      const raised = builder.step('Add', [bent, builder.scalar(`${name}:one`, 1)], `${name}:raised`);
      const doubled = builder.step('Mul', [input.name, raised], `${name}:doubled`);
      builder.emit('Mul', [doubled, builder.scalar(`${name}:half`, 0.5)], name);
      return;
    }
    case 'relu6':
      builder.emit('Clip', [input.name, builder.scalar(`${name}:low`, 0), builder.scalar(`${name}:high`, 6)], name);
      return;
    case 'leakyRelu':
      builder.emit('LeakyRelu', [input.name], name, { alpha: { float: node.slope ?? 0.01 } });
      return;
    case 'hardSigmoid':
      builder.emit('HardSigmoid', [input.name], name, {
        alpha: { float: node.alpha ?? 1 / 6 },
        beta: { float: node.beta ?? 0.5 },
      });
      return;
    case 'softmax':
      builder.emit('Softmax', [input.name], name, { axis: -1 });
      return;
    case 'silu': {
      const gate = builder.step('Sigmoid', [input.name], `${name}:gate`);
      builder.emit('Mul', [input.name, gate], name);
      return;
    }
    case 'gelu': {
      // x (1 + erf(x / sqrt 2)) / 2; ONNX has an operator of its own from opset 20 on.
      const scaled = builder.step('Div', [input.name, builder.scalar(`${name}:sqrt2`, Math.SQRT2)], `${name}:scaled`);
      const bent = builder.step('Erf', [scaled], `${name}:erf`);
      const raised = builder.step('Add', [bent, builder.scalar(`${name}:one`, 1)], `${name}:raised`);
      const doubled = builder.step('Mul', [input.name, raised], `${name}:doubled`);
      builder.emit('Mul', [doubled, builder.scalar(`${name}:half`, 0.5)], name);
      return;
    }
  }
}

import { createCpuBackend } from '@dafl/backend-cpu';
import { describe, expect, it } from 'vitest';
import { lenet5Graph } from '../_testing/lenet5-graph.ts';
import { activationNode, convNode, denseNode, maxPoolNode, normNode } from '../_testing/nodes.ts';
import { Tape } from '../autodiff/tape.ts';
import { DaflError } from '../errors.ts';
import { createRandomStream } from '../random.ts';
import { describeModel } from './describe-model.ts';
import { inferShapes } from './infer-shapes.ts';
import { initializeWeights } from './initialize-weights.ts';
import type { Graph, ModelNode } from './model.ts';
import { createNetwork } from './network.ts';
import { shrink } from './shrink.ts';

/** Channels of the outputs of some nodes. */
function widthsOf(graph: Graph, ...names: string[]): number[] {
  const shapes = inferShapes(graph);
  return names.map((name) => shapes.get(name)!.output.at(-1)!);
}

/** Runs the shrunken graph once, so that shapes which only look right are found out. */
function expectRuns(graph: Graph): void {
  const backend = createCpuBackend();
  const network = createNetwork(backend, initializeWeights(graph, createRandomStream(0, 'weights')));
  const tape = new Tape(backend);
  const { logits } = network.forward(tape, tape.own(backend.fill([2, ...graph.inputShape], 1)), { mode: 'inference' });
  expect(logits.shape[0]).toBe(2);
  tape.dispose();
}

function graphOf(nodes: ModelNode[], inputShape: number[] = [8, 8, 3]): Graph {
  return { name: 'net', inputShape, nodes, outputs: { logits: nodes.at(-1)!.name, features: nodes.at(-2)!.name } };
}

describe('shrink', () => {
  it('derives LeNet-5-HALF, with 15,738 of 61,706 parameters', () => {
    const teacher = lenet5Graph();
    const student = shrink(teacher, 0.5);
    expect(describeModel(teacher).parameters).toBe(61_706);
    expect(describeModel(student).parameters).toBe(15_738);
    expect(student).toEqual({ ...lenet5Graph([3, 8, 60, 42]), name: 'lenet5-half' });
    expectRuns(student);
  });

  it('leaves its argument as it was and keeps the input, the outputs and the preprocessing', () => {
    const teacher = lenet5Graph();
    const student = shrink(teacher, 0.25);
    expect(teacher).toEqual(lenet5Graph());
    const { inputShape, outputs, preprocessing } = student;
    expect({ inputShape, outputs, preprocessing }).toEqual({
      inputShape: teacher.inputShape,
      outputs: teacher.outputs,
      preprocessing: teacher.preprocessing,
    });
  });

  it('is named after the ratio, and the same at 1', () => {
    expect([1, 0.5, 0.25, 0.3].map((ratio) => shrink(lenet5Graph(), ratio).name)).toEqual([
      'lenet5-1',
      'lenet5-half',
      'lenet5-quarter',
      'lenet5-0.3',
    ]);
    expect(shrink(lenet5Graph(), 1).nodes).toEqual(lenet5Graph().nodes);
  });

  it('leaves at least one channel', () => {
    const student = shrink(lenet5Graph(), 0.01);
    expect(widthsOf(student, 'conv1', 'conv2', 'conv3', 'fc1', 'fc2')).toEqual([1, 1, 1, 1, 10]);
    expectRuns(student);
  });

  it('keeps both sides of a residual block equally wide', () => {
    const graph = graphOf([
      convNode('stem', 'input', 6),
      convNode('a1', 'stem', 10, { strides: [2, 2] }),
      normNode('a1.norm', 'a1'),
      activationNode('a1.relu', 'a1.norm'),
      convNode('a2', 'a1.relu', 10),
      convNode('shortcut', 'stem', 10, { kernelSize: [1, 1], strides: [2, 2], padding: zero }),
      { kind: 'add', name: 'sum', inputs: ['a2', 'shortcut'] },
      { kind: 'add', name: 'again', inputs: ['sum', 'sum'] },
      { kind: 'globalAveragePool2d', name: 'pool', inputs: ['again'] },
      denseNode('head', 'pool', 5),
    ]);
    const student = shrink(graph, 0.5);
    expect(widthsOf(student, 'stem', 'a2', 'shortcut', 'sum', 'pool', 'head')).toEqual([3, 5, 5, 5, 5, 5]);
    expectRuns(student);
  });

  it('follows channels through concatenations', () => {
    const graph = graphOf([
      convNode('stem', 'input', 8),
      convNode('left', 'stem', 4),
      { kind: 'concat', name: 'joined', inputs: ['stem', 'left', 'input'] },
      convNode('depthwise', 'joined', 15, { groups: 15 }),
      { kind: 'globalAveragePool2d', name: 'pool', inputs: ['depthwise'] },
      denseNode('head', 'pool', 5),
    ]);
    const student = shrink(graph, 0.5);
    // 4 + 2 + the 3 of the input, which stay.
    expect(widthsOf(student, 'joined', 'depthwise', 'pool', 'head')).toEqual([9, 9, 9, 5]);
    expectRuns(student);
  });

  it('keeps depthwise convolutions depthwise, their multiplier and gates that fit', () => {
    const graph = graphOf([
      convNode('stem', 'input', 8),
      convNode('depthwise', 'stem', 16, { groups: 8 }),
      { kind: 'globalAveragePool2d', name: 'squeeze', inputs: ['depthwise'] },
      denseNode('reduce', 'squeeze', 4),
      denseNode('expand', 'reduce', 16),
      activationNode('gate', 'expand', 'sigmoid'),
      { kind: 'reshape', name: 'map', inputs: ['gate'], shape: [1, 1, 16] },
      { kind: 'multiply', name: 'gated', inputs: ['depthwise', 'map'] },
      { kind: 'globalAveragePool2d', name: 'pool', inputs: ['gated'] },
      denseNode('head', 'pool', 10),
    ]);
    const student = shrink(graph, 0.5);
    expect(student.nodes[1]).toMatchObject({ groups: 4, filters: 8 });
    expect(widthsOf(student, 'depthwise', 'reduce', 'gate', 'map', 'gated', 'head')).toEqual([8, 2, 8, 8, 8, 10]);
    expectRuns(student);
  });

  it('keeps the groups of grouped convolutions', () => {
    const graph = graphOf([
      convNode('stem', 'input', 12),
      convNode('grouped', 'stem', 12, { groups: 3 }),
      { kind: 'globalAveragePool2d', name: 'pool', inputs: ['grouped'] },
      denseNode('head', 'pool', 5),
    ]);
    expect(shrink(graph, 0.5).nodes[1]).toMatchObject({ groups: 3, filters: 6 });
    expectRuns(shrink(graph, 0.5));
  });

  it('keeps a convolution that gives the logits, and what comes after it', () => {
    const graph = graphOf([
      convNode('stem', 'input', 8),
      convNode('classes', 'stem', 10),
      activationNode('relu', 'classes'),
      { kind: 'globalAveragePool2d', name: 'pool', inputs: ['relu'] },
    ]);
    const student = shrink({ ...graph, outputs: { logits: 'pool', features: 'stem' } }, 0.5);
    expect(widthsOf(student, 'stem', 'classes', 'pool')).toEqual([4, 10, 10]);
  });

  it('follows a map that a dense layer makes, and rows that a reshape makes', () => {
    const graph = graphOf(
      [
        denseNode('project', 'input', 4 * 4 * 6),
        { kind: 'reshape', name: 'map', inputs: ['project'], shape: [4, 4, 6] },
        convNode('conv', 'map', 8),
        maxPoolNode('pool', 'conv'),
        { kind: 'reshape', name: 'row', inputs: ['pool'], shape: [2 * 2 * 8] },
        denseNode('head', 'row', 10),
      ],
      [20],
    );
    const student = shrink(graph, 0.5);
    expect(widthsOf(student, 'project', 'map', 'conv', 'row', 'head')).toEqual([48, 3, 4, 16, 10]);
    expectRuns(student);
  });

  it.each([0, -0.5, 1.5, Number.NaN])('refuses the ratio %d', (ratio) => {
    const derive = () => shrink(lenet5Graph(), ratio);
    expect(derive).toThrow(DaflError);
    expect(derive).toThrow(`Cannot shrink model 'lenet5' as 'ratio' must be in (0, 1]: current value is ${ratio}`);
  });

  it('gives what meets in a sum one width that fits its groups', () => {
    const graph = graphOf([
      convNode('stem', 'input', 10),
      convNode('grouped', 'input', 10),
      convNode('pairs', 'grouped', 10, { groups: 2 }),
      { kind: 'add', name: 'sum', inputs: ['stem', 'pairs'] },
      { kind: 'globalAveragePool2d', name: 'pool', inputs: ['sum'] },
      denseNode('head', 'pool', 5),
    ]);
    const student = shrink(graph, 0.5);
    expect(widthsOf(student, 'stem', 'grouped', 'pairs', 'sum')).toEqual([6, 6, 6, 6]);
    expectRuns(student);
  });

  it('keeps what is added to the input as wide as the input', () => {
    const graph = graphOf([
      convNode('stem', 'input', 3),
      { kind: 'add', name: 'sum', inputs: ['stem', 'input'] },
      convNode('conv', 'sum', 10),
      { kind: 'globalAveragePool2d', name: 'pool', inputs: ['conv'] },
      denseNode('head', 'pool', 5),
    ]);
    const student = shrink(graph, 0.3);
    expect(widthsOf(student, 'stem', 'sum', 'conv')).toEqual([3, 3, 3]);
    expectRuns(student);
  });

  it('refuses what would be as wide as before', () => {
    const flat: ModelNode = { kind: 'flatten', name: 'flat', inputs: ['input'], order: 'hwc' };
    const graph = graphOf([flat, denseNode('head', 'flat', 5)]);
    expect(() => shrink(graph, 0.5)).toThrow(
      "Cannot shrink model 'net' to 0.5 as a layer must become narrower: current value is none (",
    );
    expect(shrink(graph, 1).nodes).toEqual(graph.nodes);
  });

  it('narrows what is shuffled: cut into groups, turned and joined again', () => {
    const graph = graphOf([
      convNode('conv', 'input', 12),
      { kind: 'reshape', name: 'cut', inputs: ['conv'], shape: [8, 8, 3, 4] },
      { kind: 'transpose', name: 'turned', inputs: ['cut'], permutation: [0, 1, 3, 2] },
      { kind: 'reshape', name: 'joined', inputs: ['turned'], shape: [8, 8, 12] },
      convNode('next', 'joined', 8),
      { kind: 'globalAveragePool2d', name: 'pool', inputs: ['next'] },
      denseNode('head', 'pool', 5),
    ]);
    const student = shrink(graph, 0.5);
    expect(widthsOf(student, 'conv', 'turned', 'joined', 'next')).toEqual([6, 3, 6, 4]);
    expectRuns(student);
  });

  it('narrows maps that are normalised in groups, spelt by reshapes', () => {
    const graph = graphOf([
      convNode('conv', 'input', 12),
      { kind: 'transpose', name: 'first', inputs: ['conv'], permutation: [2, 0, 1] },
      { kind: 'reshape', name: 'grouped', inputs: ['first'], shape: [4, 192] },
      { kind: 'transpose', name: 'last', inputs: ['grouped'], permutation: [1, 0] },
      { kind: 'reshape', name: 'lines', inputs: ['last'], shape: [192, 1, 4] },
      { kind: 'instanceNorm', name: 'norm', inputs: ['lines'], epsilon: 1e-5, affine: true },
      { kind: 'globalAveragePool2d', name: 'pool', inputs: ['norm'] },
      denseNode('head', 'pool', 5),
    ]);
    const student = shrink(graph, 0.5);
    expect(widthsOf(student, 'conv', 'norm')).toEqual([6, 2]);
    expectRuns(student);
  });

  it('narrows maps whose gates are made by a window that slides over channels', () => {
    const graph = graphOf([
      convNode('conv', 'input', 12),
      { kind: 'globalAveragePool2d', name: 'means', inputs: ['conv'] },
      { kind: 'reshape', name: 'line', inputs: ['means'], shape: [12, 1, 1] },
      convNode('window', 'line', 1),
      { kind: 'reshape', name: 'gates', inputs: ['window'], shape: [1, 1, 12] },
      { kind: 'multiply', name: 'gated', inputs: ['conv', 'gates'] },
      { kind: 'globalAveragePool2d', name: 'pool', inputs: ['gated'] },
      denseNode('head', 'pool', 5),
    ]);
    const student = shrink(graph, 0.5);
    expect(widthsOf(student, 'conv', 'window', 'gated')).toEqual([6, 1, 6]);
    expectRuns(student);
  });

  it('narrows maps that are mixed by shares of each channel, as split attention does', () => {
    const graph = graphOf([
      convNode('parts', 'input', 24),
      { kind: 'reshape', name: 'cut', inputs: ['parts'], shape: [8, 8, 2, 12] },
      { kind: 'globalAveragePool2d', name: 'means', inputs: ['parts'] },
      denseNode('scores', 'means', 24),
      // A size of 1 behind the channels.
      { kind: 'reshape', name: 'pairs', inputs: ['scores'], shape: [2, 12, 1] },
      { kind: 'softmax', name: 'shares', inputs: ['pairs'], axis: 0, logarithm: false },
      { kind: 'reshape', name: 'each', inputs: ['shares'], shape: [1, 1, 2, 12] },
      { kind: 'multiply', name: 'mixed', inputs: ['cut', 'each'] },
      { kind: 'reduce', name: 'sum', inputs: ['mixed'], operation: 'sum', axes: [2], keepDimensions: false },
      { kind: 'globalAveragePool2d', name: 'pool', inputs: ['sum'] },
      denseNode('head', 'pool', 5),
    ]);
    const student = shrink(graph, 0.5);
    expect(widthsOf(student, 'parts', 'scores', 'each', 'sum')).toEqual([12, 12, 6, 6]);
    expectRuns(student);
  });

  it('narrows rows whose tokens are mixed by a convolution over lines', () => {
    const graph = graphOf([
      convNode('patches', 'input', 12),
      { kind: 'reshape', name: 'rows', inputs: ['patches'], shape: [64, 12] },
      { kind: 'transpose', name: 'turned', inputs: ['rows'], permutation: [1, 0] },
      { kind: 'reshape', name: 'lines', inputs: ['turned'], shape: [12, 1, 64] },
      convNode('mixed', 'lines', 64, { kernelSize: [1, 1], padding: { top: 0, bottom: 0, left: 0, right: 0 } }),
      { kind: 'reshape', name: 'flat', inputs: ['mixed'], shape: [12, 64] },
      { kind: 'transpose', name: 'back', inputs: ['flat'], permutation: [1, 0] },
      { kind: 'multiply', name: 'gated', inputs: ['rows', 'back'] },
      { kind: 'reduce', name: 'pool', inputs: ['gated'], operation: 'mean', axes: [0], keepDimensions: false },
      denseNode('head', 'pool', 5),
    ]);
    const student = shrink(graph, 0.5);
    expect(widthsOf(student, 'patches', 'mixed', 'gated')).toEqual([6, 64, 6]);
    expectRuns(student);
  });

  const none = { top: 0, bottom: 0, left: 0, right: 0 };
  it.each<[number, ModelNode]>([
    [6, { kind: 'maxPool2d', name: 'made', inputs: ['line'], windowSize: [2, 1], strides: [2, 1], padding: none }],
    [
      5,
      {
        kind: 'averagePool2d',
        name: 'made',
        inputs: ['line'],
        windowSize: [3, 1],
        strides: [2, 1],
        padding: none,
        countsPadding: false,
      },
    ],
    [14, { kind: 'pad2d', name: 'made', inputs: ['line'], padding: { ...none, top: 1, bottom: 1 } }],
    [24, { kind: 'upsampleNearest2d', name: 'made', inputs: ['line'], factors: [2, 1] }],
    [
      12,
      {
        kind: 'resize2d',
        name: 'made',
        inputs: ['line'],
        size: [12, 1],
        mode: 'nearest',
        coordinates: 'asymmetric',
      },
    ],
  ])('keeps all channels of which other rows are made: %d of 12', (rows, node) => {
    const graph = graphOf([
      convNode('conv', 'input', 12),
      { kind: 'globalAveragePool2d', name: 'means', inputs: ['conv'] },
      { kind: 'reshape', name: 'line', inputs: ['means'], shape: [12, 1, 1] },
      node,
      { kind: 'reshape', name: 'row', inputs: ['made'], shape: [rows] },
      denseNode('hidden', 'row', 8),
      denseNode('head', 'hidden', 5),
    ]);
    const student = shrink(graph, 0.5);
    expect(widthsOf(student, 'conv', 'row', 'hidden')).toEqual([12, rows, 4]);
    expectRuns(student);
  });

  it('refuses groups that would become of unequal width, naming the node', () => {
    // Six channels in three groups, the first four of which are one layer's and the last two another's.
    const graph = graphOf([
      convNode('five', 'input', 5),
      convNode('seven', 'input', 7),
      { kind: 'concat', name: 'joined', inputs: ['five', 'seven'] },
      convNode('grouped', 'joined', 6, { groups: 3 }),
      { kind: 'globalAveragePool2d', name: 'pool', inputs: ['grouped'] },
      denseNode('head', 'pool', 5),
    ]);
    expect(() => shrink(graph, 0.5)).toThrow(
      "Cannot shrink model 'net' to 0.5 as node 'grouped' (conv2d) must have groups of equal width: current value is [2, 3, 2]",
    );
  });
});

const zero = { top: 0, bottom: 0, left: 0, right: 0 };

import { createCpuBackend } from '@dafl/backend-cpu';
import { expect, it } from 'vitest';
import { Tape } from '../../autodiff/tape.ts';
import { expectNodes, graphOf, runNodes } from '../../_testing/node-runner.ts';

const padding = { top: 1, bottom: 2, left: 0, right: 1 };

it.each([{}, { value: -0.5 }, { mode: 'constant', value: 2 }, { mode: 'reflect' }, { mode: 'edge' }] as const)(
  'pads by %j',
  async (options) => {
    await expectNodes([{ kind: 'pad2d', name: 'out', inputs: ['input'], padding, ...options }], {
      inputShape: [3, 2, 2],
    });
  },
);

it('keeps the digits of a map beside a border that is far from it', async () => {
  const backend = createCpuBackend({ precision: 'float32' });
  const wide = {
    kind: 'pad2d',
    name: 'out',
    inputs: ['input'],
    padding: { ...padding, bottom: 0 },
    value: -3e38,
  } as const;
  const graph = graphOf([wide], [1, 2, 1]);
  const tape = new Tape(backend);
  const input = tape.leaf(backend.tensor(Float32Array.of(0.25, 0.5), [1, 1, 2, 1]));
  const out = runNodes(tape, graph, input, new Map());
  const border = Math.fround(-3e38);
  expect([...(await backend.read(out.tensor))]).toEqual([border, border, border, 0.25, 0.5, border]);
});

it('refuses to mirror more than there is', async () => {
  await expect(
    expectNodes([{ kind: 'pad2d', name: 'out', inputs: ['input'], padding, mode: 'reflect' }], {
      inputShape: [2, 2, 2],
    }),
  ).rejects.toThrow("node 'out' (pad2d) must mirror less than it reads");
});

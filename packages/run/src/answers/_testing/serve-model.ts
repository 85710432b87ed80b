import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { createCpuBackend } from '@dafl/backend-cpu';
import { createNetwork, describeClassifier, type Model, predictLogits, softmaxRows } from '@dafl/core';

/** A model behind the Open Inference Protocol, as servers of other makers have it: channels first, probabilities. */
export async function serveModel(
  model: Model,
  {
    token,
    failures = 0,
    retryAfter,
    described,
    delayMs = 0,
  }: {
    readonly token?: string;
    readonly failures?: number;
    /** Seconds that it asks for where it is busy. */
    readonly retryAfter?: number;
    /** Classes that it says it has, where that is not so. */
    readonly described?: number;
    /** Before each answer to images. */
    readonly delayMs?: number;
  } = {},
): Promise<{ readonly url: string; readonly requests: readonly number[]; close(): Promise<void> }> {
  const backend = createCpuBackend();
  const network = createNetwork(backend, model);
  const { inputShape, classes } = describeClassifier(model.graph);
  const [height, width, channels] = inputShape;
  const requests: number[] = [];
  let left = failures;
  const server: Server = createServer((request, response) => {
    const send = (status: number, body: object): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const answer = async (): Promise<void> => {
      const { authorization } = request.headers;
      if (token !== undefined && authorization !== `Bearer ${token}`)
        return send(401, { error: `no good: ${authorization}` });
      if (request.method === 'GET') {
        const inputs = [{ name: 'pixels', datatype: 'FP32', shape: [-1, channels, height, width] }];
        const outputs = [
          { name: 'label', datatype: 'BYTES', shape: [-1, 1] },
          { name: 'probabilities', datatype: 'FP32', shape: [-1, described ?? classes] },
        ];
        return send(200, { name: 'tiny', inputs, outputs });
      }
      if (left-- > 0) {
        if (retryAfter !== undefined) response.setHeader('retry-after', String(retryAfter));
        return send(503, { error: 'busy' });
      }
      const body = (await json(request)) as { inputs: { shape: number[]; data: number[] }[] };
      const [{ shape, data }] = body.inputs;
      requests.push(shape[0]);
      await setTimeout(delayMs);
      const area = height * width;
      const images = Float32Array.from(data, (_, index) => {
        const [image, rest] = [Math.floor(index / (area * channels)), index % (area * channels)];
        return data[(image * channels + (rest % channels)) * area + Math.floor(rest / channels)];
      });
      const input = backend.tensor(images, [shape[0], ...inputShape]);
      const probabilities = softmaxRows(await predictLogits(network, input), classes);
      // Some servers answer with everything, and in rows.
      const rows = Array.from({ length: shape[0] }, (_, row) => [
        ...probabilities.subarray(row * classes, (row + 1) * classes),
      ]);
      const label = { name: 'label', shape: [shape[0], 1], data: rows.map(() => 'x') };
      send(200, { outputs: [label, { name: 'probabilities', shape: [shape[0], classes], data: rows }] });
    };
    answer().catch(() => send(500, {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/models/tiny`,
    requests,
    close: async () => await new Promise((resolve) => server.close(() => resolve())),
  };
}

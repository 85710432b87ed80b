/**
 * A model behind an address, by the Open Inference Protocol, as Triton, KServe and others serve theirs: what
 * `dafl distill http://127.0.0.1:9000/v2/models/teacher` asks.
 *
 * Run: node examples/journeys/answer.ts MODEL with PORT, 9000 by default, and TOKEN, if clients need one, in the environment.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { createWasmBackend } from '@dafl/backend-wasm';
import { createNetwork, describeClassifier, predictLogits } from '@dafl/core';
import { builtInTeacher, importModel } from '@dafl/models';

const [path] = process.argv.slice(2);
const model =
  path === undefined ? await builtInTeacher('lenet5-mnist') : (await importModel(await readFile(path), path)).model;
const backend = await createWasmBackend();
const network = createNetwork(backend, model);
const { inputShape, classes } = describeClassifier(model.graph);
const token = process.env['TOKEN'];
const description = {
  name: 'teacher',
  inputs: [{ name: 'images', datatype: 'FP32', shape: [-1, ...inputShape] }],
  outputs: [{ name: 'logits', datatype: 'FP32', shape: [-1, classes] }],
};

const server = createServer(async (request, response) => {
  const answer = (status: number, body: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  try {
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`)
      return answer(401, { error: 'a token is needed' });
    if (request.method === 'GET' && request.url === '/v2/models/teacher') return answer(200, description);
    if (request.method !== 'POST' || request.url !== '/v2/models/teacher/infer')
      return answer(404, { error: 'the model is called teacher' });
    const body = (await json(request)) as { inputs: { shape: number[]; data: number[] }[] };
    const [{ shape, data }] = body.inputs;
    const images = backend.tensor(Float32Array.from(data), shape);
    const logits = await predictLogits(network, images);
    backend.dispose(images);
    answer(200, { outputs: [{ name: 'logits', shape: [shape[0], classes], data: [...logits] }] });
  } catch (error) {
    answer(400, { error: String(error) });
  }
});
server.listen(Number(process.env['PORT'] ?? 9000), '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null)
    console.log(`http://127.0.0.1:${address.port}/v2/models/teacher`);
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0));

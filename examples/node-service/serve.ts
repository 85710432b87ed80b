/**
 * A service that classifies pictures: POST a PNG or JPEG, get its class. (`dafl serve` distils over HTTP; this is what a
 * student does afterwards, in a program of one's own.)
 *
 * Run: node examples/node-service/serve.ts [MODEL] with PORT, 3000 by default, in the environment; then
 * curl --data-binary @digit.png localhost:3000
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createWasmBackend } from '@dafl/backend-wasm';
import { classify, createNetwork, DaflError, describeClassifier } from '@dafl/core';
import { decodeImage, matchChannels } from '@dafl/data';
import { builtInTeacher, importModel } from '@dafl/models';

const MOST_BYTES = 10 * 2 ** 20;

const [path] = process.argv.slice(2);
const model =
  path === undefined ? await builtInTeacher('lenet5-mnist') : (await importModel(await readFile(path), path)).model;
const network = createNetwork(await createWasmBackend(), model);
const channels = describeClassifier(network.graph).inputShape[2];

const server = createServer(async (request, response) => {
  const answer = (status: number, body: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
  };
  if (request.method !== 'POST') return answer(405, { error: 'POST a PNG or JPEG file' });
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MOST_BYTES) return answer(413, { error: `Cannot read a picture of more than ${MOST_BYTES} bytes` });
      chunks.push(chunk);
    }
    const picture = matchChannels({ ...decodeImage(Buffer.concat(chunks), 'the body'), count: 1 }, channels);
    const [{ label, className, probabilities }] = await classify(network, picture);
    answer(200, { label, className, probability: probabilities[label] });
  } catch (error) {
    if (error instanceof DaflError && error.code === 'DATA') answer(400, { error: error.message });
    else answer(500, { error: 'Cannot classify the picture' });
  }
});
server.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) console.log(`http://127.0.0.1:${address.port}`);
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0));

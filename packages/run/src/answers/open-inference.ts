import { setTimeout } from 'node:timers/promises';
import { DaflError, fail } from '@dafl/core';
import { z } from 'zod';
import type { AnsweringProgram } from './opaque-model.ts';

/** How an endpoint is asked. */
export interface EndpointOptions {
  /** Sent as a bearer token. */
  readonly token?: string;
  readonly signal?: AbortSignal;
  /** Told every second how long an answer is waited for, in seconds. */
  readonly onSlowAnswer?: (seconds: number) => void;
}

const tensorSchema = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.int()) });
const metadataSchema = z.object({ name: z.string(), inputs: z.array(tensorSchema), outputs: z.array(tensorSchema) });
const answerSchema = z.object({
  outputs: z.array(z.object({ name: z.string(), shape: z.array(z.number()), data: z.array(z.unknown()) })),
});
/** Numbers in rows, or in lists of lists. */
const numbersSchema = z.array(z.number());
/** Lists in lists that are looked into. */
const DEEPEST = 4;
/** What may be probabilities or logits. */
const FLOATS: readonly string[] = ['FP32', 'FP64', 'FP16', 'BF16'];

/** An answer may take so long. */
const TIMEOUT_MS = 30_000;
/** How long an endpoint that is busy or away is asked again, ... */
const PATIENCE_MS = 60_000;
/** ... and one that is away at first. */
const FIRST_PATIENCE_MS = 2_000;
/** Between two requests; doubled each time. */
const FIRST_PAUSE_MS = 250;
const MOST_PAUSE_MS = 10_000;
/** Letters of an answer that an error shows. */
const MOST_QUOTED = 120;
/** Images of one request. */
const MOST_IMAGES = 64;
/** Bytes of an answer at most. */
const MOST_BYTES = 2 ** 26;

/**
 * A model behind an HTTP endpoint, by the Open Inference Protocol, version 2: `http://host/v2/models/NAME`.
 *
 * Source: kserve/open-inference-protocol, `inference_rest.md`: model metadata and inference.
 *
 * @throws {DaflError} `MODEL` if the endpoint does not answer, or its model takes or gives more than one tensor.
 */
export async function openInference(url: string, options: EndpointOptions): Promise<AnsweringProgram> {
  const reject = (rule: string, value: string): never => {
    fail({ code: 'MODEL', cannot: `use '${url}'`, as: `a teacher as ${rule}`, value });
  };
  const base = url.replace(/\/+$/, '');
  const metadata = metadataSchema.safeParse(await request(base, undefined, options));
  if (!metadata.success) return reject('it must describe its model by the Open Inference Protocol', 'another answer');
  const { inputs, outputs } = metadata.data;
  if (inputs.length !== 1) reject('its model must take one tensor', `${inputs.length}`);
  if (outputs.length < 1) reject('its model must give a tensor', '0');
  const [input] = inputs;
  if (input.datatype !== 'FP32') reject('its model must take FP32', input.datatype);
  // Labels stand beside their probabilities, and features beside both.
  const floats = outputs.filter(({ datatype }) => FLOATS.includes(datatype));
  const output =
    floats.find(({ shape }) => shape.length <= 2 && shape.at(-1) !== 1) ??
    floats[0] ??
    reject(
      'its model must give floats, one for each class',
      `[${outputs.map(({ name, datatype }) => `${name} of ${datatype}`).join(', ')}]`,
    );
  const isBatched = input.shape.length === 4;
  const most = isBatched && input.shape[0] > 0 ? input.shape[0] : MOST_IMAGES;

  async function ask(images: Float32Array, shape: readonly number[]): Promise<number[]> {
    const body = {
      inputs: [{ name: input.name, datatype: 'FP32', shape: isBatched ? shape : shape.slice(1), data: [...images] }],
      outputs: [{ name: output.name }],
    };
    const answer = answerSchema.safeParse(await request(`${base}/infer`, body, options));
    const found = answer.data?.outputs.find(({ name }) => name === output.name);
    const numbers = numbersSchema.safeParse(found?.data.flat(DEEPEST)).data;
    if (found === undefined || numbers === undefined)
      return reject(`it must answer with the numbers of '${output.name}'`, 'another answer');
    const [described, given] = [output.shape.at(-1) ?? -1, found.shape.at(-1)];
    if (described > 0 && given !== described)
      return reject(
        `'${output.name}' must have the ${described} values an image that it is described with`,
        `${given}`,
      );
    return numbers;
  }

  return {
    name: url,
    imageShape: isBatched ? input.shape.slice(1) : input.shape,
    async run(images, [batch, ...shape]) {
      const size = shape.reduce((product, length) => product * length, 1);
      const values: number[] = [];
      const step = isBatched ? most : 1;
      for (let begin = 0; begin < batch; begin += step) {
        const end = Math.min(batch, begin + step);
        for (const value of await ask(images.subarray(begin * size, end * size), [end - begin, ...shape]))
          values.push(value);
      }
      return Float32Array.from(values);
    },
  };
}

/** One request, whose waiting is told. */
async function request(url: string, body: unknown, options: EndpointOptions): Promise<unknown> {
  const { onSlowAnswer } = options;
  let seconds = 0;
  const timer = setInterval(() => onSlowAnswer?.(++seconds), 1_000);
  try {
    return await askPatiently(url, body, options);
  } finally {
    clearInterval(timer);
  }
}

/** One request, repeated while the endpoint is busy or away. */
async function askPatiently(url: string, body: unknown, { token, signal }: EndpointOptions): Promise<unknown> {
  const startedMs = performance.now();
  // Nobody answers at an address that is mistyped.
  const awayMs = body === undefined ? FIRST_PATIENCE_MS : PATIENCE_MS;
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    let pauseMs = Math.min(MOST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
    let patienceMs = PATIENCE_MS;
    let reason = '';
    try {
      const response = await fetch(url, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        // What another host is told is for the user to decide.
        redirect: 'manual',
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      });
      if (response.status >= 300 && response.status < 400) {
        const target = response.headers.get('location') ?? 'nowhere';
        return refuse(
          url,
          `status ${response.status}, which sends to '${target}'. Name that address if it is the model's`,
        );
      }
      const text = await readText(response);
      if (response.ok) {
        try {
          return JSON.parse(text) as unknown;
        } catch {
          return refuse(url, `no JSON${quote(text, token)}`);
        }
      }
      const { status } = response;
      reason = `status ${status}${quote(text, token)}`;
      if (status < 500 && status !== 429) return refuse(url, `${reason}${advise(status, url)}`);
      pauseMs = Math.max(pauseMs, retryAfterMs(response.headers.get('retry-after')));
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof DaflError) throw error;
      reason = describe(error);
      patienceMs = awayMs;
    }
    if (performance.now() - startedMs + pauseMs > patienceMs) return refuse(url, reason);
    await pause(pauseMs, signal);
  }
}

function refuse(url: string, reason: string): never {
  throw new DaflError('MODEL', `Cannot ask '${url}' as it must answer: current answer is ${reason}`);
}

/** What the endpoint says itself, where it says it shortly. It may repeat what it was sent, but not the token. */
function quote(text: string, token: string | undefined): string {
  const said = /"(?:error|detail|message)"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text;
  const hidden = token === undefined ? said : said.replaceAll(token, '...');
  const shown = hidden.replaceAll(/[^\x20-\x7e]+/g, ' ').trim();
  return shown === '' || shown === '{}' ? '' : ` ('${shown.slice(0, MOST_QUOTED)}')`;
}

function advise(status: number, url: string): string {
  if (status === 401 || status === 403) return '. A token is taken from DAFL_TEACHER_TOKEN';
  if (status === 404 && !/\/v2\/models\/[^/]/.test(url))
    return '. The address of a model is http://host/v2/models/NAME';
  return '';
}

/** Seconds, or a date. */
function retryAfterMs(header: string | null): number {
  if (header === null) return 0;
  const milliseconds = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(milliseconds) ? milliseconds : 0;
}

async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MOST_BYTES)
      throw new DaflError(
        'MODEL',
        `Cannot read the answer of '${response.url}' as it must be below ${MOST_BYTES} bytes: current size is more`,
      );
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function describe(error: unknown): string {
  const { cause, message } = error as Error & { readonly cause?: { readonly code?: string } };
  return cause?.code ?? message;
}

async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  // An abort ends the pause; what comes after it looks at the signal.
  await setTimeout(milliseconds, undefined, { signal }).catch(() => undefined);
}

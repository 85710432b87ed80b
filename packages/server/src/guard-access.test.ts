import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestApp, createTestFolder, type TestApp } from './_test-app.ts';
import type { Problem } from './api.ts';

const token = 'correct-horse-battery-staple';
const folder = createTestFolder();
let test: TestApp;
beforeAll(async () => {
  test = await createTestApp(folder.path, { access: { token, allowedHosts: ['localhost', '127.0.0.1', '[::1]'] } });
});
afterAll(async () => {
  await test.close();
  folder.remove();
});

const id = '00000000-0000-4000-8000-000000000000';
const health = ['/v2/health/live', '/v2/health/ready'];
const paths = [
  '/v1/distillations',
  `/v1/distillations/${id}`,
  `/v1/distillations/${id}/cancel`,
  `/v1/distillations/${id}/events`,
  `/v1/distillations/${id}/student`,
  '/v1/uploads',
  `/v1/uploads/${id}`,
  '/',
  '/unknown',
  '/v2/health',
  '/v2/healthy/live',
];
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY'];
const authorization = `Bearer ${token}`;

async function ask(method: string, path: string, headers: Record<string, string>, host = 'localhost:8080') {
  const response = await test.app.request(`http://${host}${path}`, { method, headers });
  const text = await response.text();
  return {
    status: response.status,
    code: text.startsWith('{') ? (JSON.parse(text) as Problem).code : undefined,
    headers: response.headers,
  };
}

it.each(methods)('%s asks every route for the token', async (method) => {
  const wrong: Record<string, string>[] = [
    {},
    { authorization: '' },
    { authorization: 'Bearer' },
    { authorization: token },
    { authorization: `Basic ${token}` },
    { authorization: `Bearer ${token}x` },
    { authorization: `Bearer ${token.slice(0, -1)}` },
  ];
  for (const path of paths) {
    for (const headers of wrong) {
      const answer = await ask(method, path, headers);
      expect([path, headers, answer.status]).toEqual([path, headers, 401]);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="dafl"');
    }
    expect((await ask(method, path, { authorization })).status).not.toBe(401);
  }
  for (const path of health)
    expect((await ask(method, path, {})).status).toBe(method === 'GET' || method === 'HEAD' ? 200 : 405);
});

it.each(methods)('%s is denied to foreign hosts and origins, with the token too', async (method) => {
  for (const path of [...paths, ...health]) {
    for (const host of ['evil.example', 'localhost.evil.example:8080', '10.0.0.1', '[::2]:8080', 'localhost.']) {
      expect([path, host, (await ask(method, path, { authorization }, host)).status]).toEqual([path, host, 403]);
      expect([path, host, (await ask(method, path, { authorization, host })).status]).toEqual([path, host, 403]);
    }
    const foreign: Record<string, string>[] = [
      { origin: 'http://evil.example' },
      { origin: 'http://localhost:8081' },
      { origin: 'http://localhost' },
      { origin: 'http://127.0.0.1:8080' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ];
    for (const headers of foreign) {
      expect([path, headers, (await ask(method, path, { authorization, ...headers })).status]).toEqual([
        path,
        headers,
        403,
      ]);
    }
  }
});

it('takes the scheme of the token in any case', async () => {
  for (const scheme of ['bearer', 'BEARER', 'Bearer ']) {
    expect((await ask('GET', '/v1/distillations', { authorization: `${scheme} ${token}` })).status).toBe(200);
  }
});

it('lets pages of named origins ask, and no others', async () => {
  const place = createTestFolder();
  const origin = 'https://studio.example';
  const shared = await createTestApp(place.path, { access: { token, allowedOrigins: [origin] } });
  const send = async (method: string, headers: Record<string, string>) =>
    await shared.app.request('http://localhost/v1/distillations', { method, headers });
  const cross = { 'sec-fetch-site': 'cross-site' };
  const allowed = await send('GET', { origin, authorization, ...cross });
  expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([200, origin]);
  const preflight = await send('OPTIONS', { origin, 'access-control-request-method': 'POST', ...cross });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
  expect((await send('GET', { origin, ...cross })).status).toBe(401);
  for (const other of ['https://studio.example.evil', 'http://studio.example', 'null']) {
    expect((await send('OPTIONS', { origin: other, 'access-control-request-method': 'POST' })).status).toBe(403);
    expect((await send('GET', { origin: other, authorization })).status).toBe(403);
  }
  await shared.close();
  place.remove();
});

it('says what it denies', async () => {
  const detail = async (headers: Record<string, string>, host = 'localhost:8080') =>
    ((await (await test.app.request(`http://${host}/v1/distillations`, { headers })).json()) as Problem).detail;
  expect(await detail({}, 'evil.example')).toBe(
    "Cannot answer as 'Host' must be one of [localhost, 127.0.0.1, [::1]]: current value is 'evil.example'",
  );
  expect(await detail({ origin: 'http://evil.example' })).toBe(
    "Cannot answer as 'Origin' must be that of this server: current value is 'http://evil.example'",
  );
  expect(await detail({})).toBe("Cannot answer as 'Authorization' must be 'Bearer' and the server's token");
});

it('answers its own pages and clients that are no browsers', async () => {
  for (const host of ['localhost:8080', '127.0.0.1:8080', '[::1]:8080', 'LOCALHOST:8080']) {
    const origin = `http://${host.toLowerCase()}`;
    expect(
      (await ask('GET', '/v1/distillations', { authorization, host, origin, 'sec-fetch-site': 'same-origin' })).status,
    ).toBe(200);
    expect((await ask('GET', '/v1/distillations', { authorization }, host)).status).toBe(200);
  }
  expect((await ask('GET', '/v1/distillations', { authorization, 'sec-fetch-site': 'none' })).status).toBe(200);
});

import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createRandomStream, describeClassifier, initializeWeights } from '@dafl/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lenet5 } from '../architectures/lenet5.ts';
import { writeModel } from '../formats/native-model.ts';
import { teachers } from './_teachers.ts';
import { builtInTeacher, loadTeacher } from './built-in-teacher.ts';
import { listTeachers } from './list-teachers.ts';
import { loadTeacherRecord, readTeacherRecord } from './read-teacher-record.ts';

const model = initializeWeights(lenet5(), createRandomStream(0, 'weights'));
const bytes = writeModel(model);
const record = {
  command: 'dafl train',
  options: { epochs: 1 },
  seed: 0,
  accuracy: 0.1,
  machine: { cores: 2 },
  versions: { node: '24.0.0' },
  sha256: '0'.repeat(64),
};

let folder: string;
const at = (file: string): URL => pathToFileURL(join(folder, file));
const stored = (name: string) => ({ model: at(`${name}.safetensors`), record: at(`${name}.json`) });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dafl teachers '));
  writeFileSync(at('random.safetensors'), bytes);
  writeFileSync(at('random.json'), JSON.stringify(record));
  writeFileSync(at('cut.safetensors'), bytes.subarray(0, 5000));
  writeFileSync(at('cut.json'), '{"command":');
  writeFileSync(at('list.json'), '[]');
  writeFileSync(at('wrong.json'), JSON.stringify({ ...record, accuracy: 99 }));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a teacher', () => {
  test('is read from disk', async () => {
    expect(await loadTeacher(stored('random'))).toEqual(model);
    expect(await loadTeacherRecord(stored('random'))).toEqual(record);
  });

  test('is fetched over HTTP', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/random.safetensors') response.end(bytes);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    try {
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const remote = (name: string) => ({ model: new URL(`${origin}/${name}.safetensors`), record: new URL(origin) });
      expect(await loadTeacher(remote('random'))).toEqual(model);
      await expect(loadTeacher(remote('other'))).rejects.toMatchObject({
        code: 'STORAGE',
        message: `Cannot read built-in teacher as '${origin}/other.safetensors' must be readable: current error is 'HTTP status 404'`,
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test('names its file where it is missing or damaged', async () => {
    await expect(loadTeacher(stored('none'))).rejects.toMatchObject({
      name: 'DaflError',
      code: 'STORAGE',
      message: expect.stringMatching(/^Cannot read built-in teacher as 'file:.* must be readable: .*ENOENT/) as string,
    });
    await expect(loadTeacher(stored('cut'))).rejects.toMatchObject({
      code: 'MODEL',
      message: `Cannot read 'cut.safetensors' as safetensors as it must hold the ${bytes.length} bytes that its header names: current value is 5000 (cut off there)`,
    });
  });

  test.each([
    ['cut', `Cannot read 'cut.json' as a training record as it must be JSON: current value is '{"command":'`],
    ['list', "Cannot read 'list.json' as a training record as 'command' must be text: current value is []"],
    [
      'wrong',
      "Cannot read 'wrong.json' as a training record as 'accuracy' must be a number in [0, 1]: current value is 99",
    ],
  ])('rejects the record %s', async (name, message) => {
    await expect(loadTeacherRecord(stored(name))).rejects.toMatchObject({ code: 'MODEL', message });
  });

  test.each(['lenet6-mnist', '__proto__'])('%s is unknown', async (name) => {
    const expected = {
      code: 'USAGE',
      message: `Cannot load built-in teacher as its name must be one of [lenet5-mnist]: current value is '${name}'`,
    };
    await expect(builtInTeacher(name)).rejects.toMatchObject(expected);
    await expect(readTeacherRecord(name)).rejects.toMatchObject(expected);
  });
});

describe.each(listTeachers())('the stored teacher %s', (name) => {
  test('is a classifier, and the file that its record tells of', async () => {
    const teacher = await builtInTeacher(name);
    expect(describeClassifier(teacher.graph).classes).toBeGreaterThan(1);
    const { accuracy, sha256 } = await readTeacherRecord(name);
    const file = readFileSync(teachers.get(name)!.model);
    expect(createHash('sha256').update(file).digest('hex')).toBe(sha256);
    expect(Buffer.from(writeModel(teacher)).equals(file)).toBe(true);
    expect(accuracy).toBeGreaterThan(0);
  });
});

test('lenet5-mnist is LeNet-5, at 99.0 % or better', async () => {
  expect((await builtInTeacher('lenet5-mnist')).graph).toEqual(lenet5());
  expect((await readTeacherRecord('lenet5-mnist')).accuracy).toBeGreaterThanOrEqual(0.99);
});

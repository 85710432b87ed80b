/**
 * The packed packages in a process: imports the modules that its arguments name, distils the tiny teacher on cpu and on
 * wasm with files in between, leaves a teacher and data for the command line, and prints one line of JSON.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { createCpuBackend } from '@dafl/backend-cpu';
import { createWasmBackend } from '@dafl/backend-wasm';
import { writeModel } from '@dafl/models';
import { tinyData, tinyTeacher } from '../test-fixtures/tiny-teacher.ts';
import { distilTiny } from './distil-tiny.ts';

const [folder, ...modules] = process.argv.slice(2);
const empty: string[] = [];
for (const name of modules) {
  if (Object.keys((await import(name)) as object).length === 0) empty.push(name);
}

mkdirSync(`${folder}/data`, { recursive: true });
const throughFile = (name: string) => async (bytes: Uint8Array<ArrayBuffer>) => {
  writeFileSync(`${folder}/${name}.safetensors`, bytes);
  return readFileSync(`${folder}/${name}.safetensors`);
};
const cpu = await distilTiny(createCpuBackend(), throughFile('cpu'));
const wasm = await distilTiny(await createWasmBackend({ threads: 2 }), throughFile('wasm'));
const plainSimd = await createWasmBackend({ threads: 2, relaxedSimd: false });
const wasmPlainSimd = await distilTiny(plainSimd, throughFile('wasm-plain-simd'));

writeFileSync(`${folder}/teacher.safetensors`, writeModel(tinyTeacher()));
for (const [name, content] of tinyData()) writeFileSync(`${folder}/data/${name}`, content);
console.log(JSON.stringify({ empty, cpu, wasm, wasmPlainSimd }));

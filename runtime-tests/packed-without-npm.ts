/** Core, models and the cpu backend in a Deno that has no npm, no network and no permission. */
import { createCpuBackend } from '@dafl/backend-cpu';
import { distilTiny } from './distil-tiny.ts';

console.log(JSON.stringify(await distilTiny(createCpuBackend())));

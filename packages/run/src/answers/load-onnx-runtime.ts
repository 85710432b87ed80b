import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** The parts of onnxruntime's interface that are needed; both packages have it. */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(
      bytes: Uint8Array | string,
      options?: { readonly externalData?: readonly { readonly path: string; readonly data: Uint8Array }[] },
    ): Promise<OnnxSession>;
  };
  readonly Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => unknown;
}

/** A model that onnxruntime has read. */
export interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly inputMetadata: readonly { readonly type?: string; readonly shape?: readonly (number | string)[] }[];
  run(feeds: Record<string, unknown>): Promise<Record<string, { readonly data: ArrayLike<number> }>>;
  release(): Promise<void>;
}

/** Onnxruntime, as it is installed. */
export interface InstalledOnnxRuntime {
  readonly name: 'onnxruntime-node' | 'onnxruntime-web';
  readonly runtime: OnnxRuntime;
}

/** In the order in which they are looked for: the native one is faster. */
const PACKAGES = ['onnxruntime-node', 'onnxruntime-web'] as const;

/** Onnxruntime, native or as WebAssembly; undefined where neither is installed. */
export async function loadOnnxRuntime(): Promise<InstalledOnnxRuntime | undefined> {
  const { resolve } = createRequire(import.meta.url);
  for (const name of PACKAGES) {
    let file: string;
    try {
      file = resolve(name);
    } catch {
      continue;
    }
    return { name, runtime: (await import(pathToFileURL(file).href)) as OnnxRuntime };
  }
  return undefined;
}

import { DaflError } from '@dafl/core';
import { BufferPool, type PooledBuffer } from './buffer-pool.ts';
import { GPU_CONSTANTS } from './gpu-constants.ts';
import { type Kernel, renderKernel } from './kernel.ts';

/** One run of a kernel. */
export interface Launch {
  /** Names the kernel and everything that `build` depends on: kernels with the same key are compiled once. */
  readonly key: string;
  readonly build: () => Kernel;
  readonly reads: readonly PooledBuffer[];
  /** None of them may be among `reads`. */
  readonly writes: readonly PooledBuffer[];
  readonly uniforms: Readonly<Record<string, number>>;
  /** How many workgroups. 0 runs nothing. */
  readonly workgroups: number;
}

interface CompiledKernel {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly layoutKey: string;
  readonly uniforms: readonly (readonly [name: string, type: string])[];
}

/** Runs that are submitted together. Few enough that the GPU is at work while further ones are recorded. */
const LARGEST_BATCH = 128;
/** The least distance between uniforms that every device takes, and more than any kernel needs. */
const UNIFORM_BYTES = 256;
const MOST_BIND_GROUPS = 4096;

/**
 * How `count` workgroups are laid out in two dimensions, of which neither may be longer than `longest`.
 *
 * @returns Width and height; their product is at least `count`.
 */
export function foldWorkgroups(count: number, longest: number): readonly [width: number, height: number] {
  const height = Math.ceil(count / longest);
  return [Math.ceil(count / height), height];
}

/**
 * Records kernels and submits them in batches, in the order in which they were given: at a read, and when a batch is
 * full. Uniforms of a batch lie in one buffer, which the device fills before the batch runs.
 */
export class CommandQueue {
  readonly pool: BufferPool;
  readonly #device: GPUDevice;
  readonly #longestDimension: number;
  readonly #readbacks: BufferPool;
  readonly #kernels = new Map<string, CompiledKernel>();
  readonly #layouts = new Map<string, { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout }>();
  readonly #bindGroups = new Map<string, GPUBindGroup>();
  readonly #uniformBuffer: GPUBuffer;
  readonly #uniforms = new ArrayBuffer(LARGEST_BATCH * UNIFORM_BYTES);
  readonly #uniformWords = new Uint32Array(this.#uniforms);
  readonly #uniformIntegers = new Int32Array(this.#uniforms);
  readonly #uniformFloats = new Float32Array(this.#uniforms);
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  #recorded = 0;
  #batch = 0;
  #isClosed = false;
  /** What went wrong on the device; every later read rejects with it. */
  #failure: DaflError | null = null;

  /**
   * @param longestDimension Most workgroups in one dimension; default what the device takes.
   */
  constructor(device: GPUDevice, longestDimension: number = device.limits.maxComputeWorkgroupsPerDimension) {
    this.#device = device;
    this.#longestDimension = longestDimension;
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ, UNIFORM } = GPU_CONSTANTS;
    const onTrim = (): void => {
      this.submit();
      this.#bindGroups.clear();
    };
    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
    this.pool = new BufferPool({
      device,
      usage: STORAGE | COPY_SRC | COPY_DST,
      maximumBytes: Math.min(maxBufferSize, maxStorageBufferBindingSize),
      onTrim,
    });
    this.#readbacks = new BufferPool({ device, usage: MAP_READ | COPY_DST, maximumBytes: maxBufferSize, onTrim });
    this.#uniformBuffer = device.createBuffer({ size: this.#uniforms.byteLength, usage: UNIFORM | COPY_DST });
    void this.#watchLoss();
    device.addEventListener('uncapturederror', (event) => {
      // A page would print it besides.
      event.preventDefault();
      // Deno types it as a plain event.
      const { error } = event as unknown as { readonly error: GPUError };
      // By name: Node has no such class in its global scope.
      const isOutOfMemory = error.constructor.name === 'GPUOutOfMemoryError';
      const rule = isOutOfMemory ? 'it must have memory for all live tensors' : 'it must take its commands';
      this.#fail(`Cannot compute on the GPU as ${rule}: current error is ${error.message}`);
    });
  }

  /** Number of the batch that is being recorded. */
  get batch(): number {
    return this.#batch;
  }

  /** Throws what went wrong on the device, if anything did. */
  check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** Records one run. */
  run(launch: Launch): void {
    if (launch.workgroups === 0) return;
    const kernel = this.#compile(launch);
    const bindGroup = this.#bind(kernel, launch);
    const word = this.#recorded * (UNIFORM_BYTES / 4);
    for (let i = 0; i < kernel.uniforms.length; i++) {
      const [name, type] = kernel.uniforms[i];
      const value = launch.uniforms[name];
      if (type === 'f32') this.#uniformFloats[word + i] = value;
      else if (type === 'i32') this.#uniformIntegers[word + i] = value;
      else this.#uniformWords[word + i] = value;
    }
    this.#encoder ??= this.#device.createCommandEncoder();
    this.#pass ??= this.#encoder.beginComputePass();
    this.#pass.setPipeline(kernel.pipeline);
    this.#pass.setBindGroup(0, bindGroup, [this.#recorded * UNIFORM_BYTES]);
    this.#pass.dispatchWorkgroups(...foldWorkgroups(launch.workgroups, this.#longestDimension));
    for (const pooled of launch.reads) pooled.batch = this.#batch;
    for (const pooled of launch.writes) pooled.batch = this.#batch;
    this.#recorded += 1;
    if (this.#recorded === LARGEST_BATCH) this.submit();
  }

  /** Copies data into a buffer. */
  upload(target: PooledBuffer, data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>): void {
    if (data.length === 0) return;
    // The copy runs before what is recorded, which may still need what the buffer held.
    if (target.batch === this.#batch) this.submit();
    this.#device.queue.writeBuffer(target.buffer, 0, data);
  }

  /**
   * Waits for a buffer's content and copies its first `bytes` bytes, a multiple of 4.
   *
   * @throws {DaflError} If the device was lost or ran out of memory meanwhile.
   */
  async download(source: PooledBuffer, bytes: number): Promise<ArrayBuffer> {
    this.check();
    if (bytes === 0) return new ArrayBuffer(0);
    const target = this.#readbacks.take(bytes, 'a copy to read');
    try {
      this.#endPass();
      this.#encoder ??= this.#device.createCommandEncoder();
      this.#encoder.copyBufferToBuffer(source.buffer, 0, target.buffer, 0, bytes);
      this.submit();
      await target.buffer.mapAsync(GPU_CONSTANTS.MAP_MODE_READ, 0, bytes);
    } catch (error) {
      if (this.#isClosed) {
        throw new DaflError(
          'USAGE',
          'Cannot read a tensor as the webgpu backend must stay open until it is read: current state is closed',
          { cause: error },
        );
      }
      // A lost device tells so after it has rejected the copies.
      await Promise.race([this.#device.lost, this.#device.queue.onSubmittedWorkDone()]);
      this.check();
      const message = error instanceof Error ? error.message : String(error);
      throw new DaflError(
        'OUT_OF_MEMORY',
        `Cannot read a tensor as the GPU must finish its commands: current error is ${message}`,
        { cause: error },
      );
    }
    const data = target.buffer.getMappedRange(0, bytes).slice(0);
    target.buffer.unmap();
    if (!this.#isClosed) this.#readbacks.give(target);
    // Whatever failed is reported before the map is resolved.
    this.check();
    return data;
  }

  /** Hands what was recorded to the device. */
  submit(): void {
    this.#endPass();
    if (this.#encoder === null) return;
    const commands = this.#encoder.finish();
    this.#encoder = null;
    if (this.#recorded > 0) {
      this.#device.queue.writeBuffer(this.#uniformBuffer, 0, this.#uniforms, 0, this.#recorded * UNIFORM_BYTES);
    }
    this.#device.queue.submit([commands]);
    this.#recorded = 0;
    this.#batch += 1;
  }

  /** Destroys the device and all that is on it. */
  close(): void {
    this.#isClosed = true;
    this.#endPass();
    this.#encoder = null;
    this.#bindGroups.clear();
    this.#kernels.clear();
    this.#layouts.clear();
    this.#device.destroy();
  }

  async #watchLoss(): Promise<void> {
    const { message, reason } = await this.#device.lost;
    if (this.#isClosed) return;
    this.#fail(`Cannot use the GPU as its device must not be lost: current reason is ${message || reason}`);
  }

  #fail(message: string): void {
    this.#failure ??= new DaflError('OUT_OF_MEMORY', message);
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = null;
  }

  #compile(launch: Launch): CompiledKernel {
    const known = this.#kernels.get(launch.key);
    if (known !== undefined) return known;
    const kernel = launch.build();
    const reads = Object.keys(kernel.reads).length;
    const writes = Object.keys(kernel.writes).length;
    const layout = this.#layout(reads, writes);
    const code = renderKernel(kernel);
    const module = this.#device.createShaderModule({ label: launch.key, code });
    const compiled: CompiledKernel = {
      pipeline: this.#device.createComputePipeline({
        label: launch.key,
        layout: layout.pipeline,
        compute: { module, entryPoint: 'main' },
      }),
      layout: layout.group,
      layoutKey: `${reads} ${writes}`,
      uniforms: Object.entries(kernel.uniforms),
    };
    this.#kernels.set(launch.key, compiled);
    return compiled;
  }

  #layout(reads: number, writes: number): { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout } {
    const key = `${reads} ${writes}`;
    const known = this.#layouts.get(key);
    if (known !== undefined) return known;
    const visibility = GPU_CONSTANTS.SHADER_STAGE_COMPUTE;
    const entries: GPUBindGroupLayoutEntry[] = [
      { binding: 0, visibility, buffer: { type: 'uniform', hasDynamicOffset: true } },
    ];
    for (let i = 0; i < reads + writes; i++) {
      entries.push({ binding: i + 1, visibility, buffer: { type: i < reads ? 'read-only-storage' : 'storage' } });
    }
    const group = this.#device.createBindGroupLayout({ entries });
    const layout = { group, pipeline: this.#device.createPipelineLayout({ bindGroupLayouts: [group] }) };
    this.#layouts.set(key, layout);
    return layout;
  }

  #bind(kernel: CompiledKernel, launch: Launch): GPUBindGroup {
    const pooled = [...launch.reads, ...launch.writes];
    let key = kernel.layoutKey;
    for (const { id } of pooled) key += ` ${id}`;
    const known = this.#bindGroups.get(key);
    if (known !== undefined) return known;
    if (this.#bindGroups.size === MOST_BIND_GROUPS) this.#bindGroups.clear();
    const bindGroup = this.#device.createBindGroup({
      layout: kernel.layout,
      entries: [
        { binding: 0, resource: { buffer: this.#uniformBuffer, size: UNIFORM_BYTES } },
        ...pooled.map(({ buffer }, i) => ({ binding: i + 1, resource: { buffer } })),
      ],
    });
    this.#bindGroups.set(key, bindGroup);
    return bindGroup;
  }
}

/** The type of a number in a kernel's uniforms. */
export type UniformType = 'u32' | 'i32' | 'f32';

/** The type of the elements of an array. Movements copy bits and know no type but `u32`. */
export type ElementType = 'f32' | 'u32' | 'i32' | 'vec2f';

/** A compute shader without the declarations that follow from its lists. */
export interface Kernel {
  /** Numbers given with each run, as `u.name`. */
  readonly uniforms: Readonly<Record<string, UniformType>>;
  /** Arrays it reads, in the order of `Launch.reads`. */
  readonly reads: Readonly<Record<string, ElementType>>;
  /** Arrays it writes, in the order of `Launch.writes`. */
  readonly writes: Readonly<Record<string, ElementType>>;
  /** Invocations of a workgroup. */
  readonly workgroupSize: number;
  /** Functions and workgroup variables at module scope. */
  readonly declarations?: string;
  /**
   * Body of the entry point. `group` counts workgroups, `lane` the invocations of one. There may be more workgroups
   * than were asked for, as more than 65535 are folded into a rectangle.
   */
  readonly body: string;
}

/** Elements that one invocation of an element-wise kernel handles. */
const ELEMENTS_PER_INVOCATION = 4;
const WORKGROUP_SIZE = 256;

/** Elements that one workgroup of an element-wise kernel handles. */
export const ELEMENTS_PER_WORKGROUP: number = ELEMENTS_PER_INVOCATION * WORKGROUP_SIZE;

/**
 * A kernel that runs `perElement` for each `i` below the uniform `count`. Neighbouring invocations have neighbouring
 * elements, so that their accesses fall together.
 */
export function elementKernel(parts: Omit<Kernel, 'workgroupSize' | 'body'> & { readonly perElement: string }): Kernel {
  const { perElement, uniforms, ...rest } = parts;
  return {
    ...rest,
    uniforms: { count: 'u32', ...uniforms },
    workgroupSize: WORKGROUP_SIZE,
    body: `
  for (var step = 0u; step < ${ELEMENTS_PER_INVOCATION}u; step++) {
    let i = group * ${ELEMENTS_PER_WORKGROUP}u + step * ${WORKGROUP_SIZE}u + lane;
    if (i < u.count) {
      ${perElement}
    }
  }`,
  };
}

/** The whole shader. */
export function renderKernel(kernel: Kernel): string {
  const arrays = [
    ...Object.entries(kernel.reads).map(([name, type]) => ({ name, type, access: 'read' })),
    ...Object.entries(kernel.writes).map(([name, type]) => ({ name, type, access: 'read_write' })),
  ];
  return `
struct Uniforms {
${Object.entries(kernel.uniforms)
  .map(([name, type]) => `  ${name}: ${type},`)
  .join('\n')}
}
@group(0) @binding(0) var<uniform> u: Uniforms;
${arrays
  .map(({ name, type, access }, i) => `@group(0) @binding(${i + 1}) var<storage, ${access}> ${name}: array<${type}>;`)
  .join('\n')}
${kernel.declarations ?? ''}
@compute @workgroup_size(${kernel.workgroupSize})
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = workgroup.x + workgroup.y * workgroups.x;
${kernel.body}
}
`;
}

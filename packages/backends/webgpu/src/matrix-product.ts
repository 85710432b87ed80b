import type { PooledBuffer } from './buffer-pool.ts';
import type { CommandQueue } from './command-queue.ts';
import { elementKernel, ELEMENTS_PER_WORKGROUP, type ElementType, type UniformType } from './kernel.ts';
import type { WithTemporary } from './reduction.ts';

/** One side of a product, as shader text. */
export interface Operand {
  readonly key: string;
  /**
   * Declares a struct and two functions, under the names that `side` ('Left' or 'Right') gives:
   * `struct LeftQuad`, what is known of four neighbouring rows (or columns) before the depth is;
   * `prepareLeft(group: u32, first: u32) -> LeftQuad`;
   * `loadLeft(quad: LeftQuad, k: u32) -> vec4f`, the four elements at depth k, with 0 beyond the last row or column.
   */
  readonly declarations: string;
  /** The axis along which its elements lie side by side in memory, which neighbouring invocations should read. */
  readonly contiguous: 'depth' | 'quads';
  /** Its array, by the name that the declarations use. */
  readonly reads: Readonly<Record<string, ElementType>>;
  readonly buffer: PooledBuffer;
  readonly uniforms: Readonly<Record<string, readonly [type: UniformType, value: number]>>;
}

/** Where results go. */
export interface ProductOutput {
  readonly buffer: PooledBuffer;
  /** Added to each row: as many elements as there are columns in all groups. */
  readonly bias: PooledBuffer | null;
  /** Elements from one row to the next; those of one group of columns follow those of the group before. */
  readonly rowStride: number;
  /** Shader text of an own `fn placeOf(row: u32) -> u32`, the place of a row's first element, with its uniforms. */
  readonly placing?: {
    readonly key: string;
    readonly declarations: string;
    readonly uniforms: Readonly<Record<string, readonly [type: UniformType, value: number]>>;
  };
}

/** Sizes of a product; each group has its own of both operands. */
export interface ProductSizes {
  readonly rows: number;
  readonly depth: number;
  readonly columns: number;
  readonly groups: number;
}

/** A way to cut a product into tiles. */
interface Tiling {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** Quads of rows and of columns of which each invocation computes the elements, 4 x 4 for each pair. */
  readonly quads: readonly [rows: number, columns: number];
  /** Estimated speed of a full tile against the best tiling: smaller tiles read more for each product. */
  readonly efficiency: number;
}

const TILINGS: readonly Tiling[] = [
  { rows: 64, columns: 64, depth: 16, quads: [2, 2], efficiency: 1 },
  { rows: 128, columns: 32, depth: 16, quads: [2, 2], efficiency: 0.95 },
  { rows: 32, columns: 32, depth: 16, quads: [1, 1], efficiency: 0.7 },
  { rows: 128, columns: 16, depth: 16, quads: [2, 1], efficiency: 0.8 },
  { rows: 32, columns: 16, depth: 32, quads: [1, 1], efficiency: 0.6 },
  { rows: 256, columns: 8, depth: 8, quads: [2, 1], efficiency: 0.65 },
  { rows: 256, columns: 4, depth: 8, quads: [2, 1], efficiency: 0.45 },
  { rows: 64, columns: 4, depth: 16, quads: [1, 1], efficiency: 0.4 },
];

/** Workgroups that keep a large GPU busy. A product with fewer tiles is split along its depth. */
const WANTED_WORKGROUPS = 256;
const SMALLEST_SPLIT_DEPTH = 256;
/** Longer sums lose digits in float32. */
const LARGEST_SPLIT_DEPTH = 8192;

function chooseTiling({ rows, columns }: ProductSizes): Tiling {
  const costOf = (tiling: Tiling): number =>
    (Math.ceil(rows / tiling.rows) * tiling.rows * Math.ceil(columns / tiling.columns) * tiling.columns) /
    tiling.efficiency;
  return TILINGS.reduce((best, tiling) => (costOf(tiling) < costOf(best) ? tiling : best));
}

/**
 * output[row, column] = sum over k of left[row, k] x right[k, column], for each group.
 *
 * Workgroups hold a tile of either operand in shared memory and step along the depth; invocations hold up to 8 x 8 sums
 * in registers. Products of few tiles and great depth are split along it, and a second pass adds the parts in order.
 */
export function runMatrixProduct(
  queue: CommandQueue,
  sizes: ProductSizes,
  left: Operand,
  right: Operand,
  output: ProductOutput,
  withTemporary: WithTemporary,
): void {
  const { rows, depth, columns, groups } = sizes;
  if (rows === 0 || columns === 0) return;
  const tiling = chooseTiling(sizes);
  const rowTiles = Math.ceil(rows / tiling.rows);
  const columnTiles = Math.ceil(columns / tiling.columns);
  const tiles = rowTiles * columnTiles * groups;
  const wantedSplits = Math.max(
    Math.min(Math.ceil(WANTED_WORKGROUPS / tiles), Math.floor(depth / SMALLEST_SPLIT_DEPTH)),
    Math.ceil(depth / LARGEST_SPLIT_DEPTH),
    1,
  );
  // Rows that have a place of their own are not split.
  const depthPerSplit =
    output.placing === undefined
      ? Math.ceil(depth / wantedSplits / tiling.depth) * tiling.depth
      : Math.ceil(depth / tiling.depth) * tiling.depth;
  const splits = depth === 0 ? 1 : Math.ceil(depth / depthPerSplit);

  const launch = (target: ProductOutput, isPartial: boolean): void => {
    const { bias, placing } = target;
    const extra = { ...left.uniforms, ...right.uniforms, ...placing?.uniforms };
    const own = {
      rows,
      depth,
      columns,
      groups,
      rowTiles,
      columnTiles,
      splits,
      depthPerSplit,
      rowStride: target.rowStride,
      splitStride: isPartial ? rows * columns * groups : 0,
    };
    queue.run({
      key:
        `product ${tiling.rows} ${tiling.columns} ${left.key} ${right.key} ` +
        `${placing?.key ?? 'rows'} ${bias === null ? '' : 'bias'}`,
      build: () => ({
        uniforms: {
          ...Object.fromEntries(Object.keys(own).map((name) => [name, 'u32' as const])),
          ...Object.fromEntries(Object.entries(extra).map(([name, [type]]) => [name, type])),
        },
        reads: { ...left.reads, ...right.reads, ...(bias === null ? {} : { bias: 'f32' as const }) },
        writes: { output: 'f32' },
        ...productShader(tiling, left, right, placing?.declarations ?? ROWS_IN_ORDER, bias !== null),
      }),
      reads: [left.buffer, right.buffer, ...(bias === null ? [] : [bias])],
      writes: [target.buffer],
      uniforms: { ...own, ...Object.fromEntries(Object.entries(extra).map(([name, [, value]]) => [name, value])) },
      workgroups: tiles * splits,
    });
  };

  if (splits === 1) {
    launch(output, false);
    return;
  }
  const width = columns * groups;
  withTemporary(splits * rows * width, (partials) => {
    launch({ buffer: partials, bias: null, rowStride: width }, true);
    runCombine(queue, partials, output, { count: rows * width, width, splits });
  });
}

const ROWS_IN_ORDER = 'fn placeOf(row: u32) -> u32 { return row * u.rowStride; }';

/** Adds the parts of a product that was split along its depth. */
function runCombine(
  queue: CommandQueue,
  partials: PooledBuffer,
  { buffer, bias }: ProductOutput,
  sizes: { readonly count: number; readonly width: number; readonly splits: number },
): void {
  queue.run({
    key: `combine ${bias === null ? '' : 'bias'}`,
    build: () =>
      elementKernel({
        uniforms: { width: 'u32', splits: 'u32' },
        reads: { partials: 'f32', ...(bias === null ? {} : { bias: 'f32' as const }) },
        writes: { output: 'f32' },
        perElement: `
      var total = 0.0;
      for (var split = 0u; split < u.splits; split++) { total += partials[split * u.count + i]; }
      output[i] = total${bias === null ? '' : ' + bias[i % u.width]'};`,
      }),
    reads: [partials, ...(bias === null ? [] : [bias])],
    writes: [buffer],
    uniforms: { ...sizes },
    workgroups: Math.ceil(sizes.count / ELEMENTS_PER_WORKGROUP),
  });
}

/** Lines that bring one operand's tile into shared memory: what to do before the loop over the depth, and within. */
function tileLoads(
  side: 'Left' | 'Right',
  operand: Operand,
  length: number,
  tiling: Tiling,
  threads: number,
): { readonly before: string; readonly within: string } {
  const quads = length / 4;
  const total = quads * tiling.depth;
  const before: string[] = [];
  const within: string[] = [];
  for (let load = 0; load * threads < total; load++) {
    const name = `${side}${load}`;
    const index = `lane + ${load * threads}u`;
    const isDepthFast = operand.contiguous === 'depth';
    const quad = isDepthFast ? `(${index}) / ${tiling.depth}u` : `(${index}) % ${quads}u`;
    const k = isDepthFast ? `(${index}) % ${tiling.depth}u` : `(${index}) / ${quads}u`;
    before.push(
      `let quad${name} = ${quad};`,
      `let depth${name} = ${k};`,
      `let prepared${name} = prepare${side}(part, first${side} + quad${name} * 4u);`,
    );
    const line = `tile${side}[depth${name} * ${quads + 1}u + quad${name}] = load${side}OrZero(prepared${name}, start + depth${name}, end);`;
    within.push((load + 1) * threads > total ? `if (${index} < ${total}u) { ${line} }` : line);
  }
  return { before: before.join('\n  '), within: within.join('\n    ') };
}

/** Steps along the depth in one round of the innermost loop. */
const UNROLLED = [0, 1];

function productShader(
  tiling: Tiling,
  left: Operand,
  right: Operand,
  placing: string,
  hasBias: boolean,
): { readonly workgroupSize: number; readonly declarations: string; readonly body: string } {
  const leftQuads = tiling.rows / 4;
  const rightQuads = tiling.columns / 4;
  const [ownRows, ownColumns] = tiling.quads;
  const threadRows = leftQuads / ownRows;
  const threadColumns = rightQuads / ownColumns;
  const threads = threadRows * threadColumns;
  const leftLoads = tileLoads('Left', left, tiling.rows, tiling, threads);
  const rightLoads = tileLoads('Right', right, tiling.columns, tiling, threads);
  const components = ['x', 'y', 'z', 'w'];
  const orZero = (side: 'Left' | 'Right'): string => `
fn load${side}OrZero(quad: ${side}Quad, k: u32, end: u32) -> vec4f {
  if (k >= end) { return vec4f(); }
  return load${side}(quad, k);
}`;
  const rowQuads = Array.from({ length: ownRows }, (_, quad) => quad);
  const columnQuads = Array.from({ length: ownColumns }, (_, quad) => quad);
  const sums = rowQuads.flatMap((rowQuad) =>
    columnQuads.flatMap((columnQuad) =>
      components.map((component, i) => ({ name: `sum${rowQuad}${columnQuad}${i}`, rowQuad, columnQuad, component, i })),
    ),
  );
  const operands = UNROLLED.flatMap((step) => [
    ...rowQuads.map(
      (quad) => `let a${step}${quad} = tileLeft[(k + ${step}u) * ${leftQuads + 1}u + row + ${quad * threadRows}u];`,
    ),
    ...columnQuads.map(
      (quad) =>
        `let b${step}${quad} = tileRight[(k + ${step}u) * ${rightQuads + 1}u + column + ${quad * threadColumns}u];`,
    ),
  ]);
  // Sums are read and written once in several steps.
  const products = sums.map(({ name, rowQuad, columnQuad, component }) => {
    const terms = UNROLLED.map((step) => `a${step}${rowQuad}.${component} * b${step}${columnQuad}`);
    return `${name} = ${terms.reduce((sum, term) => `${term} + (${sum})`, name)};`;
  });
  const store = components.map(
    (component, j) =>
      `      if (firstColumn + ${j}u < u.columns) { output[place + ${j}u] = sum.${component}${hasBias ? ` + bias[part * u.columns + firstColumn + ${j}u]` : ''}; }`,
  );
  return {
    workgroupSize: threads,
    // A quad more than needed in each line, so that neighbouring lines begin in different banks.
    declarations: `
var<workgroup> tileLeft: array<vec4f, ${(leftQuads + 1) * tiling.depth}>;
var<workgroup> tileRight: array<vec4f, ${(rightQuads + 1) * tiling.depth}>;
${left.declarations}
${right.declarations}
${placing}
${orZero('Left')}
${orZero('Right')}
fn store(part: u32, row: u32, firstColumn: u32, offset: u32, sum: vec4f) {
  if (row >= u.rows) { return; }
  let place = offset + placeOf(row) + part * u.columns + firstColumn;
${store.join('\n')}
}`,
    body: `
  let columnTile = group % u.columnTiles;
  let rowTile = (group / u.columnTiles) % u.rowTiles;
  let split = (group / (u.columnTiles * u.rowTiles)) % u.splits;
  let part = group / (u.columnTiles * u.rowTiles * u.splits);
  if (part >= u.groups) { return; }
  let firstLeft = rowTile * ${tiling.rows}u;
  let firstRight = columnTile * ${tiling.columns}u;
  let begin = split * u.depthPerSplit;
  let end = min(begin + u.depthPerSplit, u.depth);
  let row = lane / ${threadColumns}u;
  let column = lane % ${threadColumns}u;
  ${leftLoads.before}
  ${rightLoads.before}
${sums.map(({ name }) => `  var ${name} = vec4f();`).join('\n')}
  for (var start = begin; start < end; start += ${tiling.depth}u) {
    ${leftLoads.within}
    ${rightLoads.within}
    workgroupBarrier();
    for (var k = 0u; k < ${tiling.depth}u; k += ${UNROLLED.length}u) {
      ${[...operands, ...products].join('\n      ')}
    }
    workgroupBarrier();
  }
  let offset = split * u.splitStride;
${sums
  .map(({ name, rowQuad, columnQuad, i }) => {
    const rowPlace = `firstLeft + (row + ${rowQuad * threadRows}u) * 4u + ${i}u`;
    const columnPlace = `firstRight + (column + ${columnQuad * threadColumns}u) * 4u`;
    return `  store(part, ${rowPlace}, ${columnPlace}, offset, ${name});`;
  })
  .join('\n')}`,
  };
}

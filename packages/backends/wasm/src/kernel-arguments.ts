/**
 * The kernels and their arguments: the one place where these are declared.
 *
 * A kernel is named as its function in `assembly/` is. Its number is its place in this list, and its arguments lie in
 * memory in the order given here, those that it shares with others first, four bytes each. TypeScript launches a kernel
 * with an object of these names (`KernelRunner.run`). For AssemblyScript, `scripts/build-kernels.ts` makes a class of them
 * (`FillArguments`, ...) and the function that calls a kernel by its number.
 *
 * Types: an `address` is that of a tensor or of working memory, 0 where one may be missing and is; `bytes` is a distance
 * or a size in memory; an `integer` may be a truth value; a `float` has single precision. Sizes and strides count elements
 * unless they are bytes.
 *
 * The work of a launch is cut into chunks, which threads take one by one. Arguments `...PerChunk` say how much of what
 * one chunk has; the last may have less.
 */

/** How an argument is stored. */
export type ArgumentType = 'address' | 'bytes' | 'integer' | 'float';

/** Arguments that several kernels begin with, so that functions of `assembly/` can serve all of them. */
export const sharedArguments = {
  /** Of a kernel that treats each element alone. */
  element: {
    count: 'integer',
    chunkSize: 'integer',
  },

  /** Of a kernel that packs B, the right side of a product; see `assembly/gemm.ts`. */
  packing: {
    source: 'address',
    target: 'address',
    /** One float for each column, or 0. */
    bias: 'address',
    // The rows of B are numbered by three indices, so that a filter can be read flipped, in part or transposed.
    size0: 'integer',
    size1: 'integer',
    size2: 'integer',
    /** Strides may be negative. */
    stride0: 'integer',
    stride1: 'integer',
    stride2: 'integer',
    columns: 'integer',
    columnStride: 'integer',
  },

  /** Of a kernel that reads images through the taps of a filter, one group's channels at a time. */
  convolution: {
    input: 'address',
    batch: 'integer',
    height: 'integer',
    width: 'integer',
    /** Channels of a pixel in memory. */
    pixelChannels: 'integer',
    /** The channels in use. */
    firstChannel: 'integer',
    channels: 'integer',
    outputRows: 'integer',
    outputColumns: 'integer',
    strideDown: 'integer',
    strideAcross: 'integer',
    tapsDown: 'integer',
    tapsAcross: 'integer',
    dilationDown: 'integer',
    dilationAcross: 'integer',
    /** Zeros above and left; negative where the first rows or columns are not used. */
    top: 'integer',
    left: 'integer',
    /** Columns of B: output channels. */
    columns: 'integer',
    imagesPerChunk: 'integer',
    /** Whether rows of the images are copied, with zeros around them. */
    isCopied: 'integer',
    /** Working memory, so many bytes for each thread. */
    scratch: 'address',
    scratchBytes: 'bytes',
  },

  /** Of a convolution with one filter a channel, and its gradients. */
  depthwiseConvolution: {
    batch: 'integer',
    height: 'integer',
    width: 'integer',
    channels: 'integer',
    outputHeight: 'integer',
    outputWidth: 'integer',
    strideDown: 'integer',
    strideAcross: 'integer',
    tapsDown: 'integer',
    tapsAcross: 'integer',
    dilationDown: 'integer',
    dilationAcross: 'integer',
    /** Zeros above and left. */
    top: 'integer',
    left: 'integer',
    imagesPerChunk: 'integer',
  },

  /** Of a pooling and its gradient. */
  pooling: {
    batch: 'integer',
    height: 'integer',
    width: 'integer',
    channels: 'integer',
    outputHeight: 'integer',
    outputWidth: 'integer',
    windowHeight: 'integer',
    windowWidth: 'integer',
    strideDown: 'integer',
    strideAcross: 'integer',
    /** Padding above and left. */
    top: 'integer',
    left: 'integer',
    imagesPerChunk: 'integer',
  },

  /** Of nearest upsampling and its gradient. Rows are those of all small images. */
  upsampling: {
    rows: 'integer',
    width: 'integer',
    channels: 'integer',
    factorDown: 'integer',
    factorAcross: 'integer',
    rowsPerChunk: 'integer',
  },

  /** Of upsampling and convolution in one, and its gradients; see `assembly/upsample-convolution.ts`. */
  upsampleConvolution: {
    /** The small image or its gradient. */
    small: 'address',
    /** The output, of twice the height and width, or its gradient. */
    large: 'address',
    batch: 'integer',
    /** Height and width of the small image. */
    height: 'integer',
    width: 'integer',
    /** Channels of the small image and of the output. */
    inputs: 'integer',
    outputs: 'integer',
    imagesPerBlock: 'integer',
    /** Rows of tiles. */
    rowsPerBlock: 'integer',
    /** Zeros at the start of the working memory: enough for a row of either image and for a row of tiles. */
    zeroBytes: 'bytes',
    /** Working memory, so many bytes for each thread. */
    scratch: 'address',
    scratchBytes: 'bytes',
  },
} as const;

/** The kernels: what a kernel shares, if anything, and its own arguments. */
export const kernelArguments = {
  // --- element-wise ---

  fill: {
    shared: 'element',
    own: {
      output: 'address',
      /** The bits of the float or of the integer that each element is set to. */
      bits: 'integer',
    },
  },
  unary: {
    shared: 'element',
    own: {
      /** `UNARY_...` */
      operation: 'integer',
      input: 'address',
      output: 'address',
    },
  },
  binary: {
    shared: 'element',
    own: {
      /** `BINARY_...` */
      operation: 'integer',
      /** `FORM_...` */
      form: 'integer',
      left: 'address',
      right: 'address',
      output: 'address',
      /** Length of a row: a multiple of 4 in the row forms. Chunks are whole rows. */
      period: 'integer',
    },
  },
  affine: {
    shared: 'element',
    own: { input: 'address', output: 'address', factor: 'float', summand: 'float' },
  },
  leakyRelu: {
    shared: 'element',
    own: { input: 'address', output: 'address', slope: 'float' },
  },
  leakyReluGradient: {
    shared: 'element',
    own: { outputGradient: 'address', reluOutput: 'address', output: 'address', slope: 'float' },
  },
  clip: {
    shared: 'element',
    own: { input: 'address', output: 'address', low: 'float', high: 'float' },
  },
  clipGradient: {
    shared: 'element',
    own: { outputGradient: 'address', input: 'address', output: 'address', low: 'float', high: 'float' },
  },
  gelu: {
    shared: 'element',
    own: { input: 'address', output: 'address' },
  },
  geluGradient: {
    shared: 'element',
    own: { outputGradient: 'address', input: 'address', output: 'address' },
  },
  /** One chunk. */
  oneHot: {
    own: {
      /** Integers. */
      indices: 'address',
      /** All zeros. */
      output: 'address',
      count: 'integer',
      depth: 'integer',
    },
  },
  /** Parameter and moments of Adam, old and new. */
  adam: {
    shared: 'element',
    own: {
      parameter: 'address',
      gradient: 'address',
      firstMoment: 'address',
      secondMoment: 'address',
      newParameter: 'address',
      newFirstMoment: 'address',
      newSecondMoment: 'address',
      stepSize: 'float',
      beta1: 'float',
      oneMinusBeta1: 'float',
      beta2: 'float',
      oneMinusBeta2: 'float',
      secondMomentCorrection: 'float',
      epsilon: 'float',
    },
  },

  // --- layout and reduction ---

  /** Up to six axes, outermost first. A row is a run along the last one. */
  stridedCopy: {
    own: {
      input: 'address',
      output: 'address',
      rowsPerChunk: 'integer',
      size0: 'integer',
      size1: 'integer',
      size2: 'integer',
      size3: 'integer',
      size4: 'integer',
      size5: 'integer',
      inputStride0: 'integer',
      inputStride1: 'integer',
      inputStride2: 'integer',
      inputStride3: 'integer',
      inputStride4: 'integer',
      inputStride5: 'integer',
      outputStride0: 'integer',
      outputStride1: 'integer',
      outputStride2: 'integer',
      outputStride3: 'integer',
      outputStride4: 'integer',
      outputStride5: 'integer',
    },
  },
  /** The middle axis of [outer, rows, inner], cut into splits. An item is one split of one of `outer`. */
  reduce: {
    own: {
      /** `REDUCE_...` */
      operation: 'integer',
      input: 'address',
      /** [outer, splits, inner] */
      output: 'address',
      outer: 'integer',
      rows: 'integer',
      inner: 'integer',
      splits: 'integer',
      rowsPerSplit: 'integer',
      itemsPerChunk: 'integer',
      /** By which results are multiplied. */
      factor: 'float',
    },
  },
  argMax: {
    own: {
      input: 'address',
      /** Integers. */
      output: 'address',
      rows: 'integer',
      columns: 'integer',
      rowsPerChunk: 'integer',
    },
  },

  // --- convolution and matrix product ---

  /** A chunk is a panel. */
  packPanels: { shared: 'packing', own: {} },
  /** One chunk. */
  packDots: {
    shared: 'packing',
    own: {
      /** Whether the second and third index make one run. */
      isJoined: 'integer',
    },
  },
  /** One chunk. */
  packTriples: { shared: 'packing', own: {} },
  convolve: {
    shared: 'convolution',
    own: {
      output: 'address',
      packed: 'address',
      /** From one image, row or pixel of the output to the next. */
      outputImageBytes: 'bytes',
      outputRowBytes: 'bytes',
      outputPixelBytes: 'bytes',
      rowsPerChunk: 'integer',
      panelsPerChunk: 'integer',
      /** `CONVOLVE_...` */
      form: 'integer',
    },
  },
  scatterInputGradient: {
    own: {
      outputGradient: 'address',
      inputGradient: 'address',
      /** The filter, [row][panel]. */
      packed: 'address',
      batch: 'integer',
      height: 'integer',
      width: 'integer',
      /** Channels of the input and of the output. */
      inputs: 'integer',
      outputs: 'integer',
      tapsDown: 'integer',
      tapsAcross: 'integer',
      imagesPerChunk: 'integer',
      /** Working memory, so many bytes for each thread. */
      scratch: 'address',
      scratchBytes: 'bytes',
    },
  },
  /** A chunk is a range of tiles over a split of the images. */
  filterGradient: {
    shared: 'convolution',
    own: {
      outputGradient: 'address',
      /** [split][run][tile] */
      partials: 'address',
      /** Channels of a pixel of the gradient, and the first of those in use. */
      gradientChannels: 'integer',
      firstGradientChannel: 'integer',
      rowsPerBlock: 'integer',
      tilesPerChunk: 'integer',
      /** Where images are mere runs of pixels, how many pixels there are in all; else 0. */
      pixelsInAll: 'integer',
      imagesPerBlock: 'integer',
      /** What a tile is; see `assembly/convolution.ts`. */
      form: 'integer',
    },
  },
  combineFilterGradient: {
    own: {
      partials: 'address',
      output: 'address',
      splits: 'integer',
      runs: 'integer',
      tilesPerRun: 'integer',
      /** Of a run. */
      length: 'integer',
      columns: 'integer',
      /** Columns of all groups, and the first of this one's. */
      outputChannels: 'integer',
      firstOutputChannel: 'integer',
      rowsPerChunk: 'integer',
      /** As that of `filterGradient`. */
      form: 'integer',
    },
  },
  depthwise: {
    shared: 'depthwiseConvolution',
    own: { input: 'address', output: 'address', filter: 'address', bias: 'address' },
  },
  depthwiseInputGradient: {
    shared: 'depthwiseConvolution',
    own: { inputGradient: 'address', outputGradient: 'address', filter: 'address' },
  },
  depthwiseFilterGradient: {
    shared: 'depthwiseConvolution',
    own: {
      input: 'address',
      outputGradient: 'address',
      /** [chunk][taps][channels] */
      partials: 'address',
    },
  },
  packUpsampleFilter: {
    own: {
      filter: 'address',
      packed: 'address',
      inputs: 'integer',
      outputs: 'integer',
      /** Whether for the gradient of the input. */
      isGradient: 'integer',
    },
  },
  upsampleConvolve: {
    shared: 'upsampleConvolution',
    own: {
      packed: 'address',
      bias: 'address',
      /** Output channels that are computed at once: a multiple of 8. */
      columnsAtOnce: 'integer',
    },
  },
  upsampleInputGradient: {
    shared: 'upsampleConvolution',
    own: {
      packed: 'address',
      /** Input channels that are computed at once: a multiple of 8. */
      columnsAtOnce: 'integer',
    },
  },
  upsampleFilterGradient: {
    shared: 'upsampleConvolution',
    own: {
      /** [chunk][3][3][inputs][outputs] */
      partials: 'address',
      imagesPerChunk: 'integer',
    },
  },

  // --- pooling and upsampling ---

  maxPool: {
    shared: 'pooling',
    own: { input: 'address', output: 'address' },
  },
  maxPoolGradient: {
    shared: 'pooling',
    own: { input: 'address', output: 'address', outputGradient: 'address', inputGradient: 'address' },
  },
  averagePool: {
    shared: 'pooling',
    own: { input: 'address', output: 'address', countsPadding: 'integer' },
  },
  averagePoolGradient: {
    shared: 'pooling',
    own: { outputGradient: 'address', inputGradient: 'address', countsPadding: 'integer' },
  },
  upsample: {
    shared: 'upsampling',
    own: { input: 'address', output: 'address' },
  },
  upsampleGradient: {
    shared: 'upsampling',
    own: { outputGradient: 'address', inputGradient: 'address' },
  },

  // --- normalisation and loss ---

  batchStatistics: {
    own: {
      input: 'address',
      /** [chunk][mean, squares][columns] */
      partials: 'address',
      rows: 'integer',
      columns: 'integer',
      rowsPerChunk: 'integer',
    },
  },
  combineBatchStatistics: {
    own: {
      partials: 'address',
      mean: 'address',
      variance: 'address',
      /** Of `batchStatistics`, as are the rows. */
      chunks: 'integer',
      columns: 'integer',
      /** Rows that were read as one. */
      fold: 'integer',
      rows: 'integer',
      rowsPerChunk: 'integer',
      /** Scale and offset may be missing. */
      scale: 'address',
      offset: 'address',
      epsilon: 'float',
      /** For `normalize`: [mean, factor, offset][period]. May be missing. */
      table: 'address',
      period: 'integer',
      channelsPerChunk: 'integer',
      /** May be missing, and with it what follows. */
      runningMean: 'address',
      runningVariance: 'address',
      newRunningMean: 'address',
      newRunningVariance: 'address',
      /** What is kept of the running statistics, and what is taken of the batch's. */
      runningShare: 'float',
      meanShare: 'float',
      varianceShare: 'float',
    },
  },
  /** The table of `normalize` for given statistics, in one chunk. */
  frozenTable: {
    own: {
      /** Mean, scale and offset may be missing. */
      mean: 'address',
      variance: 'address',
      scale: 'address',
      offset: 'address',
      epsilon: 'float',
      table: 'address',
      period: 'integer',
      channels: 'integer',
    },
  },
  normalize: {
    shared: 'element',
    own: {
      input: 'address',
      output: 'address',
      /** Length of a row of the table: a multiple of 4, of which the chunk's size is a multiple. */
      period: 'integer',
      table: 'address',
    },
  },
  batchGradientSums: {
    own: {
      outputGradient: 'address',
      input: 'address',
      /** The mean of each column. */
      meanRow: 'address',
      /** [chunk][gradient, product][columns] */
      partials: 'address',
      rows: 'integer',
      columns: 'integer',
      rowsPerChunk: 'integer',
    },
  },
  combineBatchGradient: {
    own: {
      partials: 'address',
      /** Of `batchGradientSums`. */
      chunks: 'integer',
      columns: 'integer',
      fold: 'integer',
      /** Positions of one channel. */
      count: 'integer',
      mean: 'address',
      variance: 'address',
      /** May be missing. */
      scale: 'address',
      epsilon: 'float',
      scaleGradient: 'address',
      offsetGradient: 'address',
      /** For `normalizeGradient`: [factor, mean, slope, offset][period]. */
      table: 'address',
      period: 'integer',
      channelsPerChunk: 'integer',
    },
  },
  normalizeGradient: {
    shared: 'element',
    own: {
      outputGradient: 'address',
      input: 'address',
      inputGradient: 'address',
      /** As that of `normalize`. */
      period: 'integer',
      table: 'address',
    },
  },
  softmaxDivergence: {
    own: {
      logits: 'address',
      target: 'address',
      /** One float a row. */
      divergence: 'address',
      logitsGradient: 'address',
      rows: 'integer',
      classes: 'integer',
      rowsPerChunk: 'integer',
    },
  },
} as const;

type Shared = typeof sharedArguments;
type Kernels = typeof kernelArguments;

/** Name of a kernel. */
export type KernelName = keyof Kernels;

/** Values of the arguments that kernels share. */
export type SharedValues<Name extends keyof Shared> = { readonly [Argument in keyof Shared[Name]]: number };

/** Names of a kernel's arguments; of all of them where `Name` is one of several kernels. */
type ArgumentName<Name extends KernelName> = Name extends KernelName
  ?
      | keyof Kernels[Name]['own']
      | (Kernels[Name] extends { readonly shared: infer S extends keyof Shared } ? keyof Shared[S] : never)
  : never;

/** Values of all arguments of a kernel; of each of several where it may be any of them. */
export type KernelValues<Name extends KernelName> = { readonly [Argument in ArgumentName<Name>]: number };

/** Name of a kernel that treats each element alone. */
export type ElementKernelName = {
  [Name in KernelName]: Kernels[Name] extends { readonly shared: 'element' } ? Name : never;
}[KernelName];

/** Values of the arguments of such a kernel that it does not share. */
export type ElementValues<Name extends ElementKernelName> = Omit<KernelValues<Name>, keyof Shared['element']>;

/** The arguments of a kernel as they lie in memory. */
export function layOutArguments(name: KernelName): readonly (readonly [argument: string, type: ArgumentType])[] {
  const kernel: { readonly shared?: keyof Shared; readonly own: Readonly<Record<string, ArgumentType>> } =
    kernelArguments[name];
  return Object.entries<ArgumentType>({ ...(kernel.shared && sharedArguments[kernel.shared]), ...kernel.own });
}

/**
 * Pooling and nearest-neighbour upsampling. The innermost loop runs over channels: four at a time, the rest one by one.
 * Gradient kernels own whole images, so that no two chunks add to the same element.
 */
import {
  AveragePoolArguments,
  AveragePoolGradientArguments,
  MaxPoolArguments,
  MaxPoolGradientArguments,
  PoolingArguments,
  UpsampleArguments,
  UpsampleGradientArguments,
} from './generated/kernel-arguments';
import { copyFloats, fillFloats, larger, smaller } from './simd';

/**
 * The largest of each window.
 *
 * Vectors may run past the last channel of a pixel: what they spill into the next pixels is overwritten by these. Only
 * the last pixels of an image, which have too few after them, are treated exactly.
 */
export function maxPool(args: MaxPoolArguments, chunk: i32): void {
  const height = args.height, width = args.width, channels = args.channels;
  const outputHeight = args.outputHeight, outputWidth = args.outputWidth;
  const windowHeight = args.windowHeight, windowWidth = args.windowWidth;
  const strideDown = args.strideDown, strideAcross = args.strideAcross;
  const padTop = args.top, padLeft = args.left;
  const perChunk = args.imagesPerChunk;
  const last = smaller((chunk + 1) * perChunk, args.batch);
  const pixel = <usize>channels << 2;
  const rowBytes = <usize>width * pixel;
  const vectors = (pixel + 15) & ~15;
  for (let image = chunk * perChunk; image < last; image++) {
    const input = args.input + <usize>(image * height) * rowBytes;
    let to = args.output + <usize>(image * outputHeight * outputWidth) * pixel;
    const end = to + <usize>(outputHeight * outputWidth) * pixel;
    for (let y = 0; y < outputHeight; y++) {
      const top = y * strideDown - padTop;
      const y0 = larger(top, 0), y1 = smaller(top + windowHeight, height);
      for (let x = 0; x < outputWidth; x++, to += pixel) {
        const left = x * strideAcross - padLeft;
        const x0 = larger(left, 0), x1 = smaller(left + windowWidth, width);
        const vectorEnd = to + vectors <= end ? vectors : pixel & ~15;
        const start = input + <usize>y0 * rowBytes + <usize>x0 * pixel;
        let c: usize = 0;
        if (y1 - y0 == 2 && x1 - x0 == 2) {
          for (; c < vectorEnd; c += 16) {
            const p = start + c;
            const q = p + rowBytes;
            v128.store(
              to + c,
              f32x4.max(
                f32x4.max(v128.load(p), v128.load(p + pixel)),
                f32x4.max(v128.load(q), v128.load(q + pixel)),
              ),
            );
          }
        }
        for (; c < vectorEnd; c += 16) {
          let best = f32x4.splat(-Infinity);
          let line = start + c;
          for (let v = y0; v < y1; v++, line += rowBytes) {
            let p = line;
            for (let u = x0; u < x1; u++, p += pixel) best = f32x4.max(best, v128.load(p));
          }
          v128.store(to + c, best);
        }
        for (; c < pixel; c += 4) {
          let best: f32 = -Infinity;
          let line = start + c;
          for (let v = y0; v < y1; v++, line += rowBytes) {
            let p = line;
            for (let u = x0; u < x1; u++, p += pixel) best = max(best, load<f32>(p));
          }
          store<f32>(to + c, best);
        }
      }
    }
  }
}

/** Lanes that win a place: equal to the largest, or NaN (which equals nothing, itself included, but is the largest). */
// @ts-ignore: decorator
@inline
function winners(value: v128, best: v128): v128 {
  return v128.or(f32x4.eq(value, best), f32x4.ne(value, value));
}

/** The gradient goes to the first of the largest of each window. */
export function maxPoolGradient(args: MaxPoolGradientArguments, chunk: i32): void {
  const height = args.height, width = args.width, channels = args.channels;
  const outputHeight = args.outputHeight, outputWidth = args.outputWidth;
  const windowHeight = args.windowHeight, windowWidth = args.windowWidth;
  const strideDown = args.strideDown, strideAcross = args.strideAcross;
  const padTop = args.top, padLeft = args.left;
  const perChunk = args.imagesPerChunk;
  const last = smaller((chunk + 1) * perChunk, args.batch);
  const pixel = <usize>channels << 2;
  const rowBytes = <usize>width * pixel;
  // Windows of 2 x 2 side by side: each input has one window, so its gradient is stored, not added up.
  const vectors = (pixel + 15) & ~15;
  const isTiled =
    windowHeight == 2 && windowWidth == 2 && strideDown == 2 && strideAcross == 2 && padTop == 0 && padLeft == 0 &&
    2 * outputHeight <= height && 2 * outputWidth <= width;
  for (let image = chunk * perChunk; image < last; image++) {
    const inputOffset = <usize>(image * height) * rowBytes;
    const input = args.input + inputOffset;
    const target = args.inputGradient + inputOffset;
    const outputOffset = <usize>(image * outputHeight * outputWidth) * pixel;
    let pooled = args.output + outputOffset;
    let gradient = args.outputGradient + outputOffset;
    fillFloats(target, 0, height * width * channels);
    for (let y = 0; y < outputHeight; y++) {
      const top = y * strideDown - padTop;
      const y0 = larger(top, 0), y1 = smaller(top + windowHeight, height);
      for (let x = 0; x < outputWidth; x++, pooled += pixel, gradient += pixel) {
        const left = x * strideAcross - padLeft;
        const x0 = larger(left, 0), x1 = smaller(left + windowWidth, width);
        const start = <usize>y0 * rowBytes + <usize>x0 * pixel;
        let c: usize = 0;
        if (isTiled && y1 - y0 == 2 && x1 - x0 == 2) {
          // A spill is overwritten by the next windows, where there are enough of them in the row. Within a window, the
          // vector that spills comes first.
          const spills = <usize>(2 * x + 1) * pixel + vectors <= <usize>(2 * outputWidth) * pixel;
          c = spills ? vectors : pixel & ~15;
          for (let i = c; i > 0; ) {
            i -= 16;
            const best = v128.load(pooled + i);
            const g = v128.load(gradient + i);
            const at = start + i;
            const a = winners(v128.load(input + at), best);
            const b = winners(v128.load(input + at + pixel), best);
            const d = winners(v128.load(input + at + rowBytes), best);
            const e = winners(v128.load(input + at + rowBytes + pixel), best);
            const ab = v128.or(a, b);
            v128.store(target + at, v128.and(g, a));
            v128.store(target + at + pixel, v128.and(g, v128.andnot(b, a)));
            v128.store(target + at + rowBytes, v128.and(g, v128.andnot(d, ab)));
            v128.store(target + at + rowBytes + pixel, v128.and(g, v128.andnot(e, v128.or(ab, d))));
          }
        } else {
          for (; c + 16 <= pixel; c += 16) {
            const best = v128.load(pooled + c);
            // Lanes whose winner is yet to be found.
            let open = i32x4.splat(-1);
            const g = v128.load(gradient + c);
            for (let v = y0; v < y1; v++) {
              let at = <usize>(v * width + x0) * pixel + c;
              for (let u = x0; u < x1; u++, at += pixel) {
                const wins = v128.and(winners(v128.load(input + at), best), open);
                open = v128.andnot(open, wins);
                v128.store(target + at, f32x4.add(v128.load(target + at), v128.and(wins, g)));
              }
            }
          }
        }
        for (; c < pixel; c += 4) {
          const best = load<f32>(pooled + c);
          if (isTiled) {
            // The window to the left may have spilled.
            for (let v = y0; v < y1; v++) {
              for (let u = x0; u < x1; u++) store<f32>(target + <usize>(v * width + u) * pixel + c, 0);
            }
          }
          let isOpen = true;
          for (let v = y0; v < y1 && isOpen; v++) {
            let at = <usize>(v * width + x0) * pixel + c;
            for (let u = x0; u < x1; u++, at += pixel) {
              const value = load<f32>(input + at);
              if (value == best || value != value) {
                store<f32>(target + at, load<f32>(target + at) + load<f32>(gradient + c));
                isOpen = false;
                break;
              }
            }
          }
        }
      }
    }
  }
}

/** Divisor of the window at (top, left). */
// @ts-ignore: decorator
@inline
function divisor(args: PoolingArguments, countsPadding: i32, rows: i32, columns: i32): f32 {
  return <f32>(countsPadding ? args.windowHeight * args.windowWidth : rows * columns);
}

/** The mean of each window. */
export function averagePool(args: AveragePoolArguments, chunk: i32): void {
  const height = args.height, width = args.width, channels = args.channels;
  const outputHeight = args.outputHeight, outputWidth = args.outputWidth;
  const perChunk = args.imagesPerChunk;
  const last = smaller((chunk + 1) * perChunk, args.batch);
  const pixel = <usize>channels << 2;
  for (let image = chunk * perChunk; image < last; image++) {
    const input = args.input + <usize>(image * height * width) * pixel;
    let to = args.output + <usize>(image * outputHeight * outputWidth) * pixel;
    for (let y = 0; y < outputHeight; y++) {
      const top = y * args.strideDown - args.top;
      const y0 = larger(top, 0), y1 = smaller(top + args.windowHeight, height);
      for (let x = 0; x < outputWidth; x++, to += pixel) {
        const left = x * args.strideAcross - args.left;
        const x0 = larger(left, 0), x1 = smaller(left + args.windowWidth, width);
        const size = divisor(args, args.countsPadding, y1 - y0, x1 - x0);
        let c: usize = 0;
        for (; c + 16 <= pixel; c += 16) {
          let sum = f32x4.splat(0);
          for (let v = y0; v < y1; v++) {
            let p = input + <usize>(v * width + x0) * pixel + c;
            for (let u = x0; u < x1; u++, p += pixel) sum = f32x4.add(sum, v128.load(p));
          }
          v128.store(to + c, f32x4.div(sum, f32x4.splat(size)));
        }
        for (; c < pixel; c += 4) {
          let sum: f32 = 0;
          for (let v = y0; v < y1; v++) {
            let p = input + <usize>(v * width + x0) * pixel + c;
            for (let u = x0; u < x1; u++, p += pixel) sum += load<f32>(p);
          }
          store<f32>(to + c, sum / size);
        }
      }
    }
  }
}

/** The gradient goes to all of a window, in equal shares. */
export function averagePoolGradient(args: AveragePoolGradientArguments, chunk: i32): void {
  const height = args.height, width = args.width, channels = args.channels;
  const outputHeight = args.outputHeight, outputWidth = args.outputWidth;
  const perChunk = args.imagesPerChunk;
  const last = smaller((chunk + 1) * perChunk, args.batch);
  const pixel = <usize>channels << 2;
  for (let image = chunk * perChunk; image < last; image++) {
    const target = args.inputGradient + <usize>(image * height * width) * pixel;
    let gradient = args.outputGradient + <usize>(image * outputHeight * outputWidth) * pixel;
    fillFloats(target, 0, height * width * channels);
    for (let y = 0; y < outputHeight; y++) {
      const top = y * args.strideDown - args.top;
      const y0 = larger(top, 0), y1 = smaller(top + args.windowHeight, height);
      for (let x = 0; x < outputWidth; x++, gradient += pixel) {
        const left = x * args.strideAcross - args.left;
        const x0 = larger(left, 0), x1 = smaller(left + args.windowWidth, width);
        const size = divisor(args, args.countsPadding, y1 - y0, x1 - x0);
        let c: usize = 0;
        for (; c + 16 <= pixel; c += 16) {
          const share = f32x4.div(v128.load(gradient + c), f32x4.splat(size));
          for (let v = y0; v < y1; v++) {
            let p = target + <usize>(v * width + x0) * pixel + c;
            for (let u = x0; u < x1; u++, p += pixel) v128.store(p, f32x4.add(v128.load(p), share));
          }
        }
        for (; c < pixel; c += 4) {
          const share = load<f32>(gradient + c) / size;
          for (let v = y0; v < y1; v++) {
            let p = target + <usize>(v * width + x0) * pixel + c;
            for (let u = x0; u < x1; u++, p += pixel) store<f32>(p, load<f32>(p) + share);
          }
        }
      }
    }
  }
}

/** Repeats each pixel. */
export function upsample(args: UpsampleArguments, chunk: i32): void {
  const width = args.width, channels = args.channels;
  const down = args.factorDown, across = args.factorAcross;
  const perChunk = args.rowsPerChunk;
  const last = smaller((chunk + 1) * perChunk, args.rows);
  const pixel = <usize>channels << 2;
  const rowBytes = <usize>(width * across) * pixel;
  for (let row = chunk * perChunk; row < last; row++) {
    let from = args.input + <usize>(row * width) * pixel;
    const start = args.output + <usize>(row * down) * rowBytes;
    let to = start;
    for (let x = 0; x < width; x++, from += pixel) {
      for (let u = 0; u < across; u++, to += pixel) copyFloats(to, from, channels);
    }
    for (let v = 1; v < down; v++) copyFloats(start + <usize>v * rowBytes, start, width * across * channels);
  }
}

/** Sums the gradients of what `upsample` made of a pixel. */
export function upsampleGradient(args: UpsampleGradientArguments, chunk: i32): void {
  const width = args.width, channels = args.channels;
  const down = args.factorDown, across = args.factorAcross;
  const perChunk = args.rowsPerChunk;
  const last = smaller((chunk + 1) * perChunk, args.rows);
  const pixel = <usize>channels << 2;
  const rowBytes = <usize>(width * across) * pixel;
  const isDouble = down == 2 && across == 2;
  for (let row = chunk * perChunk; row < last; row++) {
    let to = args.inputGradient + <usize>(row * width) * pixel;
    const start = args.outputGradient + <usize>(row * down) * rowBytes;
    for (let x = 0; x < width; x++, to += pixel) {
      const block = start + <usize>(x * across) * pixel;
      let c: usize = 0;
      if (isDouble) {
        for (; c + 16 <= pixel; c += 16) {
          const p = block + c;
          const q = p + rowBytes;
          v128.store(
            to + c,
            f32x4.add(
              f32x4.add(v128.load(p), v128.load(p + pixel)),
              f32x4.add(v128.load(q), v128.load(q + pixel)),
            ),
          );
        }
      }
      for (; c + 16 <= pixel; c += 16) {
        let sum = f32x4.splat(0);
        for (let v = 0; v < down; v++) {
          let p = block + <usize>v * rowBytes + c;
          for (let u = 0; u < across; u++, p += pixel) sum = f32x4.add(sum, v128.load(p));
        }
        v128.store(to + c, sum);
      }
      for (; c < pixel; c += 4) {
        let sum: f32 = 0;
        for (let v = 0; v < down; v++) {
          let p = block + <usize>v * rowBytes + c;
          for (let u = 0; u < across; u++, p += pixel) sum += load<f32>(p);
        }
        store<f32>(to + c, sum);
      }
    }
  }
}

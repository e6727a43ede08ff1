/** One plain float64 loop for each primitive: what every kernel and every derivative is held against. */
import { fillNormal, fillUniform } from '../../kernels/random.ts';
import { type ConvParams, matmulSizes } from '../ops/linear.ts';
import type { Primitive, primitives } from '../ops/table.ts';
import type { Row } from '../row.ts';
import { broadcastStrides, type Shape, sizeOf, stridesOf } from '../shape.ts';

type Numbers = Float64Array<ArrayBuffer>;

/** What a loop works on; outputs come zeroed. */
export interface LoopContext<P> {
  readonly inputs: readonly Numbers[];
  readonly inputShapes: readonly Shape[];
  readonly outputs: readonly Numbers[];
  readonly outputShapes: readonly Shape[];
  readonly params: P;
}

type Loop<P> = (context: LoopContext<P>) => void;
type ParamsOf<R> = R extends Row<infer P> ? P : never;

/** A primitive without a loop does not compile. */
type Loops = { readonly [K in Primitive]: Loop<ParamsOf<(typeof primitives)[K]>> };

/** Calls `visit` with the flat offsets of each operand for every index of a loop nest, the last loop fastest. */
function walk(sizes: Shape, strides: readonly (readonly number[])[], visit: (at: number[]) => void): void {
  const at = strides.map(() => 0);
  const index = sizes.map(() => 0);
  for (let n = sizeOf(sizes); n > 0; n--) {
    visit(at);
    for (let d = sizes.length - 1; d >= 0; d--) {
      strides.forEach((s, o) => {
        at[o]! += s[d]!;
      });
      if (++index[d]! < sizes[d]!) break;
      strides.forEach((s, o) => {
        at[o]! -= s[d]! * sizes[d]!;
      });
      index[d] = 0;
    }
  }
}

type Scalars = { readonly s0?: number; readonly s1?: number };

const map1 =
  (f: (x: number, s0: number, s1: number) => number): Loop<Scalars> =>
  ({ inputs: [x], outputs: [y], params: { s0 = 0, s1 = 0 } }) => {
    for (let i = 0; i < y!.length; i++) y![i] = f(x![i]!, s0, s1);
  };

const map2 =
  (f: (a: number, b: number, s0: number) => number): Loop<Scalars> =>
  ({ inputs: [a, b], inputShapes: [as, bs], outputs: [y], outputShapes: [ys], params: { s0 = 0 } }) => {
    let i = 0;
    walk(ys!, [broadcastStrides(as!, ys!), broadcastStrides(bs!, ys!)], ([p, q]) => {
      y![i++] = f(a![p!]!, b![q!]!, s0);
    });
  };

const sumLoop: Loop<{ readonly axes: readonly number[]; readonly scale: number }> = ({
  inputs: [x],
  inputShapes: [xs],
  outputs: [y],
  params: { axes, scale },
}) => {
  const kept = stridesOf(xs!.map((d, i) => (axes.includes(i) ? 1 : d)));
  let i = 0;
  walk(xs!, [kept.map((s, d) => (axes.includes(d) ? 0 : s))], ([q]) => {
    y![q!]! += x![i++]!;
  });
  for (let q = 0; q < y!.length; q++) y![q]! *= scale;
};

/** Copies along a walk; see kernels/copy.ts. */
function copyWalk(
  x: Numbers,
  y: Numbers,
  sizes: Shape,
  from: readonly number[],
  to: readonly number[],
  fromOffset = 0,
  toOffset = 0,
): void {
  walk(sizes, [from, to], ([p, q]) => {
    y[toOffset + q!] = x[fromOffset + p!]!;
  });
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((n, v, i) => n + v * b[i]!, 0);

/** Visits every product of the trilinear form T(x, w, y): offsets into x, w and y. */
function convolve(
  xs: Shape,
  ws: Shape,
  ys: Shape,
  p: ConvParams,
  visit: (x: number, w: number, y: number) => void,
): void {
  const [n, h, wd, cin] = xs as [number, number, number, number];
  const [kh, kw, cg, cout] = ws as [number, number, number, number];
  const [, oh, ow] = ys as [number, number, number];
  const og = cout / p.groups;
  for (let b = 0; b < n; b++)
    for (let i = 0; i < oh; i++)
      for (let j = 0; j < ow; j++)
        for (let k = 0; k < kh; k++) {
          const row = i * p.stride[0] - p.padding[0] + k * p.dilation[0];
          if (row < 0 || row >= h) continue;
          for (let l = 0; l < kw; l++) {
            const col = j * p.stride[1] - p.padding[1] + l * p.dilation[1];
            if (col < 0 || col >= wd) continue;
            const x0 = ((b * h + row) * wd + col) * cin;
            const w0 = (k * kw + l) * cg * cout;
            const y0 = ((b * oh + i) * ow + j) * cout;
            for (let o = 0; o < cout; o++) {
              const first = Math.floor(o / og) * cg;
              for (let c = 0; c < cg; c++) visit(x0 + first + c, w0 + c * cout + o, y0 + o);
            }
          }
        }
}

export const loops: Loops = {
  affine: map1((x, scale, shift) => x * scale + shift),
  add: map2((a, b) => a + b),
  sub: map2((a, b) => a - b),
  mul: map2((a, b) => a * b),
  div: map2((a, b) => a / b),
  maximum: map2((a, b) => Math.max(a, b)),
  minimum: map2((a, b) => Math.min(a, b)),
  greaterShare: map2((a, b) => (a > b ? 1 : a === b ? 0.5 : 0)),
  neg: map1((x) => -x),
  square: map1((x) => x * x),
  sqrt: map1(Math.sqrt),
  rsqrt: map1((x) => 1 / Math.sqrt(x)),
  exp: map1(Math.exp),
  log: map1(Math.log),
  sign: map1(Math.sign),
  abs: map1(Math.abs),
  tanh: map1(Math.tanh),
  tanhGrad: map2((g, y) => g * (1 - y * y)),
  sigmoid: map1((x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)))),
  sigmoidGrad: map2((g, y) => g * y * (1 - y)),
  gate: map2((g, x, slope) => (x > 0 ? g : slope * g)),
  relu: map1((x) => Math.max(x, 0)),
  leakyRelu: map1((x, slope) => (x > 0 ? x : slope * x)),
  transpose: ({ inputs: [x], inputShapes: [xs], outputs: [y], outputShapes: [ys], params: { axes } }) => {
    const from = stridesOf(xs!);
    copyWalk(
      x!,
      y!,
      ys!,
      axes.map((a) => from[a]!),
      stridesOf(ys!),
    );
  },
  slice: ({ inputs: [x], inputShapes: [xs], outputs: [y], outputShapes: [ys], params: { begin, step } }) => {
    const s = stridesOf(xs!);
    copyWalk(
      x!,
      y!,
      ys!,
      s.map((v, i) => v * step[i]!),
      stridesOf(ys!),
      dot(begin, s),
    );
  },
  unslice: ({ inputs: [x], inputShapes: [xs], outputs: [y], outputShapes: [ys], params: { begin, step } }) => {
    const s = stridesOf(ys!);
    copyWalk(
      x!,
      y!,
      xs!,
      stridesOf(xs!),
      s.map((v, i) => v * step[i]!),
      0,
      dot(begin, s),
    );
  },
  concat: ({ inputs, inputShapes, outputs: [y], outputShapes: [ys], params: { axis } }) => {
    const to = stridesOf(ys!);
    let at = 0;
    inputs.forEach((x, k) => {
      copyWalk(x, y!, inputShapes[k]!, stridesOf(inputShapes[k]!), to, 0, at * to[axis]!);
      at += inputShapes[k]![axis]!;
    });
  },
  broadcastTo: ({ inputs: [x], inputShapes: [xs], outputs: [y], outputShapes: [ys] }) =>
    copyWalk(x!, y!, ys!, broadcastStrides(xs!, ys!), stridesOf(ys!)),
  sum: sumLoop,
  mean: sumLoop,
  matmul: ({ inputs: [a, b], inputShapes: [as, bs], outputs: [c], params }) => {
    const { batch, m, n, k, batchStrideA, batchStrideB, transposeA, transposeB } = matmulSizes(as!, bs!, params);
    for (let s = 0; s < batch; s++)
      for (let i = 0; i < m; i++)
        for (let l = 0; l < k; l++) {
          const left = a![s * batchStrideA + (transposeA ? l * m + i : i * k + l)]!;
          for (let j = 0; j < n; j++) {
            c![(s * m + i) * n + j]! += left * b![s * batchStrideB + (transposeB ? j * k + l : l * n + j)]!;
          }
        }
  },
  conv2d: ({ inputs: [x, w], inputShapes: [xs, ws], outputs: [y], outputShapes: [ys], params }) =>
    convolve(xs!, ws!, ys!, params, (i, j, k) => {
      y![k]! += x![i]! * w![j]!;
    }),
  convTranspose2d: ({ inputs: [y, w], inputShapes: [ys, ws], outputs: [x], outputShapes: [xs], params }) =>
    convolve(xs!, ws!, ys!, params, (i, j, k) => {
      x![i]! += y![k]! * w![j]!;
    }),
  conv2dWeight: ({ inputs: [x, y], inputShapes: [xs, ys], outputs: [w], outputShapes: [ws], params }) =>
    convolve(xs!, ws!, ys!, params, (i, j, k) => {
      w![j]! += x![i]! * y![k]!;
    }),
  fill: ({ outputs: [y], params: { value } }) => {
    y!.fill(value);
  },
  uniform: ({ outputs: [y], params }) => fillUniform(y!, params),
  normal: ({ outputs: [y], params }) => fillNormal(y!, params),
  adam: ({ inputs: [p, m, v, ...gs], params: o }) => {
    const rate = o.lr / (1 - o.beta1 ** o.step);
    const scale = 1 / Math.sqrt(1 - o.beta2 ** o.step);
    gs.forEach((g, k) => {
      for (let i = 0; i < o.lengths[k]!; i++) {
        const at = o.offsets[k]! + i;
        const slope = g[i]! + o.l2 * p![at]!;
        m![at] = o.beta1 * m![at]! + (1 - o.beta1) * slope;
        v![at] = o.beta2 * v![at]! + (1 - o.beta2) * slope * slope;
        p![at] = p![at]! * (1 - o.lr * o.weightDecay) - (rate * m![at]!) / (Math.sqrt(v![at]!) * scale + o.eps);
      }
    });
  },
  ema: ({ inputs: [average, p], params: { decay } }) => {
    for (let i = 0; i < average!.length; i++) average![i] = decay * average![i]! + (1 - decay) * p![i]!;
  },
  runningStats: ({ inputs: [mean, variance, stats], params: { momentum, eps, n } }) => {
    const channels = mean!.length;
    for (let c = 0; c < channels; c++) {
      const batch = Math.max(1 / stats![channels + c]! ** 2 - eps, 0) * (n / (n - 1));
      mean![c]! += momentum * (stats![c]! - mean![c]!);
      variance![c]! += momentum * (batch - variance![c]!);
    }
  },
};

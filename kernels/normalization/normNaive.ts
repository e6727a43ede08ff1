/** Norms the plain way, one thread a group or an element: what the fast kernels are tested against. */
import { f32, flatMain, grid1d, memo, type Param, type Plan, type Target } from '../kernel.ts';
import { bind, type NormShape } from './normWalk.ts';

const naive = (title: string, buffers: string[], body: string) => /* wgsl */ `// ${title}
struct Params { a: u32, r: u32, b: u32, s: u32, fa: u32, fr: u32, fb: u32, fs: u32, size: u32, eps: f32 }
@group(0) @binding(0) var<uniform> p: Params;
${bind(buffers).join('\n')}
fn at(a: u32, r: u32, b: u32, s: u32) -> u32 { return ((a * p.r + r) * p.b + b) * p.s + s; }
fn affine(a: u32, r: u32, b: u32, s: u32) -> u32 { return a * p.fa + r * p.fr + b * p.fb + s * p.fs; }
${flatMain()}
  ${body}
}`;

/** A loop over the elements of group i. */
const overGroup = (each: string) => `for (var r = 0u; r < p.r; r++) { for (var s = 0u; s < p.s; s++) {
    let e = at(a, r, b, s); ${each}
  } }`;
const oneGroup = 'if (i >= p.a * p.b) { return; }\n  let a = i / p.b; let b = i % p.b; let n = f32(p.r * p.s);';
const oneElement = `if (i >= p.a * p.r * p.b * p.s) { return; }
  let s = i % p.s; let b = (i / p.s) % p.b; let r = (i / (p.s * p.b)) % p.r; let a = i / (p.s * p.b * p.r);
  let group = a * p.b + b; let f = affine(a, r, b, s); let n = f32(p.r * p.s); 
  let mean = stats[group]; let rstd = stats[p.a * p.b + group];`;

const naiveStats = memo(() => ({
  name: 'norm/naive/stats',
  access: ['read', 'write'] as const,
  source: naive(
    'x:[A,R,B,S] -> stats:[2,A*B]',
    ['x f32', 'stats f32 w'],
    `${oneGroup}
  var mean = 0.0;
  ${overGroup('mean += x[e];')}
  mean /= n;
  var error = 0.0;
  ${overGroup('error += x[e] - mean;')}
  mean += error / n;
  var square = 0.0;
  ${overGroup('square += (x[e] - mean) * (x[e] - mean);')}
  stats[i] = mean; stats[p.a * p.b + i] = 1.0 / sqrt(square / n + p.eps);`,
  ),
}));

const naiveApply = memo(() => ({
  name: 'norm/naive/apply',
  access: ['read', 'read', 'read', 'read', 'write'] as const,
  source: naive(
    'x:[A,R,B,S] gamma, beta:[affine] stats:[2,A*B] -> y:[A,R,B,S]',
    ['x f32', 'gamma f32', 'beta f32', 'stats f32', 'y f32 w'],
    `${oneElement}\n  y[i] = (x[i] - mean) * rstd * gamma[f] + beta[f];`,
  ),
}));

const naiveSums = memo(() => ({
  name: 'norm/naive/sums',
  access: ['read', 'read', 'read', 'read', 'write', 'write'] as const,
  source: naive(
    'x, g:[A,R,B,S] gamma:[affine] stats:[2,A*B] -> sums of g * gamma and of g * gamma * xhat:[A*B]',
    ['x f32', 'gamma f32', 'stats f32', 'g f32', 'sums f32 w', 'dots f32 w'],
    `${oneGroup}
  var sum = 0.0; var dot = 0.0;
  ${overGroup('let d = g[e] * gamma[affine(a, r, b, s)]; sum += d; dot += d * (x[e] - stats[i]);')}
  sums[i] = sum / n; dots[i] = dot * stats[p.a * p.b + i] / n;`,
  ),
}));

const naiveGrad = memo(() => ({
  name: 'norm/naive/grad',
  access: ['read', 'read', 'read', 'read', 'read', 'read', 'write'] as const,
  source: naive(
    'x, g:[A,R,B,S] gamma:[affine] stats:[2,A*B] sums, dots:[A*B] -> gx:[A,R,B,S]',
    ['x f32', 'gamma f32', 'stats f32', 'g f32', 'sums f32', 'dots f32', 'gx f32 w'],
    `${oneElement}\n  gx[i] = rstd * (g[i] * gamma[f] - sums[group] - (x[i] - mean) * rstd * dots[group]);`,
  ),
}));

const naiveAffine = memo(() => ({
  name: 'norm/naive/affine',
  access: ['read', 'read', 'read', 'write', 'write'] as const,
  source: naive(
    'x, g:[A,R,B,S] stats:[2,A*B] -> ggamma, gbeta:[affine]; an axis without a stride is summed, others are digits of i',
    ['x f32', 'stats f32', 'g f32', 'ggamma f32 w', 'gbeta f32 w'],
    `if (i >= p.size) { return; }
  let size = vec4u(p.a, p.r, p.b, p.s);
  let step = vec4u(p.fa, p.fr, p.fb, p.fs);
  let begin = select((i / max(step, vec4u(1u))) % size, vec4u(), step == vec4u());
  let end = select(begin + 1u, size, step == vec4u());
  var dot = 0.0; var sum = 0.0;
  for (var a = begin.x; a < end.x; a++) { for (var r = begin.y; r < end.y; r++) {
    for (var b = begin.z; b < end.z; b++) { for (var s = begin.w; s < end.w; s++) {
      let e = at(a, r, b, s); let group = a * p.b + b;
      sum += g[e]; dot += g[e] * (x[e] - stats[group]) * stats[p.a * p.b + group];
    } }
  } }
  ggamma[i] = dot; gbeta[i] = sum;`,
  ),
}));

const naiveParams = ({ a, r, b, s, affine: f, affineSize }: NormShape, eps: number): Param[] => [
  ...[a, r, b, s, f.a, f.r, f.b, f.s, affineSize],
  f32(eps),
];

/** What `norm` is tested against: a thread to a group, then a thread to an element. */
export function normNaive(_target: Target, shape: NormShape, eps: number): Plan {
  const params = naiveParams(shape, eps);
  const groups = shape.a * shape.b;
  return {
    dispatches: [
      { kernel: naiveStats(), args: [0, 4], params, grid: grid1d(groups) },
      { kernel: naiveApply(), args: [0, 1, 2, 4, 3], params, grid: grid1d(groups * shape.r * shape.s) },
    ],
  };
}

/** What `normGrad` is tested against: a thread to a group, to an element, to an affine element. */
export function normGradNaive(_target: Target, shape: NormShape): Plan {
  const params = naiveParams(shape, 0);
  const groups = shape.a * shape.b;
  return {
    temps: [groups, groups],
    dispatches: [
      { kernel: naiveSums(), args: [0, 1, 2, 3, 7, 8], params, grid: grid1d(groups) },
      { kernel: naiveGrad(), args: [0, 1, 2, 3, 7, 8, 4], params, grid: grid1d(groups * shape.r * shape.s) },
      { kernel: naiveAffine(), args: [0, 2, 3, 5, 6], params, grid: grid1d(shape.affineSize) },
    ],
  };
}

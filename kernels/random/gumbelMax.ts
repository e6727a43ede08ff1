/** A draw from each row of logits, by the Gumbel-max trick. */
import { TYPES } from '../elementwise.ts';
import { flatMain, grid1d, memo, type Plan } from '../kernel.ts';
import { bitwise } from '../special.ts';

const kernel = memo(() => ({
  name: 'gumbelMax',
  // With w in (0, 1), -log(1 - w) is exponential; near 0 its digits come from 2 atanh(w / (2 - w)). Its smallest values
  // make the largest Gumbel numbers, which decide.
  source: /* wgsl */ `// logits, u:[N,C] -> y:[N], the index of the largest logit - log(-log(1 - w)), w = u moved off 0 and 1;
// NaN where a logit is NaN, or none is above -Infinity
struct Params { n: u32, C: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> u: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
${TYPES.f32}
${bitwise('p.n')}
fn gumbel(w: f32) -> f32 {
  let z = w / (2.0 - w);
  let s = z * z;
  let small = 2.0 * z * (1.0 + s * (0.333333333 + s * (0.2 + s * (0.142857143 + s * (0.111111111 + s * (0.0909090909 + s * 0.0769230769))))));
  return -log(select(-log(1.0 - w), small, w < 0.5));
}
${flatMain()}
  if (i >= p.n) { return; }
  var best = -0x1.fffffep+127;
  var which = bits_(0x7fc00000u);
  for (var c = 0u; c < p.C; c++) {
    let at = i * p.C + c;
    let v = logits[at] + gumbel(u[at] * (1.0 - 0x1p-23) + 0x1p-24);
    if (isnan_(v)) { which = v; break; }
    if (v > best) { best = v; which = f32(c); }
  }
  y[i] = which;
}
`,
  access: ['read', 'read', 'write'] as const,
}));

/** Inputs logits:[n, classes] and u like it, uniform in [0, 1); output y:[n]. */
export const gumbelMax = (n: number, classes: number): Plan =>
  n === 0
    ? { dispatches: [] }
    : { dispatches: [{ kernel: kernel(), args: [0, 1, 2], params: [n, classes], grid: grid1d(n) }] };

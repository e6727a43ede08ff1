/**
 * The WGSL of every kernel: no builtin that may lose a NaN or an infinity is applied to data. WGSL allows that, and drivers do it:
 * max, min, clamp, sign and step pass over NaN on SwiftShader and on lavapipe; log, exp and pow do on SwiftShader. The forms of
 * kernels/special.ts ask for NaN by its bits.
 *
 * A call is let through if a function asks `isnan_` (or `finite_`) of all that the call sees, if it is on the list below, or if its
 * arguments are whole numbers: `~` is put before each, which the compiler refuses for floats.
 */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Kernel } from '../../kernels/kernel.ts';
import type { Case } from '../support/builders.ts';
import { cases, compositions } from '../support/cases.ts';
import { openGpu } from '../support/devices.ts';
import { everyKernel, TARGETS } from '../support/planning.ts';
import { callsOf, functionsOf, isGuarded, type WgslCall, type WgslFunction } from '../support/wgsl.ts';

const gpu = await openGpu();

/** WGSL's builtins for floats but for those that keep NaN everywhere: abs, ceil, floor, round, trunc, sqrt, fma, dot, select. */
const RAW = [
  ...['max', 'min', 'clamp', 'saturate', 'sign', 'step', 'smoothstep', 'mix', 'fract', 'modf', 'frexp', 'ldexp'],
  ...[
    'log',
    'log2',
    'exp',
    'exp2',
    'pow',
    'sin',
    'cos',
    'tan',
    'asin',
    'acos',
    'atan',
    'atan2',
    'sinh',
    'cosh',
    'tanh',
  ],
  ...['asinh', 'acosh', 'atanh', 'length', 'distance', 'normalize', 'quantizeToF16'],
];

/** Raw calls on floats that lose nothing: in which kernel or function, and why. */
const EXCEPTIONS: readonly (readonly [where: RegExp, call: string, why: string])[] = [
  [
    /^(softmax|logSoftmax)\w*\/(whole|partial) main$/,
    'max(m, x[at])',
    'a NaN that it passes over is in the sum of exp_(x - m)',
  ],
  [/^(softmax|logSoftmax)\w*\/apply main$/, 'max(m, ms[at])', 'a NaN among the elements is in the partial sums'],
  [/ erfc_$/, 'min(x, T(20.0))', 'erf_ and phi_, which alone call it, ask for NaN'],
  [/ erfc_$/, 'exp(poly - r * r)', 'erf_ and phi_, which alone call it, ask for NaN'],
  [/ half_exp_$/, 'exp(0.5 * x)', 'sinh_ and cosh_, which alone call it, ask for NaN'],
  [/^random\/normal main$/, 'log(4.0 * u * (1.0 - u))', 'of random bits'],
  [/^random\/truncatedNormal main$/, 'log(4.0 * v * rest)', 'of random bits'],
  [/^random\/\w+ main$/, 'max(w + 2.5, vec4f())', 'of random bits'],
  [
    /^random\/uniform main$/,
    'min(p.base + p.span * (vec4f(bits >> vec4u(8u)) * 0x1p-24), vec4f(p.top))',
    'of random bits',
  ],
  [/^random\/truncatedNormal main$/, 'clamp(x, vec4f(p.least), vec4f(p.most))', 'of random bits'],
  [/^gumbelMax gumbel$/, 'log(1.0 - w)', 'of uniform numbers that the op makes'],
  [/^gumbelMax gumbel$/, 'log(select(-log(1.0 - w), small, w < 0.5))', 'of uniform numbers that the op makes'],
  [
    /^gridCorners main$/,
    'clamp(x, -2.0, f32(p.w))',
    'the place of a pixel; its weights are made of base, which keeps the NaN',
  ],
  [
    /^gridCorners main$/,
    'clamp(y, -2.0, f32(p.h))',
    'the place of a pixel; its weights are made of base, which keeps the NaN',
  ],
];

const all = Object.values<readonly Case[]>({ ...cases, ...compositions }).flat();
const kernels = [...everyKernel(all, TARGETS).values()];

const isExcepted = (kernel: Kernel, fn: WgslFunction, call: WgslCall): number =>
  EXCEPTIONS.findIndex(([where, text]) => text === call.text && where.test(`${kernel.name} ${fn.name}`));

/** The raw calls of a source that neither a guard nor the list lets through. */
function suspects(kernel: Kernel, used = new Set<number>()): WgslCall[] {
  return functionsOf(kernel.source).flatMap((fn) =>
    callsOf(kernel.source, fn, RAW).filter((call) => {
      if (isGuarded(fn, call)) return false;
      const exception = isExcepted(kernel, fn, call);
      if (exception >= 0) used.add(exception);
      return exception < 0;
    }),
  );
}

/** The source with `~` before every argument of the calls that is no literal: those are as the other arguments. */
const withWholes = (source: string, calls: readonly WgslCall[]): string => {
  const marks = calls.flatMap((c) => c.args.filter(({ text }) => !/^\s*\d+\s*$/.test(text)));
  const put = new Map<number, string>();
  for (const { from, to } of marks) {
    put.set(from, `${put.get(from) ?? ''}~(`);
    put.set(to, `)${put.get(to) ?? ''}`);
  }
  return [...source, ''].map((char, i) => (put.get(i) ?? '') + char).join('');
};

async function compiles(code: string): Promise<boolean> {
  gpu.gpu.pushErrorScope('validation');
  gpu.gpu.createShaderModule({ code });
  return (await gpu.gpu.popErrorScope()) === null;
}

/** The names of raw builtins that a source applies to floats. */
async function rawCalls(kernel: Kernel, used?: Set<number>): Promise<string[]> {
  const calls = suspects(kernel, used);
  if (calls.length === 0 || (await compiles(withWholes(kernel.source, calls)))) return [];
  const found: string[] = [];
  for (const call of calls)
    if (!(await compiles(withWholes(kernel.source, [call])))) found.push(`${kernel.name}: ${call.text}`);
  return found;
}

const usable = kernels.filter((k) => (k.needs ?? []).every((need) => gpu.gpu.features.has(need)));

test(`no raw builtin on data in the WGSL of ${kernels.length} kernels`, async () => {
  assert.ok(kernels.length > 1000, `${kernels.length} kernels`);
  const used = new Set<number>();
  const found = new Set<string>();
  for (const kernel of usable) for (const call of await rawCalls(kernel, used)) found.add(call);
  assert.is([...found].join('\n'), '');
  const stale = EXCEPTIONS.filter((_, k) => !used.has(k)).map(([where, text]) => `${where} ${text}`);
  assert.is(stale.join('\n'), '', 'exceptions that nothing needs');
});

test('a raw builtin put into any kernel is found, whole numbers are not', async () => {
  let tried = 0;
  for (const kernel of usable.filter((_, k) => k % 20 === 0)) {
    // Behind the last semicolon of main, on a float made of the parameters.
    const at = kernel.source.lastIndexOf(';') + 1;
    const put = (call: string) => `${kernel.source.slice(0, at)} let spoilt = ${call};${kernel.source.slice(at)}`;
    const word = /struct Params \{\s*(?:\/\/.*\s*)*(\w+): ([iu]32)/.exec(kernel.source);
    if (!word) continue;
    tried++;
    for (const builtin of ['log', 'exp', 'sign']) {
      const source = put(`${builtin}(f32(p.${word[1]}))`);
      assert.is((await rawCalls({ ...kernel, source })).length, 1, `${builtin} in ${kernel.name}`);
    }
    const summed = put(`0.0; var sum_ = 0.0; sum_ += f32(p.${word[1]}); let more_ = log(sum_)`);
    assert.is((await rawCalls({ ...kernel, source: summed })).length, 1, `log of a sum in ${kernel.name}`);
    for (const builtin of ['max', 'min', 'pow']) {
      const source = put(`${builtin}(f32(p.${word[1]}), 1.0)`);
      assert.is((await rawCalls({ ...kernel, source })).length, 1, `${builtin} in ${kernel.name}`);
    }
    assert.equal(await rawCalls({ ...kernel, source: put(`max(p.${word[1]}, 1)`) }), [], kernel.name);
  }
  assert.ok(tried > 25, `${tried} kernels tried`);
});

test.after(() => gpu.destroy());
test.run();

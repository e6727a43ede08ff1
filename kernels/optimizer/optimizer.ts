/**
 * Steps of optimizers over flat arenas. All parameters of a group lie in one buffer (and each of their states in one more),
 * gradients wherever backward left them: one dispatch serves as many gradients as may be bound.
 */
import { TYPES } from '../elementwise.ts';
import { type Dispatch, f32, flatMain, grid1d, memo, type Plan, type Target } from '../kernel.ts';
import { bitwise } from '../special.ts';
import { RULES, type Rule, type RuleName, type StepRules } from './optimizerRules.ts';

/** Where the parameters of a step lie in the arenas. */
export interface Slots {
  /** Elements of each parameter. */
  readonly lengths: readonly number[];
  /** Where each parameter starts in the arenas: multiples of 64 elements, ascending, slots not overlapping. */
  readonly offsets: readonly number[];
}

/** A parameter's slot is padded to this many vectors (64 elements), so 16 threads never see two parameters. */
const BLOCK = 16;
/** Elements from which a gradient is large. */
const LARGE = 2 ** 14;
/** Words of parameters that a kernel may have. */
const WORDS = 64;

const upTo4 = (n: number): number => Math.ceil(n / 4) * 4;

/** A thread's gradient is found by comparing its block of 16 threads with where each gradient's blocks start. */
const ruleKernel = memo((name: RuleName, gradients: number) => {
  const { states, scalars, body, prelude }: Rule<never> = RULES[name];
  const word = (k: number) => `p.slots[${k >> 2}][${k & 3}]`;
  const find = (q: number) => /* wgsl */ `if (block < ${word(2 * q + 2)}) {
    let k = i - ${word(2 * q)} * ${BLOCK}u;
    let slot = ${word(2 * q + 1)};
    if (k + (slot & 63u) >= (${word(2 * q + 2)} - ${word(2 * q)}) * ${BLOCK}u) { return; }
    g = g${q}[k];
    at = (slot >> 6u) * ${BLOCK}u + k;
  }`;
  const list = Array.from({ length: gradients }, (_, q) => q);
  const arenas = ['w', ...states];
  const bindings = [
    ...arenas.map((arena) => `var<storage, read_write> ${arena}`),
    ...list.map((q) => `var<storage, read> g${q}`),
  ];
  return {
    name: `${name}/${gradients}`,
    access: [...arenas.map(() => 'write' as const), ...list.map(() => 'read' as const)],
    source: /* wgsl */ `// ${arenas.join(', ')}: arenas, g0, g1 ...: gradients -> the arenas after one step of ${name}
// slots: for each gradient its first block of threads and its offset / 64 * 64 + vectors of padding; then the last block
struct Params {
  ${Object.keys(scalars)
    .map((s) => `${s}: f32, `)
    .join('')}
  slots: array<vec4u, ${Math.ceil((2 * gradients + 1) / 4)}>,
}
@group(0) @binding(0) var<uniform> p: Params;
${bindings.map((b, k) => `@group(0) @binding(${k + 1}) ${b}: array<vec4f>;`).join('\n')}
${prelude ? [TYPES.vec4f, bitwise('p.slots[0].x'), prelude].join('\n') : ''}
${flatMain()}
  let block = i / ${BLOCK}u;
  var g: vec4f;
  var at: u32;
  ${list.map(find).join(' else ')} else { return; }
  let old = w[at];
${body}
}`,
  };
});

/**
 * Which gradients share a dispatch, at most `most`. A CPU walks through the branch of every gradient of its dispatch for every
 * element, at twice the price on SwiftShader, so there large ones go alone; small ones cost less than a dispatch.
 */
function groupsOf(target: Target, lengths: readonly number[], most: number): number[][] {
  const isAlone = (q: number) => target.family === 'software' && lengths[q]! >= LARGE;
  const all = [...lengths.keys()];
  const shared = all.filter((q) => !isAlone(q));
  // As even as they can be: each size of group is a shader of its own.
  const each = Math.ceil(shared.length / Math.ceil(shared.length / most));
  const groups = all.filter(isAlone).map((q) => [q]);
  for (let from = 0; from < shared.length; from += each) groups.push(shared.slice(from, from + each));
  return groups;
}

/**
 * One step by a rule. Inputs [p, ...states, g_0 ... g_{n-1}], of which p and the states are arenas, updated in place; no
 * outputs.
 */
export function optimizer<R extends RuleName>(target: Target, name: R, o: Slots & StepRules[R]): Plan {
  const rule: Rule<StepRules[R]> = RULES[name];
  const scalars = Object.values(rule.scalars).map((of) => f32(of(o)));
  while (scalars.length % 4 > 0) scalars.push(f32(0));
  const arenas = 1 + rule.states.length;
  const fit = Math.floor((WORDS - scalars.length - 1) / 2);
  const most = Math.max(1, Math.min(fit, target.maxStorageBuffers - arenas));
  const dispatches = groupsOf(target, o.lengths, most).map((group): Dispatch => {
    const slots: number[] = [];
    let block = 0;
    for (const q of group) {
      const vectors = Math.ceil(o.lengths[q]! / 4);
      const blocks = Math.ceil(vectors / BLOCK);
      slots.push(block, o.offsets[q]! + (blocks * BLOCK - vectors));
      block += blocks;
    }
    slots.push(block);
    slots.push(...Array<number>(upTo4(slots.length) - slots.length).fill(0));
    return {
      kernel: ruleKernel(name, group.length),
      args: [...Array(arenas).keys(), ...group.map((q) => arenas + q)],
      params: [...scalars, ...slots],
      grid: grid1d(block * BLOCK),
    };
  });
  return { dispatches };
}

const clampKernel = memo(() => ({
  name: 'clampInPlace',
  access: ['write'] as const,
  source: /* wgsl */ `// x: [n] -> x between low and high; NaN, which no comparison holds for, stays
struct Params { n4: u32, low: f32, high: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> x: array<vec4f>;
${flatMain()}
  if (i >= p.n4) { return; }
  let v = x[i];
  let raised = select(v, vec4f(p.low), v < vec4f(p.low));
  x[i] = select(raised, vec4f(p.high), raised > vec4f(p.high));
}`,
}));

/** x = min(max(x, low), high) over n elements, in place. Inputs [x]. */
export function clampInPlace(n: number, low: number, high: number): Plan {
  const threads = Math.ceil(n / 4);
  const params = [threads, f32(low), f32(high)];
  return { dispatches: [{ kernel: clampKernel(), args: [0], params, grid: grid1d(threads) }] };
}

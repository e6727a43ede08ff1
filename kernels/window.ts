/**
 * What the kernels of pooling and resizing know of one axis: which places of x an element of y sees, and how much of
 * each.
 */

/**
 * - `pool`: windows of a places, e apart (dilation), every b places, from -c on; with d = 1 an average counts padding in
 * - `adaptive`: from floor(o a/b) to ceil((o + 1) a/b), where a/b = size/out in lowest terms
 * - `nearest`: the one place floor(o a/b)
 * - `linear`: the two places around max(0, a o + b) / c, by their distance from it
 *
 * Ratios are pairs of whole numbers, so that no rounding decides which place is seen.
 */
export type WindowKind = 'pool' | 'adaptive' | 'nearest' | 'linear';

export interface WindowAxis {
  /** Places of x. */
  readonly size: number;
  /** Elements of y. */
  readonly out: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
}

/** The windows of an image: those along its height and those along its width. */
export interface Windows {
  readonly h: WindowAxis;
  readonly w: WindowAxis;
}

const WORDS = ['size', 'out', 'a', 'b', 'c', 'd', 'e'] as const;

/** Members of the uniform block, and its words, for the windows of an image. */
export const windowMembers = ['h', 'w'].flatMap((l) => WORDS.map((_, k) => `${l}${k}: i32`)).join(', ');
export const windowParams = ({ h, w }: Windows): number[] => [h, w].flatMap((axis) => WORDS.map((word) => axis[word]));

// span(o): the places that y[o] sees, as first, end and step. cover(i): the elements of y that may see x[i], as first and
// end. weight(o, i): how much of x[i] is in y[o].
const BODIES: Readonly<Record<WindowKind, string>> = {
  pool: /* wgsl */ `fn span(o: i32, v: Axis) -> vec3i {
  let start = o * v.b - v.c;
  let outside = max(0, -start);
  return vec3i(start + (outside + v.e - 1) / v.e * v.e, min(v.size, start + (v.a - 1) * v.e + 1), v.e);
}
fn cover(i: i32, v: Axis) -> vec2i {
  let back = max(0, i + v.c - (v.a - 1) * v.e);
  return vec2i((back + v.b - 1) / v.b, min(v.out, (i + v.c) / v.b + 1));
}
fn weight(o: i32, i: i32, v: Axis) -> f32 {
  let start = o * v.b - v.c;
  let padded = min(start + v.a, v.size + v.c) - start;
  let inside = min(start + v.a, v.size) - max(start, 0);
  return 1.0 / f32(max(1, select(inside, padded, v.d == 1)));
}`,
  adaptive: /* wgsl */ `fn span(o: i32, v: Axis) -> vec3i { return vec3i(o * v.a / v.b, ((o + 1) * v.a + v.b - 1) / v.b, 1); }
fn cover(i: i32, v: Axis) -> vec2i { return vec2i(i * v.b / v.a, min(v.out, ((i + 1) * v.b + v.a - 1) / v.a)); }
fn weight(o: i32, i: i32, v: Axis) -> f32 { let s = span(o, v); return 1.0 / f32(s.y - s.x); }`,
  nearest: /* wgsl */ `fn span(o: i32, v: Axis) -> vec3i { let at = o * v.a / v.b; return vec3i(at, at + 1, 1); }
fn cover(i: i32, v: Axis) -> vec2i {
  return vec2i((i * v.b + v.a - 1) / v.a, min(v.out, ((i + 1) * v.b + v.a - 1) / v.a));
}
fn weight(o: i32, i: i32, v: Axis) -> f32 { return 1.0; }`,
  linear: /* wgsl */ `fn span(o: i32, v: Axis) -> vec3i {
  let at = max(0, v.a * o + v.b) / v.c;
  return vec3i(at, min(at + 2, v.size), 1);
}
fn cover(i: i32, v: Axis) -> vec2i {
  if (v.a == 0) { return vec2i(0, v.out); }
  let first = max(0, (i - 1) * v.c - v.b) / v.a;
  let end = min(v.out, ((i + 1) * v.c - v.b) / v.a + 1);
  return vec2i(select(first, 0, i == 0), select(end, v.out, i == v.size - 1));
}
fn weight(o: i32, i: i32, v: Axis) -> f32 {
  let num = max(0, v.a * o + v.b);
  let at = num / v.c;
  let part = f32(num - at * v.c) / f32(v.c);
  return select(0.0, 1.0 - part, i == at) + select(0.0, part, i == min(at + 1, v.size - 1));
}`,
};

/** WGSL of `Axis`, `span`, `cover` and `weight`, and of the axes `axisH()` and `axisW()` of the uniform block `p`. */
export const windowFunctions = (
  kind: WindowKind,
): string => /* wgsl */ `struct Axis { size: i32, out: i32, a: i32, b: i32, c: i32, d: i32, e: i32 }
fn axisH() -> Axis { return Axis(p.h0, p.h1, p.h2, p.h3, p.h4, p.h5, p.h6); }
fn axisW() -> Axis { return Axis(p.w0, p.w1, p.w2, p.w3, p.w4, p.w5, p.w6); }
${BODIES[kind]}`;

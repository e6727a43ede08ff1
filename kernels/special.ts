/**
 * Functions that elementwise expressions call, in WGSL over T = f32 or vec4f (see elementwise.ts for T, U, B, `isnan_` and
 * `bits_`). WGSL leaves sin, atan, log near 1 and pow to the driver within loose bounds, and has no erf; these are good to
 * about 1e-6 on every adapter. Polynomials: Cephes (Moshier), single precision, unless a source is named.
 */

/** `finite_(x)`: neither NaN nor infinite. */
export const FINITE = /* wgsl */ `fn finite_(x: T) -> B { return (bitcast<U>(x) & U(0x7fffffffu)) < U(0x7f800000u); }`;

/** `on_(x)`: x is not 0. NaN counts as true, as in PyTorch. */
export const TRUTH = /* wgsl */ `fn on_(x: T) -> B { return (bitcast<U>(x) & U(0x7fffffffu)) != U(0u); }`;

export const SIGMOID = /* wgsl */ `fn sigmoid_(x: T) -> T {
  let e = exp(-abs(x));
  return select(select(e, T(1.0), x >= T(0.0)) / (T(1.0) + e), x, isnan_(x));
}`;

export const LOG = /* wgsl */ `fn log_(x: T) -> T {
  let y = select(log(x), bits_(0xff800000u), x == T(0.0));
  return select(select(y, bits_(0x7fc00000u), x < T(0.0)), x, isnan_(x) | (bitcast<U>(x) == U(0x7f800000u)));
}`;

/** Near 0, log(1 + x) = 2 atanh(x / (2 + x)). */
export const LOG1P = /* wgsl */ `${LOG}
fn log1p_(x: T) -> T {
  let s = x / (x + 2.0);
  let z = s * s;
  let near = 2.0 * s * (1.0 + z * (0.333333333 + z * (0.2 + z * (0.142857143 + z * 0.111111111))));
  return select(log_(x + 1.0), near, (x > T(-0.3)) & (x < T(0.42)));
}`;

/** Near 0, Taylor's series to the eighth power. */
export const EXPM1 = /* wgsl */ `fn expm1_(x: T) -> T {
  let near = x * (1.0 + x * (0.5 + x * (0.166666667 + x * (0.0416666667 + x * (0.00833333333
    + x * (0.00138888889 + x * (1.98412698e-4 + x * 2.48015873e-5)))))));
  return select(select(exp(x) - 1.0, near, abs(x) < T(0.5)), x, isnan_(x));
}`;

/** `sinh_(x)` and `cosh_(x)`. exp(x / 2) squared overflows no sooner than they do. */
export const SINH = /* wgsl */ `fn half_exp_(x: T) -> T { let h = exp(0.5 * x); return (0.5 * h) * h; }
fn sinh_(x: T) -> T {
  let z = x * x;
  let near = x * (1.0 + z * (0.166666667 + z * (0.00833333333 + z * (1.98412698e-4 + z * 2.75573192e-6))));
  let r = abs(x);
  let far = sign(x) * (half_exp_(r) - 0.5 * exp(-r));
  return select(select(far, near, r < T(1.0)), x, isnan_(x));
}
fn cosh_(x: T) -> T {
  let r = abs(x);
  return select(half_exp_(r) + 0.5 * exp(-r), x, isnan_(x));
}`;

/**
 * `sine_(x, quarter)` = sin(x + quarter · π/2) for whole quarters, and `tan_(x)`. x is brought to [-π/4, π/4] by
 * subtracting a multiple of π/2 in three parts, so that the products are exact up to |x| of about 1e4.
 */
export const SINE = /* wgsl */ `${FINITE}
struct Reduced { k: T, s: T, c: T }
fn reduce_(x: T) -> Reduced {
  let k = round(x * 0.636619772);
  let r = clamp(((x - k * 1.5703125) - k * 4.837512969970703125e-4) - k * 7.54978995489188216e-8, T(-0.8), T(0.8));
  let z = r * r;
  let s = r + r * z * (-0.16666654611 + z * (8.3321608736e-3 + z * -1.9515295891e-4));
  let c = 1.0 - 0.5 * z + z * z * (4.166664568298827e-2 + z * (-1.388731625493765e-3 + z * 2.443315711809948e-5));
  return Reduced(k, s, c);
}
fn sine_(x: T, quarter: f32) -> T {
  let r = reduce_(x);
  let turn = r.k + quarter;
  let q = turn - 4.0 * floor(0.25 * turn);
  let y = select(r.s, r.c, (q == T(1.0)) | (q == T(3.0)));
  return select(bits_(0x7fc00000u), select(y, -y, q >= T(2.0)), finite_(x));
}
fn tan_(x: T) -> T {
  let r = reduce_(x);
  let odd = r.k - 2.0 * floor(0.5 * r.k) == T(1.0);
  return select(bits_(0x7fc00000u), select(r.s, -r.c, odd) / select(r.c, r.s, odd), finite_(x));
}`;

/** `atan_(x)`, and `atan2_(y, x)` with the signs of zeros and infinities as in C. */
export const ATAN = /* wgsl */ `fn atan01_(x: T) -> T {
  let high = x > T(0.414213562);
  let t = select(x, (x - 1.0) / (x + 1.0), high);
  let z = t * t;
  let p = t + t * z * (-0.333329491539 + z * (0.199777106478 + z * (-0.138776856032 + z * 8.05374449538e-2)));
  return p + select(T(0.0), T(0.785398163), high);
}
fn atan2_(y: T, x: T) -> T {
  let tall = abs(y) > abs(x);
  let high = select(abs(x), abs(y), tall);
  let low = select(abs(y), abs(x), tall);
  // Dividing is exact enough only by numbers that have a normal reciprocal; infinities are told apart by size.
  let scale = select(T(1.0), T(8.6736174e-19), high > T(1e30));
  let quotient = select((low * scale) / (high * scale), T(0.0), high == T(0.0));
  let r = atan01_(select(quotient, select(T(0.0), T(1.0), low > T(3.4e38)), high > T(3.4e38)));
  let turned = select(r, 1.57079633 - r, tall);
  let left = (bitcast<U>(x) & U(0x80000000u)) != U(0u);
  let angle = select(turned, 3.14159265 - turned, left);
  let signed = bitcast<T>(bitcast<U>(angle) | (bitcast<U>(y) & U(0x80000000u)));
  return select(signed, bits_(0x7fc00000u), isnan_(x) | isnan_(y));
}
fn atan_(x: T) -> T { return atan2_(x, T(1.0)); }`;

/**
 * `erfc_(x)` for x >= 0 (Numerical Recipes §6.2, 1.2e-7 relative), `erf_(x)`, and `phi_(x)`, the normal distribution.
 */
export const ERF = /* wgsl */ `fn erfc_(x: T) -> T {
  let t = 1.0 / (1.0 + 0.5 * x);
  let poly = -1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418 + t * (-0.18628806 + t * (0.27886807
    + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223 + t * 0.17087277))))))));
  let r = min(x, T(20.0));
  return t * exp(poly - r * r);
}
fn erf_(x: T) -> T {
  let z = x * x;
  let near = x * (1.12837916572671 + z * (-0.37612625824233 + z * (0.1128358514861418 + z * (-2.685381193529856e-2
    + z * (5.188327685732524e-3 + z * (-8.010193625184903e-4 + z * 7.853861353153693e-5))))));
  let far = sign(x) * (1.0 - erfc_(abs(x)));
  return select(select(far, near, abs(x) < T(1.0)), x, isnan_(x));
}
fn phi_(x: T) -> T {
  let tail = 0.5 * erfc_(0.707106781 * abs(x));
  return select(select(1.0 - tail, tail, x < T(0.0)), x, isnan_(x));
}
fn bell_(x: T) -> T { return select(exp(-min(x * x, T(1e4))), x, isnan_(x)); }`;

/** `pow_(x, y)` for tensors, `powf_(x, s)` for a number, by squaring where it is whole. */
export const POW = /* wgsl */ `${LOG}
fn settle_(x: T, y: T, magnitude: T) -> T {
  let whole = floor(y) == y;
  let odd = whole & (y - 2.0 * floor(0.5 * y) == T(1.0));
  var r = select(magnitude, -magnitude, (x < T(0.0)) & odd);
  r = select(r, bits_(0x7fc00000u), (x < T(0.0)) & !whole);
  r = select(r, select(T(0.0), bits_(0x7f800000u), y < T(0.0)), x == T(0.0));
  r = select(r, bits_(0x7fc00000u), isnan_(x) | isnan_(y));
  return select(r, T(1.0), (y == T(0.0)) | (x == T(1.0)));
}
fn pow_(x: T, y: T) -> T { return settle_(x, y, exp2(y * log2(abs(x)))); }
fn powf_(x: T, s: f32) -> T {
  if (floor(s) != s || abs(s) > 64.0) { return pow_(x, T(s)); }
  var r = T(1.0);
  var q = abs(x);
  for (var n = u32(abs(s)); n > 0u; n = n >> 1u) {
    if ((n & 1u) == 1u) { r = r * q; }
    q = q * q;
  }
  return settle_(x, T(s), select(r, 1.0 / r, s < 0.0));
}`;

/**
 * `remainder_(a, b)` has the sign of b. b is split in halves whose products with a quotient below 4096 are exact, and a
 * quotient that was rounded to the wrong side of a whole number is put right.
 */
export const REMAINDER = /* wgsl */ `fn remainder_(a: T, b: T) -> T {
  let q = floor(a / b);
  let high = bitcast<T>(bitcast<U>(b) & U(0xfffff000u));
  let endless = abs(b) > T(3.4e38);
  var r = select((a - q * high) - q * (b - high), a, endless);
  r = select(r, r + b, (r != T(0.0)) & ((r < T(0.0)) != (b < T(0.0))));
  r = select(r, r - b, (abs(r) >= abs(b)) & !endless);
  return select(r, bits_(0x7fc00000u), isnan_(a) | isnan_(b) | (b == T(0.0)));
}`;

/**
 * Functions that elementwise expressions call, in WGSL over T = f32 or vec4f (see elementwise.ts for T, U, B, `isnan_` and
 * `bits_`). WGSL leaves sin, atan, log near 1 and pow to the driver within loose bounds, and has no erf; these are good to
 * about 1e-6 on every adapter. Polynomials: Cephes (Moshier), single precision, unless a source is named.
 */

/**
 * `isnan_(x)`, and `bits_(word)` for a value given by its bits: what every other function here rests on. WGSL may assume that
 * NaN and infinity do not occur, and `max`, `min`, `clamp`, `sign`, `step`, `log`, `exp` and `pow` of drivers do lose them.
 * @param parameter a u32 of the uniform block, whatever its value: `& 0u` keeps the compiler from evaluating the bits itself,
 * which it would refuse
 */
export const bitwise = (
  parameter: string,
) => /* wgsl */ `fn isnan_(x: T) -> B { return (bitcast<U>(x) & U(0x7fffffffu)) > U(0x7f800000u); }
fn bits_(word: u32) -> T { return T(bitcast<f32>(word | (${parameter} & 0u))); }`;

/** `max_(a, b)` and `min_(a, b)`: NaN where either is. */
export const EXTREMA = /* wgsl */ `fn max_(a: T, b: T) -> T { return select(max(a, b), a + b, isnan_(a) | isnan_(b)); }
fn min_(a: T, b: T) -> T { return select(min(a, b), a + b, isnan_(a) | isnan_(b)); }`;

/** `sign_(x)`: NaN for NaN. */
export const SIGN = /* wgsl */ `fn sign_(x: T) -> T { return select(sign(x), x, isnan_(x)); }`;

/** `exp_(x)`: NaN for NaN. */
export const EXP = /* wgsl */ `fn exp_(x: T) -> T { return select(exp(x), x, isnan_(x)); }`;

/** `finite_(x)`: neither NaN nor infinite. */
export const FINITE = /* wgsl */ `fn finite_(x: T) -> B { return (bitcast<U>(x) & U(0x7fffffffu)) < U(0x7f800000u); }`;

/** `endless_(x)`: Infinity or -Infinity. */
const ENDLESS = /* wgsl */ `fn endless_(x: T) -> B { return (bitcast<U>(x) & U(0x7fffffffu)) == U(0x7f800000u); }`;

/** `on_(x)`: x is not 0. NaN counts as true, as in PyTorch. */
export const TRUTH = /* wgsl */ `fn on_(x: T) -> B { return (bitcast<U>(x) & U(0x7fffffffu)) != U(0u); }`;

/** `weighted_(w, v)`: w · v, and 0 where w is 0 whatever v is. */
export const WEIGHTED = /* wgsl */ `fn weighted_(w: T, v: T) -> T { return select(w * v, T(0.0), w == T(0.0)); }`;

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
 * subtracting a multiple of π/2 in three parts, whose products are exact up to |x| of about 1e4; beyond that by multiplying the
 * mantissa with those bits of 2/π that decide (Payne and Hanek 1983), in whole numbers, so that every finite x comes out right.
 */
export const SINE = /* wgsl */ `${FINITE}
struct Reduced { k: T, r: T }
struct Turned { k: T, s: T, c: T }
fn word_(n: U, a: u32, b: u32, c: u32, d: u32) -> U {
  return select(select(U(a), U(b), n == U(1u)), select(U(c), U(d), n == U(3u)), n > U(1u));
}
fn mulhi_(a: U, b: U) -> U {
  let low = U(0xffffu); let half = U(16u);
  let t = (a >> half) * (b & low) + (((a & low) * (b & low)) >> half);
  let u = (a & low) * (b >> half) + (t & low);
  return (a >> half) * (b >> half) + (t >> half) + (u >> half);
}
fn far_(x: T) -> Reduced {
  let bits = bitcast<U>(x);
  let m = ((bits & U(0x7fffffu)) | U(0x800000u)) << U(8u);
  // The 96 bits of 2/π whose products with m matter modulo 4, and of these products the 64 highest bits: a quarter's two first.
  let at = ((bits >> U(23u)) & U(255u)) - U(128u);
  let n = at >> U(5u); let left = at & U(31u); let right = U(31u) - left;
  let a = word_(n, 0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u);
  let b = word_(n, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u);
  let c = word_(n, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u);
  let d = word_(n, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u);
  let w1 = (b << left) | ((c >> U(1u)) >> right);
  let part = m * w1;
  let low = part + mulhi_(m, (c << left) | ((d >> U(1u)) >> right));
  let high = m * ((a << left) | ((b >> U(1u)) >> right)) + mulhi_(m, w1) + select(U(0u), U(1u), low < part);
  let k = (high + U(0x20000000u)) >> U(30u);
  let rest = high - (k << U(30u));
  let under = rest > U(0x7fffffffu);
  let size = T(select(rest, ~rest, under)) * 0x1p-30 + T(select(low, ~low, under)) * 0x1p-62;
  let r = 1.57079633 * select(size, -size, under);
  let minus = bits > U(0x7fffffffu);
  return Reduced(select(T(k), -T(k), minus), select(r, -r, minus));
}
fn reduce_(x: T) -> Turned {
  var k = round(x * 0.636619772);
  var r = ((x - k * 1.5703125) - k * 4.837512969970703125e-4) - k * 7.54978995489188216e-8;
  let far = abs(x) > T(8192.0);
  if (any(far)) {
    let whole = far_(x);
    k = select(k, whole.k, far);
    r = select(r, whole.r, far);
  }
  let z = r * r;
  let s = r + r * z * (-0.16666654611 + z * (8.3321608736e-3 + z * -1.9515295891e-4));
  let c = 1.0 - 0.5 * z + z * z * (4.166664568298827e-2 + z * (-1.388731625493765e-3 + z * 2.443315711809948e-5));
  return Turned(k, s, c);
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

/**
 * `pow_(x, y)` for tensors, `powf_(x, s)` for a number: by squaring where it is whole and not large. Both are C's pow at zeros,
 * ones, infinities and NaN.
 */
export const POW = /* wgsl */ `${ENDLESS}
fn pow_(x: T, y: T) -> T {
  let size = abs(x);
  let whole = floor(y) == y;
  let odd = whole & (y - 2.0 * floor(0.5 * y) == T(1.0));
  let endless = endless_(x) | endless_(y);
  var r = exp2(y * log2(size));
  r = select(r, select(T(0.0), bits_(0x7f800000u), (size > T(1.0)) == (y > T(0.0))), endless | (size == T(0.0)));
  r = select(r, T(1.0), size == T(1.0));
  r = select(r, -r, odd & ((bitcast<U>(x) & U(0x80000000u)) != U(0u)));
  r = select(r, bits_(0x7fc00000u), (x < T(0.0)) & !whole & !endless);
  r = select(r, x + y, isnan_(x) | isnan_(y));
  return select(r, T(1.0), (y == T(0.0)) | (x == T(1.0)));
}
fn powf_(x: T, s: f32) -> T {
  if (s == 0.5) {
    let r = select(sqrt(x), T(0.0), x == T(0.0));
    return select(r, bits_(0x7f800000u), bitcast<U>(x) == U(0xff800000u));
  }
  if ((bitcast<u32>(s) & 0x7fffffffu) > 0x42800000u || floor(s) != s) { return pow_(x, T(s)); } // |s| > 64, or NaN
  var r = T(1.0);
  var q = x;
  for (var n = u32(abs(s)); n > 0u; n = n >> 1u) {
    if ((n & 1u) == 1u) { r = r * q; }
    q = q * q;
  }
  return select(r, 1.0 / r, s < 0.0);
}`;

/**
 * `remainder_(a, b)` has the sign of b. b is split in halves whose products with a quotient below 4096 are exact, and a
 * quotient that was rounded to the wrong side of a whole number is put right. Larger quotients are divided out eight bits at a
 * time, in whole numbers. A b below the smallest normal number counts as 0.
 */
export const REMAINDER = /* wgsl */ `${ENDLESS}
fn divided_(a: T, b: T, wanted: B) -> T {
  let mantissa = U(0x7fffffu); let one = U(0x800000u);
  let exponent = (bitcast<U>(b) >> U(23u)) & U(255u);
  let by = (bitcast<U>(b) & mantissa) | one;
  var m = ((bitcast<U>(a) & mantissa) | one) % by;
  var left = select(U(0u), ((bitcast<U>(a) >> U(23u)) & U(255u)) - exponent, wanted);
  while (any(left > U(0u))) {
    let step = min(left, U(8u));
    m = (m << step) % by;
    left -= step;
  }
  let word = bitcast<U>(T(m));
  let e = (word >> U(23u)) + exponent;
  let size = bitcast<T>(select(U(0u), (word & mantissa) | ((e - U(150u)) << U(23u)), (m > U(0u)) & (e > U(150u))));
  return select(size, -size, a < T(0.0));
}
fn remainder_(a: T, b: T) -> T {
  let size = abs(b);
  let q = floor(a / b);
  let high = bitcast<T>(bitcast<U>(b) & U(0xfffff000u));
  let none = size < T(0x1p-126);
  let endless = endless_(a);
  let short = abs(a) < size;
  let long = (abs(a) >= size * 4096.0) & !endless & !none;
  var r = select((a - q * high) - q * (b - high), a, short);
  if (any(long)) { r = select(r, divided_(a, b, long), long); }
  r = select(r, r + b, (r != T(0.0)) & ((r < T(0.0)) != (b < T(0.0))));
  r = select(r, r - b, (abs(r) >= size) & !short);
  return select(r, bits_(0x7fc00000u), isnan_(a) | isnan_(b) | endless | none);
}`;

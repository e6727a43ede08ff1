/**
 * Convolution is one trilinear form: T(x, w, y) = sum of x[n,h,w,ci] w[kh,kw,ci,co] y[n,oh,ow,co] over all places with
 * h = oh*strideH - padTop + kh*dilationH and w = ow*strideW - padLeft + kw*dilationW. Its derivative in y is the forward
 * convolution, in x the transposed one (the gradient of the input), in w the gradient of the weights.
 */
export interface ConvGeometry {
  /** x is [n, h, w, cin]. Padding below and right follows from oh and ow. */
  readonly n: number;
  readonly h: number;
  readonly w: number;
  readonly cin: number;
  /** The weights are [kh, kw, cin/groups, cout]. */
  readonly kh: number;
  readonly kw: number;
  /** y is [n, oh, ow, cout]. */
  readonly cout: number;
  readonly oh: number;
  readonly ow: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly dilationH: number;
  readonly dilationW: number;
  /** Channels are cut into so many groups that do not see each other. */
  readonly groups: number;
}

/** True where every window of the forward convolution lies inside x. */
export const windowsInside = (g: ConvGeometry): boolean =>
  g.padTop <= 0 &&
  g.padLeft <= 0 &&
  (g.oh - 1) * g.strideH - g.padTop + (g.kh - 1) * g.dilationH < g.h &&
  (g.ow - 1) * g.strideW - g.padLeft + (g.kw - 1) * g.dilationW < g.w;

/** Words of `naiveParams`, in the order of the uniform block below. */
export const naiveParams = (g: ConvGeometry): number[] => [
  ...[g.n, g.h, g.w, g.cin, g.kh, g.kw, g.cout, g.oh, g.ow],
  ...[g.strideH, g.strideW, g.padTop, g.padLeft, g.dilationH, g.dilationW, g.groups],
];

/** The uniform block that `naiveParams` fills. */
export const convParams = /* wgsl */ `struct Params {
  n: i32, h: i32, w: i32, cin: i32, kh: i32, kw: i32, cout: i32, oh: i32, ow: i32,
  strideH: i32, strideW: i32, padTop: i32, padLeft: i32, dilationH: i32, dilationW: i32, groups: i32,
}
@group(0) @binding(0) var<uniform> p: Params;`;

/** The head of the naive kernels. */
export const naiveHeader = (first: string, second: string, result: string) => /* wgsl */ `${convParams}
@group(0) @binding(1) var<storage, read> ${first}: array<f32>;
@group(0) @binding(2) var<storage, read> ${second}: array<f32>;
@group(0) @binding(3) var<storage, read_write> ${result}: array<f32>;`;

import { atan2, ShapeError, scope, Tensor, tensor, where } from '../../engine/index.ts';
import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { needCodes } from './latents.ts';

/** How codes between two others are found: {@link lerp} or {@link slerp}. */
export type InterpolationMode = 'linear' | 'spherical';

/**
 * The straight way from a to b, (1 - t) a + t b. Half way between two normal codes it is shorter than normal codes are, by
 * a factor of about √2. Differentiable.
 *
 * @param a codes [..., latent]
 * @param b codes of a shape that broadcasts with it
 * @param t 0 gives a, 1 gives b; a number, or a tensor that broadcasts with the codes, such as [N,1]
 * @throws ShapeError if the shapes do not broadcast
 */
export function lerp(a: Tensor, b: Tensor, t: number | Tensor): Tensor {
  return scope(() => a.mul(complement(t)).add(b.mul(t)));
}

/**
 * The way from a to b along the sphere (White 2016, "Sampling Generative Networks"): the direction turns at a constant rate in
 * the plane of both, and the norm goes linearly from that of a to that of b, so that equal norms stay as they are. It is
 * {@link lerp} where no plane or no shortest arc is defined: between parallel or opposite codes, and where one is 0.
 * Differentiable.
 *
 * @param a codes [..., latent], the arcs along the last axis
 * @param b codes of a shape that broadcasts with it
 * @param t 0 gives a, 1 gives b; a number, or a tensor that broadcasts with the codes, such as [N,1]
 * @throws ShapeError if the shapes do not broadcast, or the codes have different lengths
 */
export function slerp(a: Tensor, b: Tensor, t: number | Tensor): Tensor {
  if (a.rank === 0 || a.shape.at(-1) !== b.shape.at(-1)) {
    throw new ShapeError(`slerp: codes of one length are needed, not [${a.shape}] and [${b.shape}]`);
  }
  return scope(() => {
    const [lengthA, lengthB] = [a, b].map((x) => x.norm(2, -1, { keepDims: true })) as [Tensor, Tensor];
    const [u, v] = [a.div(lengthA.maximum(TINY)), b.div(lengthB.maximum(TINY))];
    // Kahan's angle: exact for small ones too, where the arc cosine of a product is not.
    const chord = (x: Tensor) => x.norm(2, -1, { keepDims: true });
    const angle = atan2(chord(u.sub(v)), chord(u.add(v))).mul(2);
    const sine = angle.sin();
    const rest = complement(t);
    const direction = u
      .mul(angle.mul(rest).sin())
      .add(v.mul(angle.mul(t).sin()))
      .div(sine.maximum(FLAT));
    const arc = direction.mul(lengthA.mul(rest).add(lengthB.mul(t)));
    const straight = lerp(a, b, t);
    // 1 where the arc is defined, in the shape of the result, as `where` takes it.
    const defined = sine.greater(FLAT).mul(lengthA.minimum(lengthB).greater(0));
    return where(defined.broadcastTo(straight.shape), arc, straight);
  });
}

/** Below this norm a code has no direction, and below this sine two directions span no plane, in float32. */
const TINY = 1e-30;
const FLAT = 1e-6;

const between = { linear: lerp, spherical: slerp };
const MODES = Object.keys(between) as InterpolationMode[];

const complement = (t: number | Tensor): number | Tensor => (t instanceof Tensor ? t.neg().add(1) : 1 - t);

function wayOf(op: string, mode: InterpolationMode) {
  return between[checkRange(op, 'mode', ranges.oneOf(MODES), mode)];
}

/** Options of {@link interpolate}. */
export interface InterpolateOptions {
  /** Steps from each code to the next. Default 8. */
  readonly steps?: number;
  /** Along a sphere or straight. Default 'spherical'. */
  readonly mode?: InterpolationMode;
  /** Goes on from the last code to the first, and leaves out the first's second showing: for animations. Default false. */
  readonly loop?: boolean;
}

/**
 * A path through codes in their order: [(K - 1) steps + 1, latent], or [K steps, latent] for a loop. Code k is row k · steps.
 *
 * @param codes [K, latent], K >= 2
 * @throws ShapeError for fewer codes; RangeError unless `steps` is a whole number above 0; TypeError for an unknown mode
 * @example
 * const path = interpolate(new Rng(1).normal([5, 64]), { steps: 12, loop: true }); // [60, 64]
 */
export function interpolate(codes: Tensor, options: InterpolateOptions = {}): Tensor {
  const { steps = 8, mode = 'spherical', loop = false } = checked('interpolate', options, ['steps', 'mode', 'loop']);
  needCodes('interpolate', codes, 2);
  checkRange('interpolate', 'steps', ranges.count, steps);
  checkRange('interpolate', 'loop', ranges.flag, loop);
  const way = wayOf('interpolate', mode);
  const k = codes.shape[0]!;
  const n = loop ? k * steps : (k - 1) * steps + 1;
  const rows = Array.from({ length: n }, (_, i) => i);
  return scope(() => {
    const column = (values: readonly number[]) => tensor(values, { shape: [values.length], device: codes.device });
    const from = codes.indexSelect(rows.map((i) => Math.floor(i / steps) % k));
    const to = codes.indexSelect(rows.map((i) => Math.ceil(i / steps) % k));
    return way(from, to, column(rows.map((i) => (i % steps) / steps)).reshape([n, 1]));
  });
}

/** Options of {@link latentGrid}. */
export interface LatentGridOptions {
  /** Rows of the grid, >= 2. Default 8. */
  readonly rows?: number;
  /** Codes in a row, >= 2. Default 8. */
  readonly columns?: number;
  /** Along a sphere or straight. Default 'spherical'. */
  readonly mode?: InterpolationMode;
}

/**
 * A grid of codes between four corners, row by row: [rows · columns, latent]. The left and the right edge are interpolated
 * first, then each row between them.
 *
 * @param corners [4, latent]: top left, top right, bottom left, bottom right
 * @throws ShapeError unless there are four; RangeError for fewer than 2 rows or columns; TypeError for an unknown mode
 */
export function latentGrid(corners: Tensor, options: LatentGridOptions = {}): Tensor {
  const { rows = 8, columns = 8, mode = 'spherical' } = checked('latentGrid', options, ['rows', 'columns', 'mode']);
  if (corners.rank !== 2 || corners.shape[0] !== 4) {
    throw new ShapeError(`latentGrid: the corners must be [4, latent], not [${corners.shape}]`);
  }
  for (const [name, value] of Object.entries({ rows, columns })) {
    checkRange('latentGrid', name, ranges.whole(2), value);
  }
  const way = wayOf('latentGrid', mode);
  const latent = corners.shape[1]!;
  return scope(() => {
    const parts = (n: number, shape: readonly number[]) =>
      tensor(
        Array.from({ length: n }, (_, i) => i / (n - 1)),
        { shape, device: corners.device },
      );
    const corner = (i: number) => corners.slice([[i, i + 1]]);
    const down = parts(rows, [rows, 1]);
    const [left, right] = [way(corner(0), corner(2), down), way(corner(1), corner(3), down)];
    const edge = (x: Tensor) => x.reshape([rows, 1, latent]);
    return way(edge(left), edge(right), parts(columns, [1, columns, 1])).reshape([rows * columns, latent]);
  });
}

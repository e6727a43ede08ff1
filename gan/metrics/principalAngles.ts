import { eigh, reference as float64, matmul, qr, scope, type Tensor, tensor, withDevice } from '../../engine/index.ts';
import { type MetricSamples, type Rows, rowsOf } from './samples.ts';

/** What is left of a column, as a share of the longest one left, that is taken for nothing. */
const NOTHING = 1e-10;

/**
 * The principal angles between the spaces that the columns of two matrices span, in degrees, the smallest first: 0 for each direction that they
 * share, 90 for one that the other space has nothing of. The largest tells how far apart two spaces of one dimension are. Scaling, turning or
 * mixing the columns changes nothing. Exact to about 1e-6 degrees: small angles come from their sines, large ones from their cosines.
 *
 * Source: Björck and Golub, "Numerical methods for computing angles between linear subspaces", Mathematics of Computation 1973, by QR factors
 * and the squared singular values of Qaᵀ Qb and Qb - Qa Qaᵀ Qb; in float64 on the host.
 * @param a a matrix [D,K], row by row, with K independent columns
 * @param b a matrix [D,L]
 * @returns min(K, L) angles
 * @throws RangeError for matrices of different D, columns that depend on each other, or values that are not finite
 * @example
 * const angles = await principalAngles({ data: decoder, shape: [784, 32] }, (await pca(digits, 32)).components);
 */
export async function principalAngles(a: MetricSamples, b: MetricSamples): Promise<Float64Array> {
  const [x, y] = [matrix('a', a), matrix('b', b)];
  if (x.count !== y.count) {
    throw new RangeError(`principalAngles: columns of ${x.count} and of ${y.count} numbers span no parts of one space`);
  }
  const [large, small] = x.width >= y.width ? [x, y] : [y, x];
  const [wide, narrow] = [large === x ? 'a' : 'b', large === x ? 'b' : 'a'];
  const found = withDevice(float64, () =>
    scope(() => {
      const [p, q] = [large, small].map(({ data, count, width }) => qr(tensor(data, { shape: [count, width] })));
      const common = matmul(p!.q, q!.q, { transposeA: true });
      const rest = q!.q.sub(matmul(p!.q, common));
      const squares = (m: Tensor): Tensor => eigh(matmul(m, m, { transposeA: true })).values;
      return { cosines: squares(common), sines: squares(rest), first: p!.r, second: q!.r };
    }),
  );
  const [cosines, sines, first, second] = await Promise.all(
    [found.cosines, found.sines, found.first, found.second].map(async (t) => {
      using values = t;
      return values.data();
    }),
  );
  independent(wide, first!, large.width);
  independent(narrow, second!, small.width);
  const root = (v: number): number => Math.sqrt(Math.max(0, v));
  // Both are in ascending order: the largest cosine belongs to the smallest sine.
  return Float64Array.from(sines!, (s, i) => (Math.atan2(root(s), root(cosines!.at(-1 - i)!)) * 180) / Math.PI);
}

function matrix(name: string, given: MetricSamples): Rows {
  const rows = rowsOf('principalAngles', name, given);
  if (given.shape.length === 2 && rows.width <= rows.count) return rows;
  throw new RangeError(`principalAngles: ${name} [${given.shape}] is no matrix [D,K] with K of 1 to D columns`);
}

/** Looks at what the triangular factor leaves of each column beside those before it. */
function independent(name: string, r: Float32Array | Float64Array, n: number): void {
  const left = Array.from({ length: n }, (_, k) => Math.abs(r[k * n + k]!));
  const most = left.reduce((a, b) => Math.max(a, b), 0);
  const column = left.findIndex((v) => !(v > NOTHING * most));
  if (column >= 0) throw new RangeError(`principalAngles: column ${column} of ${name} is made of those before it`);
}

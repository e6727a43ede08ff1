/** Linear algebra on vectors and matrices. */

import { op, options } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { number, whole } from '../arguments/ranges.ts';
import { noGrad } from '../autograd/node.ts';
import { ShapeError } from '../errors.ts';
import { methods } from '../tensor/methods.ts';
import { scope } from '../tensor/scope.ts';
import { show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { logicalNot, where } from './comparison.ts';
import { add, div, maximum, mul } from './elementwise.ts';
import { matmul } from './matmul.ts';
import { reshape } from './movement.ts';
import { norm } from './norms.ts';

/** a [N] and b [M] to [N, M]: all products. @throws ShapeError unless both are vectors @function */
export const outer = op('outer', [aTensor('a'), aTensor('b')], (a, b): Tensor => {
  if (a.rank !== 1 || b.rank !== 1) {
    throw new ShapeError(`outer: ${show(a.shape)} and ${show(b.shape)} must be vectors; reshape(x, [-1]) makes one`);
  }
  return scope(() => mul(reshape(a, [a.size, 1]), b));
});

/**
 * The sum of the products of two vectors [N], as a scalar. @throws ShapeError unless both are vectors of one length
 * @function
 */
export const dot = op('dot', [aTensor('a'), aTensor('b')], (a, b): Tensor => {
  if (a.rank !== 1 || b.rank !== 1 || a.size !== b.size) {
    throw new ShapeError(
      `dot: ${show(a.shape)} and ${show(b.shape)} must be vectors of one length; see matmul, einsum`,
    );
  }
  return matmul(a, b);
});

/** Options of {@link powerIteration} and {@link spectralNorm}. */
export interface PowerIterationOptions {
  /** Steps. Default 1, as in training where w moves little from step to step. */
  readonly iterations?: number;
  /** What a vector is divided by if its length is less. Default 1e-12, as in PyTorch. */
  readonly eps?: number;
}

const powerIterationOptions = options<PowerIterationOptions>({ iterations: whole(0), eps: number });

/** Estimates of the singular vectors of the largest singular value of w, seen as [M, N]. */
export interface SingularVectors {
  /** [N], of length 1: along the last axis of w. Keep it for the next call. */
  readonly u: Tensor;
  /** [M], of length 1. */
  readonly v: Tensor;
}

const asMatrix = (op: string, w: Tensor, u: Tensor): Tensor => {
  const n = w.shape[w.rank - 1];
  if (w.rank < 2 || u.rank !== 1 || u.size !== n) {
    throw new ShapeError(
      `${op}: w ${show(w.shape)} must be a matrix or a kernel, and u ${show(u.shape)} its last axis`,
    );
  }
  return reshape(w, [w.size / n, n]);
};

/** x of length 1, or divided by eps if it is shorter; `otherwise` where it is 0. */
function unit(x: Tensor, eps: number, otherwise?: Tensor): Tensor {
  const length = norm(x);
  // Where there is no eps, or float32 has no number so small, zeros are divided by 1.
  const y = div(x, eps < 2 ** -126 ? add(length, logicalNot(length)) : maximum(length, eps));
  return otherwise ? where(length, y, otherwise) : y;
}

/**
 * Steps of power iteration towards the singular vectors of the largest singular value of w, seen as a matrix [M, N] with the
 * last axis of w (the output channels) as N: v = w u / |w u|, u = wᵀ v / |wᵀ v|. A w of zeros leaves u as it is. No gradient
 * flows through it.
 * @throws ShapeError if u is not [N]
 * @function
 */
export const powerIteration = op(
  'powerIteration',
  [aTensor('w'), aTensor('u'), powerIterationOptions],
  (w, u, options = {}): SingularVectors => {
    const { iterations = 1, eps = 1e-12 } = options;
    return noGrad(() =>
      scope(() => {
        const m = asMatrix('powerIteration', w, u);
        let [left, right] = [u, unit(matmul(m, u), eps)];
        for (let i = 0; i < iterations; i++) {
          if (i > 0) right = unit(matmul(m, left), eps);
          left = unit(matmul(m, right, { transposeA: true }), eps, left);
        }
        return { u: left === u ? reshape(u, u.shape) : left, v: right };
      }),
    );
  },
);

/** What {@link spectralNorm} returns. */
export interface SpectralNorm extends SingularVectors {
  /** The estimate of the largest singular value, a scalar. */
  readonly sigma: Tensor;
}

/**
 * The largest singular value of w as spectral normalisation takes it (Miyato et al. 2018): sigma = vᵀ w u after power
 * iteration from u, with u and v held constant in the derivative, which is then v uᵀ. Divide w by sigma, and pass the new u
 * the next time.
 * @throws ShapeError if u is not a vector along the last axis of w
 * @function
 */
export const spectralNorm = op(
  'spectralNorm',
  [aTensor('w'), aTensor('u'), powerIterationOptions],
  (w, u, options = {}): SpectralNorm => {
    return scope(() => {
      const vectors = powerIteration(w, u, options);
      const sigma = matmul(vectors.v, matmul(asMatrix('spectralNorm', w, u), vectors.u));
      return { sigma, ...vectors };
    });
  },
);

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /** The products of all elements of this vector with all of another. */
    outer(b: Tensor): Tensor;
    /** The sum of the products of two vectors. */
    dot(b: Tensor): Tensor;
  }
}

methods({ outer, dot });

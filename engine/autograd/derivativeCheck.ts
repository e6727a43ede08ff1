/** Analytic derivatives of a function against central differences: what gradcheck runs. */

import { checked } from '../arguments/options.ts';
import { GradcheckError, GradError } from '../errors.ts';
import { reference } from '../reference/device.ts';
import { Rng } from '../rng.ts';
import { scope } from '../tensor/scope.ts';
import { sameShape, show } from '../tensor/shape.ts';
import { type Tensor, tensor } from '../tensor/tensor.ts';
import { pushForward } from './forward.ts';
import { grad } from './grad.ts';
import type { Fn, GradcheckOptions } from './gradcheckOptions.ts';
import { culprit, isReadable, type Local, outputsOf, sideBySide } from './gradcheckReport.ts';
import { enableGrad, noGrad } from './node.ts';

const inner = (a: Float64Array, b: Float64Array): number => a.reduce((s, v, i) => s + v * b[i]!, 0);
const total = (a: Float64Array): number => a.reduce((s, v) => s + Math.abs(v), 0);

/** A function at a point. `values` are changed and restored while it is probed. */
export class Check {
  readonly #name: string;
  readonly #fn: Fn;
  readonly #like: readonly Tensor[];
  readonly #values: readonly Float64Array[];
  readonly #eps: number;
  readonly #atol: number;
  readonly #rtol: number;
  readonly #options: GradcheckOptions;
  /** The check whose gradient this one is of: where to look for an op at fault. */
  readonly #of: Check;
  #worst = 0;

  constructor(
    name: string,
    fn: Fn,
    like: readonly Tensor[],
    values: readonly Float64Array[],
    options: GradcheckOptions,
    of?: Check,
  ) {
    this.#of = of ?? this;
    const names = ['eps', 'atol', 'rtol', 'fast', 'checkForwardAd', 'seed'] as const;
    const { eps = 1e-6, atol = 1e-5, rtol = 1e-3 } = checked(name, options, names);
    if (!(eps > 0)) throw new RangeError(`${name}: eps must be more than 0, not ${eps}`);
    [this.#name, this.#fn, this.#like, this.#values] = [name, fn, like, values];
    [this.#eps, this.#atol, this.#rtol, this.#options] = [eps, atol, rtol, options];
  }

  /** @param local how a single op is checked, to name the one at fault */
  run(local?: Local): number {
    this.#sameTwice();
    try {
      if (this.#options.fast) this.#directions();
      else this.#jacobian();
    } catch (error) {
      if (local && error instanceof GradcheckError) {
        const found = this.#of.#culprit(local);
        if (found) error.message += `\n${found}`;
      }
      throw error;
    }
    return this.#worst;
  }

  #culprit(local: Local): string | undefined {
    return scope(() => {
      const xs = this.#leaves();
      return culprit(this.outputs(xs), xs, local);
    });
  }

  /** The outputs as tensors. Recorded, because `fn` may itself take a gradient. */
  outputs(leaves = this.#leaves()): Tensor[] {
    return enableGrad(() => this.called(leaves));
  }

  /** What the function gives, which is the user's. */
  called(leaves: readonly Tensor[]): Tensor[] {
    return outputsOf(this.#name, this.#fn, leaves);
  }

  #leaves(): Tensor[] {
    return this.#like.map((t, i) =>
      tensor(this.#values[i]!, { shape: t.shape, requiresGrad: true, label: this.#at(i) }),
    );
  }

  #at(i: number): string {
    return this.#like[i]!.label ?? `input ${i}`;
  }

  #evaluate(): Float64Array[] {
    return scope(() => this.outputs().map((y) => reference.values(y.storage).slice()));
  }

  #sameTwice(): void {
    const [first, second] = [this.#evaluate(), this.#evaluate()];
    first.forEach((y, k) => {
      const r = y.findIndex((v, j) => !Object.is(v, second[k]![j]));
      if (r >= 0) {
        throw new GradcheckError(
          `${this.#name}: output ${k}, element ${r} is ${y[r]} in one call and ${second[k]![r]} in the next; the function must be deterministic (seed its random numbers inside it)`,
        );
      }
    });
  }

  /** Calls `use` with the outputs and a pullback to the inputs' cotangents. */
  #differentiated<T>(use: (ys: readonly Tensor[], pullback: (k: number, g: Float64Array) => Float64Array[]) => T): T {
    return scope(() => {
      const xs = this.#leaves();
      const ys = this.outputs(xs);
      if (!ys.some((y) => y.requiresGrad))
        throw new GradError(`${this.#name}: no output of the function depends on its inputs`);
      const pullback = (k: number, g: Float64Array): Float64Array[] =>
        scope(() => {
          const y = ys[k]!;
          if (!y.requiresGrad) return xs.map((x) => new Float64Array(x.size));
          const gradOutputs = [tensor(g, { shape: y.shape })];
          const found = grad(y, xs, { gradOutputs, retainGraph: true, allowUnused: true });
          for (const [i, t] of found.entries()) this.#fits(t, i);
          return found.map((t) => reference.values(t.storage).slice());
        });
      return use(ys, pullback);
    });
  }

  #fits(g: Tensor, i: number): void {
    const { shape } = this.#like[i]!;
    if (!sameShape(g.shape, shape)) {
      throw new GradcheckError(
        `${this.#name}: the gradient of ${this.#at(i)} ${show(shape)} has the shape ${show(g.shape)}`,
      );
    }
  }

  /** Central difference of all outputs along `step`, added to input i. */
  #difference(i: number, move: (x: Float64Array, sign: 1 | -1) => void): Float64Array[] {
    const x = this.#values[i]!;
    const kept = x.slice();
    move(x, 1);
    const above = this.#evaluate();
    x.set(kept);
    move(x, -1);
    const below = this.#evaluate();
    x.set(kept);
    return above.map((y, k) => y.map((v, r) => (v - below[k]![r]!) / (2 * this.#eps)));
  }

  /** Tangents of all outputs along v of input i. */
  #pushed(i: number, v: Float64Array): Float64Array[] {
    return scope(() => {
      const xs = this.#leaves();
      const tangent = tensor(v, { shape: xs[i]!.shape });
      return this.outputs(xs).map((y) => {
        const found = noGrad(() => pushForward(y, [xs[i]!], [tangent], false));
        return found ? reference.values(found.storage).slice() : new Float64Array(y.size);
      });
    });
  }

  #jacobian(): void {
    // analytic[k][r][i]: the row of output k's element r, for input i.
    const [shapes, analytic] = this.#differentiated((ys, pullback) => [
      ys.map((y) => y.shape),
      ys.map((y, k) =>
        Array.from({ length: y.size }, (_, r) => {
          const one = new Float64Array(y.size);
          one[r] = 1;
          return pullback(k, one);
        }),
      ),
    ]);
    this.#values.forEach((x, i) => {
      for (let at = 0; at < x.length; at++) {
        const numeric = this.#difference(i, (v, sign) => {
          v[at]! += sign * this.#eps;
        });
        const pushed =
          this.#options.checkForwardAd &&
          this.#pushed(
            i,
            x.map((_, j) => (j === at ? 1 : 0)),
          );
        numeric.forEach((column, k) => {
          column.forEach((value, r) => {
            const place = () =>
              `output ${k} ${show(shapes[k]!)}, element ${r}, with respect to ${this.#at(i)} ${show(this.#like[i]!.shape)}, element ${at}`;
            this.#compare(analytic[k]![r]![i]![at]!, value, 1, place, () =>
              this.#both(
                analytic[k]!.map((row) => row[i]!),
                i,
                k,
              ),
            );
            if (pushed) this.#compare(pushed[k]![r]!, value, 1, () => `forward mode, ${place()}`);
          });
        });
      }
    });
  }

  /** Both Jacobians of output k by input i, as far as they are small enough to be read. */
  #both(analytic: readonly Float64Array[], i: number, k: number): string {
    const { length } = this.#values[i]!;
    if (!isReadable(analytic.length, length)) return '';
    const column = (at: number): Float64Array =>
      this.#difference(i, (v, sign) => {
        v[at]! += sign * this.#eps;
      })[k]!;
    return sideBySide(
      analytic,
      Array.from({ length }, (_, at) => column(at)),
    );
  }

  #directions(): void {
    const rng = new Rng(this.#options.seed ?? 0);
    const direction = (n: number): Float64Array => {
      const v = Float64Array.from(rng.hostNormal(n));
      const length = Math.sqrt(inner(v, v)) || 1;
      return v.map((c) => c / length);
    };
    const [us, pulled] = this.#differentiated((ys, pullback) => {
      const drawn = ys.map((y) => direction(y.size));
      return [drawn, drawn.map((u, k) => pullback(k, u))];
    });
    this.#values.forEach((x, i) => {
      const v = direction(x.length);
      const numeric = this.#difference(i, (w, sign) => {
        v.forEach((c, at) => {
          w[at]! += sign * this.#eps * c;
        });
      });
      const pushed = this.#options.checkForwardAd && this.#pushed(i, v);
      us.forEach((u, k) => {
        const scale = total(u) * total(v);
        const place = () => `output ${k} along a random direction, with respect to ${this.#at(i)} along another`;
        try {
          this.#compare(inner(pulled[k]![i]!, v), inner(numeric[k]!, u), scale, place);
          if (pushed)
            this.#compare(inner(pushed[k]!, u), inner(numeric[k]!, u), scale, () => `forward mode, ${place()}`);
        } catch (error) {
          this.#jacobian(); // names the element, unless the difference only shows in the sum
          throw error;
        }
      });
    });
  }

  #compare(analytic: number, numeric: number, scale: number, place: () => string, more = (): string => ''): void {
    const difference = Math.abs(analytic - numeric);
    const allowed = this.#atol * scale + this.#rtol * Math.abs(numeric);
    if (!(difference <= allowed)) {
      throw new GradcheckError(
        `${this.#name}: ${place()}: analytic ${analytic}, numeric ${numeric} (difference ${difference}, allowed ${allowed})${more()}`,
      );
    }
    this.#worst = Math.max(this.#worst, difference / Math.max(1, Math.abs(numeric)));
  }
}

import { withDevice } from './device.ts';
import { GradcheckError, GradError } from './errors.ts';
import { grad } from './grad.ts';
import { enableGrad } from './node.ts';
import { reference } from './reference/device.ts';
import { scope } from './scope.ts';
import { show } from './shape.ts';
import { Tensor, tensor } from './tensor.ts';

export interface GradcheckOptions {
  /** Step of the central difference. Default 1e-6. */
  readonly eps?: number;
  /** Allowed |analytic - numeric| is atol + rtol · |numeric|. Defaults 1e-5 and 1e-3, as in PyTorch. */
  readonly atol?: number;
  readonly rtol?: number;
}

type Fn = (...inputs: Tensor[]) => Tensor | Tensor[];

/**
 * Compares the gradient of `fn` with central differences, element by element, in float64 on the reference device whatever
 * the current device is. `fn` must be deterministic, and must make any constants inside itself (they are then float64 too).
 * @returns the largest |analytic - numeric|, relative to |numeric| where that is above 1
 * @throws GradcheckError naming input, index, analytic and numeric value
 */
export async function gradcheck(fn: Fn, inputs: readonly Tensor[], options: GradcheckOptions = {}): Promise<number> {
  const values = await Promise.all(inputs.map(async (t) => Float64Array.from(await t.data())));
  return withDevice(reference, () => check(fn, inputs, values, options, 'gradcheck'));
}

/** As `gradcheck`, for the gradient's own gradient: with respect to the inputs and to the cotangents of the outputs. */
export async function gradgradcheck(
  fn: Fn,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): Promise<number> {
  const values = await Promise.all(inputs.map(async (t) => Float64Array.from(await t.data())));
  return withDevice(reference, () =>
    scope(() => {
      const n = inputs.length;
      // Recorded, because `fn` may itself take a gradient.
      const leaves = inputs.map((t, i) => tensor(values[i]!, { shape: t.shape, requiresGrad: true }));
      const probe = enableGrad(() => listOf(fn(...leaves)));
      const cotangents = probe.map((y, k) => tensor(pattern(y.size, k), { shape: y.shape, label: `cotangent ${k}` }));
      const second: Fn = (...all) => {
        const xs = all.slice(0, n);
        const ys = listOf(fn(...xs));
        return grad(ys, xs, { gradOutputs: all.slice(n), createGraph: true, allowUnused: true });
      };
      const all = [...values, ...cotangents.map((t) => reference.values(t.storage).slice())];
      return check(second, [...inputs, ...cotangents], all, options, 'gradgradcheck');
    }),
  );
}

const listOf = (y: Tensor | Tensor[]): Tensor[] => (y instanceof Tensor ? [y] : y);

/** Cotangents without symmetry, so that errors do not cancel. */
const pattern = (n: number, k: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => Math.sin(1 + 2.3 * i + k) + 0.3);

function check(
  fn: Fn,
  like: readonly Tensor[],
  values: readonly Float64Array[],
  options: GradcheckOptions,
  name: string,
): number {
  let worst = 0;
  const { eps = 1e-6, atol = 1e-5, rtol = 1e-3 } = options;
  const leaves = () =>
    like.map((t, i) => tensor(values[i]!, { shape: t.shape, requiresGrad: true, label: t.label ?? `input ${i}` }));
  /** The outputs weighted by fixed cotangents, as one number. */
  const probe = () => scope(() => enableGrad(() => listOf(fn(...leaves())).reduce((s, y, k) => s + weigh(y, k), 0)));
  const analytic = scope(() =>
    enableGrad(() => {
      const xs = leaves();
      const ys = listOf(fn(...xs));
      if (!ys.some((y) => y.requiresGrad))
        throw new GradError(`${name}: no output of the function depends on its inputs`);
      const gradOutputs = ys.map((y, k) => tensor(pattern(y.size, k), { shape: y.shape }));
      return grad(ys, xs, { gradOutputs, allowUnused: true }).map((g) => reference.values(g.storage).slice());
    }),
  );
  values.forEach((x, i) => {
    for (let at = 0; at < x.length; at++) {
      const kept = x[at]!;
      x[at] = kept + eps;
      const above = probe();
      x[at] = kept - eps;
      const below = probe();
      x[at] = kept;
      const numeric = (above - below) / (2 * eps);
      const found = analytic[i]![at]!;
      worst = Math.max(worst, Math.abs(found - numeric) / Math.max(1, Math.abs(numeric)));
      if (!(Math.abs(found - numeric) <= atol + rtol * Math.abs(numeric))) {
        const t = like[i]!;
        throw new GradcheckError(
          `${name}: ${t.label ?? `input ${i}`} ${show(t.shape)}, element ${at}: analytic ${found}, numeric ${numeric} (difference ${Math.abs(found - numeric)}, allowed ${atol + rtol * Math.abs(numeric)})`,
        );
      }
    }
  });
  return worst;
}

function weigh(y: Tensor, k: number): number {
  const weights = pattern(y.size, k);
  return reference.values(y.storage).reduce((s, v, i) => s + v * weights[i]!, 0);
}

import type { Dispatch, Plan } from '../../kernels/kernel.ts';
import { checked, shown } from '../arguments/options.ts';
import { atLeast, checkRange } from '../arguments/ranges.ts';
import { currentDevice, type Storage, withDevice } from '../device.ts';
import { DeviceError, KernelcheckError } from '../errors.ts';
import { reference } from '../reference/device.ts';
import { scope } from '../tensor/scope.ts';
import { type Shape, sameShape, show, sizeOf } from '../tensor/shape.ts';
import { Tensor, tensor } from '../tensor/tensor.ts';
import { WebGpuDevice } from '../webgpu/device.ts';
import { definitionOf, resultsOf } from './customOp.ts';
import type { CustomOp } from './customOpTypes.ts';
import { arityOf, checkCount, checkedPlan, checkedShape } from './customPlan.ts';
import { bindingsOf, NOTED, withCheckedIndices } from './wgsl.ts';

/** Options of {@link kernelcheck}. */
export interface KernelcheckOptions {
  /** Allowed |shader - forward| is atol + rtol · |forward|. Default 1e-5. */
  readonly atol?: number;
  /** See `atol`. Default 1e-4: sums of many terms in float32 may need more. */
  readonly rtol?: number;
  /**
   * Run the shader first with every index into its storage buffers checked, so that one outside is named, and harms nothing.
   * Not seen is what goes through a pointer to a whole buffer. Default true; false leaves the search to the guards around the
   * buffers.
   */
  readonly robust?: boolean;
}

/** Elements on both sides of each buffer that nobody may write; a multiple of the 64 to which views are aligned. */
const GUARD = 1024;
/** A NaN that no arithmetic makes: what still holds it was not written. */
const BLANK = 0x7fc5a5a5;

/**
 * Compares the kernel of a {@link customOp} with its `forward`: the shader runs on the current WebGPU device, `forward` in float64
 * on the reference device, both on the inputs rounded to float32. Outputs, saved tensors and temps are filled with NaN before the
 * launch, so that elements which the shader leaves out show; around each buffer lie guards that must not change; with `robust`
 * each index of the shader is checked too.
 * @param inputs those of one call, or a list of such lists: give several shapes, sizes that fill no workgroup among them
 * @returns the largest |shader - forward|, relative to |forward| where that is above 1
 * @throws KernelcheckError naming the op, the element, and both values; or the index outside
 * @throws TypeError for a function that `customOp` did not make, or an op without a kernel; DeviceError without a WebGPU device
 * @example
 * await kernelcheck(cube, [tensor([0.3, -1.2])]);
 * await kernelcheck(dotRows, [[ones([3, 5]), ones([3, 5])], [ones([1, 129]), ones([1, 129])]]); // two inputs, two shapes
 */
export async function kernelcheck(
  op: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[] | readonly (readonly Tensor[])[],
  options: KernelcheckOptions = {},
): Promise<number> {
  const { atol = 1e-5, rtol = 1e-4, robust = true } = checked('kernelcheck', options, ['atol', 'rtol', 'robust']);
  for (const [name, v] of Object.entries({ atol, rtol })) checkRange('kernelcheck', name, atLeast(0), v);
  const own = typeof op === 'function' ? definitionOf(op) : undefined;
  if (!own) throw new TypeError(`kernelcheck: the first argument is an op that customOp made, not ${shown(op)}`);
  const arity = arityOf(own);
  if (!own.kernel) throw new TypeError(`kernelcheck: ${own.name} has no kernel: WebGPU runs its forward`);
  const gpu = currentDevice();
  if (!(gpu instanceof WebGpuDevice)) {
    throw new DeviceError(`kernelcheck: the current device is ${gpu.name}, which runs no shaders; await init() first`);
  }
  const isList = (list: unknown): list is readonly Tensor[] =>
    Array.isArray(list) && list.length > 0 && list.every((t) => t instanceof Tensor);
  const calls: readonly unknown[] = isList(inputs) ? [inputs] : Array.isArray(inputs) ? inputs : [undefined];
  if (calls.length === 0 || !calls.every(isList)) {
    throw new TypeError(
      `kernelcheck: the inputs are a list of tensors, as in kernelcheck(op, [x]), or a list of such lists, not ${shown(inputs)}`,
    );
  }
  let worst = 0;
  for (const call of calls) {
    checkCount(own.name, arity, call.length);
    const values = await Promise.all(call.map(async (t) => Float32Array.from(await t.data())));
    const shapes = call.map((t) => t.shape);
    worst = Math.max(worst, await new KernelCall(gpu, own, shapes, values, { atol, rtol }).run(robust));
  }
  return worst;
}

/** `element 3 [1,0]`: a place in a flat array, and in its shape. */
function place(at: number, shape: Shape): string {
  let rest = at;
  const index = [...shape].reverse().map((d) => {
    const i = rest % d;
    rest = Math.floor(rest / d);
    return i;
  });
  return `element ${at}${shape.length > 1 ? ` ${show(index.reverse())}` : ''}`;
}

class KernelCall {
  readonly #gpu: WebGpuDevice;
  readonly #op: CustomOp;
  readonly #shapes: readonly Shape[];
  readonly #values: readonly Float32Array<ArrayBuffer>[];
  readonly #allowed: { readonly atol: number; readonly rtol: number };
  /** The shapes of the output and of what is saved. */
  readonly #outputs: readonly Shape[];
  readonly #plan: Plan;
  readonly #names: readonly string[];
  /** Elements of each buffer. */
  readonly #sizes: readonly number[];

  constructor(
    gpu: WebGpuDevice,
    op: CustomOp,
    shapes: readonly Shape[],
    values: readonly Float32Array<ArrayBuffer>[],
    allowed: { readonly atol: number; readonly rtol: number },
  ) {
    [this.#gpu, this.#op, this.#shapes, this.#values, this.#allowed] = [gpu, op, shapes, values, allowed];
    const kernel = op.kernel!;
    this.#outputs = [kernel.shape(...shapes), ...(kernel.saved?.(...shapes) ?? [])].map((s) =>
      checkedShape(op.name, 'its kernel', s),
    );
    const plan = kernel.plan({ inputs: shapes, output: this.#outputs[0]!, target: gpu.target });
    this.#plan = checkedPlan(op.name, plan, { inputs: shapes, outputs: this.#outputs });
    const temps = this.#plan.temps ?? [];
    this.#sizes = [...shapes.map(sizeOf), ...this.#outputs.map(sizeOf), ...temps];
    this.#names = [
      ...shapes.map((s, i) => `input ${i} ${show(s)}`),
      ...this.#outputs.map((s, i) => (i === 0 ? `the output ${show(s)}` : `saved ${i - 1} ${show(s)}`)),
      ...temps.map((n, i) => `temp ${i} [${n}]`),
    ];
  }

  async run(robust: boolean): Promise<number> {
    const right = this.#forward();
    if (robust) await this.#indices();
    const buffers = this.#buffers();
    try {
      this.#gpu.dispatch(
        this.#plan.dispatches,
        buffers.map((b) => b.inner),
      );
      const found = await Promise.all(buffers.map((b) => this.#gpu.read(b.whole)));
      const inputs = this.#shapes.length;
      for (const [k, values] of found.entries()) this.#guards(new Uint32Array(values.buffer), k);
      return Math.max(
        0,
        ...right.map((expected, k) => {
          const inner = found[inputs + k]!.subarray(GUARD, GUARD + expected.length);
          return this.#compare(k, inner as Float32Array<ArrayBuffer>, expected);
        }),
      );
    } finally {
      for (const b of buffers) for (const s of [b.inner, b.whole]) s.release();
    }
  }

  /** What `forward` gives in float64. */
  #forward(): Float64Array[] {
    return withDevice(reference, () =>
      scope(() => {
        const xs = this.#values.map((v, i) => tensor(v, { shape: this.#shapes[i]! }));
        const made = resultsOf(this.#op, xs);
        if (made.length !== this.#outputs.length || made.some((t, i) => !sameShape(t.shape, this.#outputs[i]!))) {
          throw this.#error(
            `forward gives ${made.map((t) => show(t.shape)).join(', ')}, and the kernel's shapes are ${this.#outputs.map(show).join(', ')}`,
          );
        }
        return made.map((t) => reference.values(t.storage).slice());
      }),
    );
  }

  /** Each buffer in the middle of a larger one: inputs with their values, the others blank. */
  #buffers(): { readonly whole: Storage; readonly inner: Storage }[] {
    return this.#sizes.map((size, k) => {
      const words = new Uint32Array(size + 2 * GUARD).fill(BLANK);
      const floats = new Float32Array(words.buffer);
      const given = this.#values[k];
      if (given) floats.set(given, GUARD);
      const whole = this.#gpu.allocate(floats.length);
      this.#gpu.write(whole, floats);
      return { whole, inner: this.#gpu.view(whole, GUARD, size) };
    });
  }

  /** Runs the shaders with checked indices, and throws for the first one outside. */
  async #indices(): Promise<void> {
    const { dispatches } = this.#plan;
    const slots = dispatches.flatMap((d, i) => d.args.map((arg, k) => ({ d, i, arg, k })));
    const noted = this.#gpu.allocate(slots.length * NOTED);
    this.#gpu.write(noted, new Float32Array(noted.size));
    const buffers = this.#buffers();
    try {
      let base = 0;
      const checkedOnes = dispatches.map((d): Dispatch => {
        const source = withCheckedIndices(
          d.kernel.source,
          d.args.map((a) => this.#sizes[a]!),
          base * NOTED,
        );
        base += d.args.length;
        const kernel = { ...d.kernel, source, access: [...d.kernel.access, 'write' as const] };
        return { ...d, kernel, args: [...d.args, buffers.length] };
      });
      const most = Math.max(0, ...checkedOnes.map((d) => d.args.length));
      if (most > this.#gpu.target.maxStorageBuffers) {
        throw new DeviceError(
          `kernelcheck: ${this.#op.name}: checked indices take one storage buffer more than the ${most - 1} that the kernel binds, and this adapter has no more; pass { robust: false }`,
        );
      }
      this.#gpu.dispatch(checkedOnes, [...buffers.map((b) => b.inner), noted]);
      const words = new Uint32Array((await this.#gpu.read(noted)).buffer);
      slots.forEach(({ d, i, arg, k }, slot) => {
        for (const [way, at] of [
          ['reads', slot * NOTED],
          ['writes', slot * NOTED + 2],
        ] as const) {
          if (words[at] === 0) continue;
          const { name, stride } = bindingsOf(d.kernel.source).storage.get(k + 1)!;
          const count = Math.ceil((this.#sizes[arg]! * 4) / stride!);
          const launch = dispatches.length > 1 ? ` in launch ${i}` : '';
          throw this.#error(
            `the shader ${d.kernel.name} ${way} ${name}[${words[at + 1]! | 0}]${launch}, outside of ${this.#names[arg]}, which has ${count} elements there`,
          );
        }
      });
    } finally {
      for (const b of buffers) for (const s of [b.inner, b.whole]) s.release();
      noted.release();
    }
  }

  /** Nothing around a buffer may have changed, and nothing in an input. */
  #guards(words: Uint32Array, k: number): void {
    const size = this.#sizes[k]!;
    const given = this.#values[k];
    const before = given && new Uint32Array(given.buffer);
    for (let i = 0; i < words.length; i++) {
      const at = i - GUARD;
      const inside = at >= 0 && at < size;
      if (inside && !before) continue;
      if (words[i] === (inside ? before![at] : BLANK)) continue;
      const value = new Float32Array(words.buffer)[i];
      if (inside) throw this.#error(`the shader overwrites ${this.#names[k]}, element ${at}, with ${value}`);
      throw this.#error(
        `the shader writes ${value} ${at < 0 ? `${-at} elements before the start` : `${at - size + 1} elements past the end`} of ${this.#names[k]}`,
      );
    }
  }

  /** @returns the largest error of output k */
  #compare(k: number, found: Float32Array<ArrayBuffer>, expected: Float64Array): number {
    const name = this.#names[this.#shapes.length + k]!;
    const shape = this.#outputs[k]!;
    const words = new Uint32Array(found.buffer, found.byteOffset, found.length);
    const { atol, rtol } = this.#allowed;
    let worst = 0;
    for (let i = 0; i < expected.length; i++) {
      const [a, b] = [found[i]!, expected[i]!];
      if (words[i] === BLANK)
        throw this.#error(
          `${name}: the shader does not write ${place(i, shape)}, or reads it before; forward gives ${b}`,
        );
      if (!Number.isFinite(a) && Object.is(a, Math.fround(b))) continue;
      const difference = Math.abs(a - b);
      const allowed = atol + rtol * Math.abs(b);
      if (!(difference <= allowed)) {
        throw this.#error(
          `${name}, ${place(i, shape)}: the shader gives ${a}, forward ${b} (difference ${difference}, allowed ${allowed})`,
        );
      }
      worst = Math.max(worst, difference / Math.max(1, Math.abs(b)));
    }
    return worst;
  }

  #error(what: string): KernelcheckError {
    return new KernelcheckError(`kernelcheck: ${this.#op.name}${this.#of()}: ${what}`);
  }

  #of(): string {
    return ` of ${this.#shapes.map(show).join(' and ')}`;
  }
}

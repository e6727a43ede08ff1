/** What a compiled step finds in `.grad`, and what it leaves there. */

import { Storage } from '../device.ts';
import { DeviceError } from '../errors.ts';
import { adopt, KEPT } from '../tensor/lifetime.ts';
import { type Shape, show } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { WebGpuDevice } from '../webgpu/device.ts';
import { padded } from '../webgpu/pool.ts';
import type { CapturedOps } from './capturedOps.ts';
import type { Gradients } from './live.ts';

/** What each run leaves as the gradient of a tensor; without a storage, none. */
export interface Left {
  readonly of: Tensor;
  readonly storage?: Storage;
  readonly shape: Shape;
}

const shapeOf = (g: Tensor | undefined): string | undefined => g && show(g.shape);

/**
 * Stands between a step that is captured and the gradients of the tensors outside: these stay as they are while it is, and each run
 * takes and leaves what the step did.
 */
export class StepGradients implements Gradients {
  /** The gradients that the step found, and the memory from which it reads them: each run copies them there. */
  readonly found: { readonly of: Tensor; readonly storage: Storage }[] = [];
  /** What was there when the step looked: with or without a gradient it is another capture. */
  readonly decisions: { readonly read: () => unknown; readonly was: unknown }[] = [];
  /** The gradients as they stand in the step, and whether it has changed them. */
  readonly #now = new Map<Tensor, { readonly g: Tensor | undefined; readonly changed: boolean }>();
  readonly #device: WebGpuDevice;
  #captured: CapturedOps | undefined;

  constructor(device: WebGpuDevice) {
    this.#device = device;
  }

  /** The step begins. */
  begin(captured: CapturedOps): void {
    this.#captured = captured;
  }

  read(x: Tensor, before: Tensor | undefined): Tensor | undefined {
    const known = this.#now.get(x);
    if (known || !this.#isOutside(x)) return known?.g;
    this.decisions.push({ read: () => shapeOf(x.grad), was: shapeOf(before) });
    const g = before && this.#standIn(x, before);
    this.#now.set(x, { g, changed: false });
    return g;
  }

  write(x: Tensor, g: Tensor | undefined): void {
    this.#checkDevice(x, g);
    const before = this.#now.get(x)?.g;
    if (before !== g) this.#free(before);
    this.#now.set(x, { g, changed: true });
  }

  /**
   * What the step leaves, at its end; what stood for gradients in it is freed.
   * @param inputs the step's
   * @throws DeviceError for a gradient left in an input, which is a copy of what the caller has
   */
  leave(inputs: readonly Tensor[]): Left[] {
    const i = inputs.findIndex((x) => this.#now.get(x)?.g);
    if (i >= 0) {
      throw new DeviceError(
        `compile: backward() leaves a gradient in input ${i}, ${inputs[i]!.describe()}, which is a copy in the step; take it with grad(), and return it`,
      );
    }
    const left = [...this.#now].flatMap(([of, { g, changed }]): Left[] =>
      changed && this.#isOutside(of)
        ? [{ of, shape: g?.shape ?? of.shape, ...(g && { storage: g.storage.share() }) }]
        : [],
    );
    this.#drop();
    return left;
  }

  /** Gives back what it holds; the step has failed, or its capture goes. */
  release(): void {
    this.#drop();
    for (const { storage } of this.found.splice(0)) storage.release();
  }

  /** A tensor in place of one from outside that each run may find another in. */
  #standIn(x: Tensor, before: Tensor): Tensor {
    this.#checkDevice(x, before);
    const { size, shape, label } = before;
    const { pool } = this.#device.replayHost();
    const storage = new Storage(pool.take(padded(size), `compile: the gradient of ${x.describe()}`), 0, size);
    this.#captured!.constant.add(storage.buffer);
    this.found.push({ of: x, storage });
    const g = new Tensor(storage.share(), shape, false, label);
    adopt(g, KEPT);
    return g;
  }

  #checkDevice(x: Tensor, g: Tensor | undefined): void {
    if (!g || g.device === this.#device) return;
    throw new DeviceError(
      `compile: the gradient of ${x.describe()} lives on ${g.device.name}, and the step runs on ${this.#device.name}`,
    );
  }

  #drop(): void {
    for (const { g } of this.#now.values()) this.#free(g);
    this.#now.clear();
  }

  #free(g: Tensor | undefined): void {
    if (g && !this.#isOutside(g)) g.dispose();
  }

  #isOutside(x: Tensor): boolean {
    return !x.isDisposed && this.#captured!.isOutside(x.storage);
  }
}

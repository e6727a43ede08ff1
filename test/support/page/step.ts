/** One training step of a critic with a gradient penalty, from fixed seeds: run in Node and, bundled, in a browser. */

import type { Device } from '../../../engine/device.ts';
import { destroy, grad, init, Rng, scope, zeros } from '../../../engine/index.ts';
import { optimizerStep } from '../../../engine/internal.ts';
import type { WebGpuDevice } from '../../../engine/webgpu/device.ts';
import { criticBatch, criticLoss, criticParameters } from '../critic.ts';

export interface Step {
  readonly device: string;
  readonly kind: string;
  readonly family: string;
  /** By name: the loss, each parameter's gradient, a parameter after Adam's step, random numbers. */
  readonly values: Readonly<Record<string, readonly number[]>>;
}

/** @param open makes a device current */
export async function browserStep(open: () => Promise<Device> = () => init()): Promise<Step> {
  const device = await open();
  const tensors = scope(() => {
    const parameters = criticParameters();
    const loss = criticLoss(...criticBatch(), parameters);
    const gradients = grad(loss, parameters);
    const updated = parameters[4]!;
    const hyper = { lr: 0.01, beta1: 0.5, beta2: 0.9, eps: 1e-8, weightDecay: 0, l2: 0, step: 1 };
    optimizerStep('adam', updated, [zeros([24]), zeros([24])], [gradients[4]!], {
      lengths: [24],
      offsets: [0],
      ...hyper,
    });
    return {
      loss,
      updated,
      normal: new Rng(3).normal([9]),
      ...Object.fromEntries(parameters.map((p, i) => [`gradient of ${p.label}`, gradients[i]!])),
    };
  });
  const values: Record<string, number[]> = {};
  for (const [name, t] of Object.entries(tensors)) values[name] = Array.from(await t.data());
  const { name, kind, target } = device as WebGpuDevice;
  destroy();
  return { device: name, kind, family: target.family, values };
}

Object.assign(globalThis, { browserStep });

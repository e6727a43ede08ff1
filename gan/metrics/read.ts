import { type Device, ones, scope, type Tensor, withDevice } from '../../engine/index.ts';

/** Where a metric computes: what was asked for, else the device that is current now, before anything is waited for. */
export function deviceFor(device: Device | undefined): Device {
  if (device) return device;
  using probe = ones([]);
  return probe.device;
}

/** The values of what `fn` makes on the device. The work is on its way when this returns, and its memory is freed. */
export function readFrom(device: Device, fn: () => Tensor): Promise<Float32Array | Float64Array> {
  using result = withDevice(device, () => scope(fn));
  return result.data();
}

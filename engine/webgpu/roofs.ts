import type { Dispatch } from '../../kernels/kernel.ts';
import { copyRoof, fmaRoof } from '../../kernels/roof.ts';
import { guarded, kind } from '../arguments/arguments.ts';
import type { Storage } from '../device.ts';
import { WebGpuDevice } from './device.ts';

/** What an adapter can do at best. */
export interface Roofs {
  /** float32 multiply-adds, two operations each, in 10^9 a second. */
  readonly gflops: number;
  /** Bytes read and written by a copy, in 10^9 a second. */
  readonly gbps: number;
}

const aWebGpuDevice = kind<WebGpuDevice>('device', 'a WebGPU device that init gave', (v) => v instanceof WebGpuDevice);

/**
 * Measures the arithmetic and the memory roof: the best of five timed runs each, waits included. Takes a second or so.
 * @throws DeviceError if the device was lost
 * @function
 */
export const measureRoofs = guarded('measureRoofs', [aWebGpuDevice], async (device: WebGpuDevice): Promise<Roofs> => {
  let gflops = 0;
  for (const fused of [true, false]) {
    const { plan, flops, outputSize } = fmaRoof(device.target, { fused });
    gflops = Math.max(gflops, (await rate(device, plan.dispatches, [device.allocate(outputSize)])) * flops);
  }
  const n = 2 ** 22;
  const { plan, bytes } = copyRoof(device.target, n);
  const gbps = (await rate(device, plan.dispatches, [device.allocate(n), device.allocate(n)])) * bytes;
  return { gflops: gflops / 1e9, gbps: gbps / 1e9 };
});

/** Runs a second at best, over five runs after a first one that compiles. Releases the storages. */
async function rate(
  device: WebGpuDevice,
  dispatches: readonly Dispatch[],
  storages: readonly Storage[],
): Promise<number> {
  let best = 0;
  for (let run = 0; run < 6; run++) {
    const began = performance.now();
    device.dispatch(dispatches, storages);
    await device.sync();
    if (run > 0) best = Math.max(best, 1000 / (performance.now() - began));
  }
  for (const s of storages) s.release();
  return best;
}

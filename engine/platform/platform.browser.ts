import type { AdapterChoice } from '../adapters.ts';
import { DeviceError } from '../errors.ts';
import type { Opened } from '../webgpu/opened.ts';

export type { AdapterChoice };

/** Features and limits that kernels use where the adapter has them. @internal */
export async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const wanted: GPUFeatureName[] = ['subgroups', 'shader-f16', 'timestamp-query'];
  const { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage } = adapter.limits;
  return adapter.requestDevice({
    requiredFeatures: wanted.filter((f) => adapter.features.has(f)),
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage },
  });
}

/** Whether an adapter runs on the CPU. @internal */
export const isSoftware = ({ description, vendor, architecture }: GPUAdapterInfo): boolean =>
  /swiftshader|llvmpipe|lavapipe|softpipe|warp|microsoft basic render/i.test(
    `${description} ${vendor} ${architecture}`,
  );

/** Opens the browser's adapter. @internal */
export async function openDevice(choice: AdapterChoice): Promise<Opened> {
  if (!globalThis.navigator?.gpu) {
    throw new DeviceError(
      'this browser has no WebGPU (navigator.gpu): use a current Chrome, Edge, Firefox or Safari over https or localhost, or init({ adapter: "reference" })',
    );
  }
  const adapter = await navigator.gpu.requestAdapter(
    choice === 'swiftshader' ? { forceFallbackAdapter: true } : { powerPreference: 'high-performance' },
  );
  if (!adapter) {
    throw new DeviceError(
      'the browser found no WebGPU adapter: check chrome://gpu, or use init({ adapter: "reference" })',
    );
  }
  const gpu = await requestDevice(adapter);
  return { gpu, info: adapter.info, software: isSoftware(adapter.info), wait: (promise) => promise };
}

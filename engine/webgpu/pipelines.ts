import { type Kernel, MAX_WORDS } from '../../kernels/kernel.ts';
import { DeviceError } from '../errors.ts';

/** Words of the uniform block that a dispatch may use, and the distance between blocks (WebGPU's default alignment). */
export const PARAM_WORDS = MAX_WORDS;

export interface Pipeline {
  readonly gpu: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  /** Names the layout in bind group keys. */
  readonly layoutId: string;
}

/** Pipelines by kernel, by source and constants; layouts by the access of their buffers. */
export class Pipelines {
  readonly #device: GPUDevice;
  readonly #byKernel = new WeakMap<Kernel, Pipeline>();
  readonly #bySource = new Map<string, Pipeline>();
  readonly #layouts = new Map<string, { layout: GPUBindGroupLayout; pipelineLayout: GPUPipelineLayout }>();
  readonly #fail: (kernel: string, error: DeviceError) => void;

  readonly #unsettled = new Set<Promise<void>>();

  /** @param fail receives compile and validation errors, which WebGPU reports later */
  constructor(device: GPUDevice, fail: (kernel: string, error: DeviceError) => void) {
    this.#device = device;
    this.#fail = fail;
  }

  get count(): number {
    return this.#bySource.size;
  }

  /** Resolves when every pipeline made so far was accepted, or its error reported. */
  async settled(): Promise<void> {
    await Promise.all(this.#unsettled);
  }

  get(kernel: Kernel): Pipeline {
    const known = this.#byKernel.get(kernel);
    if (known) return known;
    const key = `${kernel.source}\n${JSON.stringify(kernel.constants ?? {})}`;
    const pipeline = this.#bySource.get(key) ?? this.#create(kernel, key);
    this.#bySource.set(key, pipeline);
    this.#byKernel.set(kernel, pipeline);
    return pipeline;
  }

  #create(kernel: Kernel, key: string): Pipeline {
    const device = this.#device;
    const layoutId = kernel.access.map((a) => a[0]).join('');
    const { layout, pipelineLayout } = this.#layout(layoutId);
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code: kernel.source, label: kernel.name });
    const gpu = device.createComputePipeline({
      label: kernel.name,
      layout: pipelineLayout,
      compute: { module, entryPoint: 'main', ...(kernel.constants ? { constants: { ...kernel.constants } } : {}) },
    });
    const settled = device.popErrorScope().then(
      (error) => {
        if (!error) return;
        // Forgotten, so that the next use says so again.
        this.#bySource.delete(key);
        this.#byKernel.delete(kernel);
        const refused = `the shader was refused: ${error.message}\n${kernel.source}`;
        this.#fail(kernel.name, new DeviceError(`${kernel.name}: ${refused}`));
      },
      // The device is gone, and says so itself.
      () => {},
    );
    this.#unsettled.add(settled);
    void settled.then(() => this.#unsettled.delete(settled));
    return { gpu, layout, layoutId };
  }

  #layout(id: string) {
    const known = this.#layouts.get(id);
    if (known) return known;
    const visibility = 4; // COMPUTE
    const layout = this.#device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility, buffer: { type: 'uniform', hasDynamicOffset: true, minBindingSize: 0 } },
        ...[...id].map((a, i) => ({
          binding: i + 1,
          visibility,
          buffer: { type: a === 'r' ? ('read-only-storage' as const) : ('storage' as const) },
        })),
      ],
    });
    const made = { layout, pipelineLayout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }) };
    this.#layouts.set(id, made);
    return made;
  }
}

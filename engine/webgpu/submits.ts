/** Submits by number: which of them WebGPU refused, and what rests on those. */
import { DeviceError } from '../errors.ts';
import type { GpuBuffer } from './buffer.ts';
import type { Command } from './command.ts';

/** Work that WebGPU refused: none of it was done, so that what it was to write holds something else. */
interface Refusal {
  /** Submits that it spoils, by number. */
  readonly from: number;
  readonly until: number;
  readonly message: string;
  /** The kernels in the submit, where that is known. */
  kernels: readonly string[];
  /** Whether somebody has heard of it. */
  told: boolean;
}

/** Refusals that are told apart; of more than that the oldest ones become one. */
const MOST = 64;
/** Submits after which memory that was not used in the meantime goes back to the adapter, and how often that is looked at. */
const IDLE = 1024;
const LOOK = 256;
/** The smallest buffer, in bytes, for which the host is asked whether there is room: that takes some system calls. */
const LARGE = 2 ** 20;

/** What submits ask of their device. */
export interface SubmitsHost {
  /** Called now and then, to give memory back to the adapter that is kept for later and that no submit has used since this one. */
  idle(since: number): void;
  /** Called when the adapter has no more memory, to give back all that is kept for later. */
  exhausted(): void;
  /** Whether work is recorded for the next submit. */
  recorded(): boolean;
  /** Bytes that one more buffer may take. */
  room(): number;
}

/**
 * Every command that may be refused goes through here. Each submit has a number, which is the label of its encoder; buffers
 * know the number of the submit that last wrote them. What Dawn refuses it reports before the call returns; browsers report
 * it later, and name the encoder, so that what later submits made of it in the meantime counts as spoilt too.
 */
export class Submits {
  readonly #gpu: GPUDevice;
  /** The number of the next submit. */
  next = 0;
  /** What is being submitted. */
  #submitting: readonly Command[] | undefined;
  /** Whether something is being made that the next submit needs. */
  #recording = false;
  /** Takes what is refused while a command that is no submit is given. */
  #catch: ((message: string) => void) | undefined;
  #refusals: Refusal[] = [];
  /** All submits before this one are known to be whole. */
  #whole = 0;
  /** Buffers that could not be made, and why, where that came to light later. */
  readonly #broken = new Map<number, string>();
  /** Shaders that were refused, by the names of their kernels. */
  readonly #shaders = new Map<string, DeviceError>();
  readonly #host: SubmitsHost;

  constructor(gpu: GPUDevice, host: SubmitsHost) {
    this.#gpu = gpu;
    this.#host = host;
    gpu.addEventListener('uncapturederror', this.#refused);
  }

  /** Stops listening: Dawn holds on to a listener, and the listener to the device, which could not be collected. */
  close(): void {
    this.#gpu.removeEventListener('uncapturederror', this.#refused);
  }

  /** Submits what `encode` encodes. @param commands the dispatches in it @returns its number */
  submit(commands: readonly Command[], encode: (encoder: GPUCommandEncoder) => void): number {
    const number = this.next++;
    this.#submitting = commands;
    try {
      const encoder = this.#gpu.createCommandEncoder({ label: `wgrad ${number}` });
      encode(encoder);
      this.#gpu.queue.submit([encoder.finish()]);
    } finally {
      this.#submitting = undefined;
    }
    if (number % LOOK === LOOK - 1) this.#host.idle(number - IDLE);
    return number;
  }

  /** Makes a buffer. @throws DeviceError if the adapter cannot, and says so at once */
  make(descriptor: GPUBufferDescriptor, what: string): GPUBuffer {
    const attempt = (then: (message: string) => GPUBuffer) =>
      descriptor.size >= LARGE && descriptor.size > this.#host.room()
        ? then('there is not so much memory left')
        : this.#heard(() => this.#gpu.createBuffer(descriptor), then);
    return attempt(() => {
      this.#host.exhausted();
      return attempt((message) => {
        throw new DeviceError(
          `${what} takes ${descriptor.size} bytes, which the adapter refused: ${message.trim()}\nFree tensors (scope, dispose), or make less at once; what was freed a moment ago is back after \`await device.sync()\``,
        );
      });
    });
  }

  /** Makes something that the next submit needs, which is refused with it. */
  ahead<T>(make: () => T): T {
    this.#recording = true;
    try {
      return make();
    } finally {
      this.#recording = false;
    }
  }

  /** Writes to a buffer from the host. @throws DeviceError if that is refused at once */
  write(buffer: GPUBuffer, offset: number, data: ArrayBufferView<ArrayBuffer>): void {
    this.#heard(
      () => this.#gpu.queue.writeBuffer(buffer, offset, data),
      (message) => {
        throw new DeviceError(`a write of ${data.byteLength} bytes was refused: ${message.trim()}`);
      },
    );
  }

  /** Whether anything was refused so far. */
  get any(): boolean {
    return this.#refusals.length > 0 || this.#broken.size > 0;
  }

  /** Why a buffer with these marks does not hold what it should, if so. @param telling whether the caller tells somebody */
  spoilt({ id, writtenBy }: Pick<GpuBuffer, 'id' | 'writtenBy'>, telling = true): DeviceError | undefined {
    const broken = this.#broken.get(id);
    if (broken !== undefined) return new DeviceError(`there is no memory behind it: ${broken}`);
    return this.refusal(writtenBy, telling);
  }

  /** Whether a buffer is known to have no memory behind it. */
  broken({ id }: Pick<GpuBuffer, 'id'>): boolean {
    return this.#broken.has(id);
  }

  /** Why a submit was not done, if it was refused. @param telling whether the caller tells somebody */
  refusal(number: number, telling = true): DeviceError | undefined {
    const found = this.#refusals.find((r) => r.from <= number && number <= r.until);
    return found && this.#tell(found, telling);
  }

  /** A refusal that nobody has heard of. */
  untold(): DeviceError | undefined {
    const found = this.#refusals.find((r) => !r.told);
    return found && this.#tell(found);
  }

  /** Notes that a submit was done, and with it all before it. */
  done(number: number): void {
    this.#whole = Math.max(this.#whole, number + 1);
  }

  /** Notes that the shader of a kernel was refused, which is known a little later than the refusals that follow from it. */
  shader(kernel: string, error: DeviceError): void {
    this.#shaders.set(kernel, error);
  }

  #tell(refusal: Refusal, telling = true): DeviceError {
    if (telling) refusal.told = true;
    const { kernels, message } = refusal;
    const shader = this.#shaders.get(/ComputePipeline (?:"|with ')([^"']+)/.exec(message)?.[1] ?? '');
    if (shader) return shader;
    const more = kernels.length > 8 ? ', ...' : '';
    const what = kernels.length > 0 ? ` (${kernels.slice(0, 8).join(', ')}${more})` : '';
    return new DeviceError(
      `WebGPU refused a command, and with it all that was submitted together${what}: ${message.trim()}`,
    );
  }

  /** The result of a command, or what `refused` makes of the reason where it is refused at once. */
  #heard<T>(command: () => T, refused: (message: string) => T): T {
    const heard: string[] = [];
    this.#catch = (message) => heard.push(message);
    let result: T;
    try {
      result = command();
    } finally {
      this.#catch = undefined;
    }
    return heard.length > 0 ? refused(heard[0]!) : result;
  }

  readonly #refused = (event: GPUUncapturedErrorEvent): void => {
    event.preventDefault();
    const { message } = event.error;
    if (this.#catch) this.#catch(message);
    else if (this.#submitting) this.#spoil(this.next - 1, this.next - 1, message, this.#submitting);
    else if (this.#recording) this.#spoil(this.next, this.next, message);
    else this.#later(message);
  };

  /** Takes a refusal of something that was asked for earlier: of whatever it may have been. */
  #later(message: string): void {
    const encoder = /["']wgrad (\d+)["']/.exec(message)?.[1];
    const buffer = /(?:Invalid Buffer|BufferDescriptor) "*wgrad buffer (\d+)/.exec(message)?.[1];
    const until = this.#host.recorded() ? this.next : this.next - 1;
    if (encoder !== undefined) this.#spoil(Number(encoder), until, message);
    else if (buffer === undefined) this.#spoil(Math.min(this.#whole, until), until, message);
    else if (!this.#broken.has(Number(buffer))) this.#broken.set(Number(buffer), message.trim());
  }

  #spoil(from: number, until: number, message: string, commands: readonly Command[] = []): void {
    const kernels = [...new Set(commands.map((c) => c.name))];
    const known = this.#refusals.find((r) => r.from <= from && until <= r.until);
    // Of one submit the first refusal is the cause of the others.
    if (known) {
      if (known.kernels.length === 0) known.kernels = kernels;
      return;
    }
    this.#refusals.push({ from, until, message, kernels, told: false });
    if (this.#refusals.length <= MOST) return;
    const [a, b, ...rest] = this.#refusals as [Refusal, Refusal, ...Refusal[]];
    this.#refusals = [{ ...a, until: Math.max(a.until, b.until), told: a.told && b.told }, ...rest];
  }
}

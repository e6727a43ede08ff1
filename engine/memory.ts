import { currentDevice, type Memory } from './device.ts';

/** Live tensors and buffers of the current device. After any number of equal training steps it reads the same. */
export const currentMemory = (): Memory => currentDevice().memory();

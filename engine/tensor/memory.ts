import { guarded } from '../arguments/arguments.ts';
import { currentDevice, type Memory } from '../device.ts';

/**
 * Counts the live tensors and buffers of the current device. After any number of equal training steps it reads the same: if
 * it grows, tensors are made outside a {@link scope}.
 * @throws DeviceError before `init`
 * @function
 */
export const currentMemory = guarded('memory', [], (): Memory => currentDevice().memory());

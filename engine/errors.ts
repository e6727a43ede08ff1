/** Errors that the engine throws. Each message names the op or the thing, the rule that was broken, and the remedy. */

/**
 * Passes on the result of a function, unless that is a generator: of a function* nothing has run when it returns.
 * @throws TypeError
 */
export function refuseGenerator<T>(name: string, result: T): T {
  const kind =
    typeof result === 'object' && result !== null && (result as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  if (kind !== 'Generator' && kind !== 'AsyncGenerator') return result;
  throw new TypeError(
    `${name}: the function must not be a generator (function*), of which nothing has run when it returns; make it a plain function`,
  );
}

/**
 * Passes on the result of a function that must be done when it returns, as one that a mode was set for, unless it is a promise
 * or a generator. @throws TypeError
 */
export function refusePromise<T>(name: string, result: T): T {
  refuseGenerator(name, result);
  if (typeof (result as PromiseLike<unknown> | undefined | null)?.then === 'function') {
    (result as PromiseLike<unknown>).then(undefined, () => {}); // this error is the one to report
    throw new TypeError(
      `${name}: the function returned a promise; it must not be async, nor end in item() or data(): return the tensor, and read it afterwards`,
    );
  }
  return result;
}

/** Shapes that do not fit an op, or data that does not fit a shape. */
export class ShapeError extends Error {
  /** The name of the class, for logs. */
  override name = 'ShapeError';
}

/** A tensor was used after `dispose()`, or after the `scope` that owned it had ended. */
export class UseAfterFreeError extends Error {
  /** The name of the class, for logs. */
  override name = 'UseAfterFreeError';
}

/** A gradient that cannot be had: a graph already freed, a value overwritten in place, an input that is not reached. */
export class GradError extends Error {
  /** The name of the class, for logs. */
  override name = 'GradError';
}

/** No adapter, a device that was lost, a shader that does not compile, a launch that WebGPU refuses. */
export class DeviceError extends Error {
  /** The name of the class, for logs. */
  override name = 'DeviceError';
}

/** `detectAnomaly` found an op that made NaN or infinity. */
export class AnomalyError extends Error {
  /** The name of the class, for logs. */
  override name = 'AnomalyError';
}

/** `kernelcheck` found a kernel that gives something else than `forward`, leaves elements out or reaches outside. */
export class KernelcheckError extends Error {
  /** The name of the class, for logs. */
  override name = 'KernelcheckError';
}

/** `gradcheck` found an analytic derivative that disagrees with central differences. */
export class GradcheckError extends Error {
  /** The name of the class, for logs. */
  override name = 'GradcheckError';
}

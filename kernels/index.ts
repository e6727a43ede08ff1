/**
 * How shaders are described: what the kernel of a custom op is written with. A {@link Kernel} is WGSL with its bindings, a {@link Dispatch}
 * one launch of it, a {@link Plan} all launches of an op.
 * @module wgrad/kernels
 */
export {
  type Dispatch,
  type Float32Param,
  f32,
  flatMain,
  grid1d,
  type Kernel,
  type Param,
  type Plan,
  type Target,
} from './kernel.ts';

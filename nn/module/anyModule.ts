import type { Tensor } from '../../engine/index.ts';
import type { Buffer, Parameter } from './parameter.ts';
import type { PyTorchRule } from './pyTorchRule.ts';

/** Any module, whatever it takes and gives: what a module knows of those inside it. See `Module` for each member. */
export interface AnyModule {
  /** Whether layers such as batch norm behave as in training. */
  training: boolean;
  /** The function itself. */
  forward(...inputs: never): unknown;
  /** The modules directly inside. */
  children(): [string, AnyModule][];
  /** This module and all inside. */
  namedModules(): [string, AnyModule][];
  /** Parameters by dotted name. */
  namedParameters(): [string, Parameter][];
  /** All parameters. */
  parameters(): Parameter[];
  /** Buffers by dotted name. */
  namedBuffers(): [string, Buffer][];
  /** All buffers. */
  buffers(): Buffer[];
  /** Every parameter and buffer by dotted name. */
  stateDict(): Map<string, Tensor>;
  /** Sizes and options, for the printed form. */
  describe(): string;
  /** How PyTorch names and lays out this module's own tensors. */
  pyTorchRule(): PyTorchRule;
}

/** How layers say what PyTorch's twin of them calls its tensors, and how it lays them out. */

import type { StoredTensor } from '../io/safetensors.ts';

/** Which axis of a tensor, in wgrad's layout, runs over a layer's input features, and which over its output features. */
export interface FeatureAxes {
  /** The axis of input features, if there is one. */
  readonly input?: number;
  /** The axis of output features, if there is one. */
  readonly output?: number;
}

/** What PyTorch calls a tensor of a parametrisation, and how it lies beside the weight that is parametrised. */
export interface ParametrizationTensor {
  /** PyTorch's name is the weight's with this behind it: '_orig' for `weight_orig`. */
  readonly suffix: string;
  /** The tensor's name behind `parametrizations.<weight>.` in `torch.nn.utils.parametrizations`, which `fromPyTorch` reads too. */
  readonly newer: string;
  /** The axes of the weight, in wgrad's layout and in order, that it runs over, flattened or not. */
  readonly axes: readonly number[];
  /** PyTorch has 1 for the weight's other axes. Otherwise all axes are one, or none where it runs over none. */
  readonly keepDims?: boolean;
}

/**
 * What a layer declares by `pyTorchRule`, each by the name of its own field (of a tensor in an array: `weightIh.0`). What it
 * does not mention has in PyTorch the field's name in snake_case, and the same layout.
 */
export interface PyTorchRule {
  /** PyTorch's names of fields: of parameters, buffers and modules. '' leaves a module's name out of the names inside it. */
  readonly names?: Readonly<Record<string, string>>;
  /** Axes of wgrad's tensor in PyTorch's order: [3,2,0,1] for a convolution's weight. */
  readonly axes?: Readonly<Record<string, readonly number[]>>;
  /** Axes that must follow when images are flattened in another order; see the option `flattened` of `fromPyTorch`. */
  readonly features?: Readonly<Record<string, FeatureAxes>>;
  /**
   * PyTorch's tensors that are made of tensors further inside, by PyTorch's name: the dotted names here of those that lie, each
   * in PyTorch's layout, one behind the other along its first axis. A name alone is a tensor that PyTorch keeps further out.
   */
  readonly joined?: Readonly<Record<string, readonly string[]>>;
  /** The fields of a parametrisation that PyTorch keeps in the layer itself, and `original`, what is trained. */
  readonly parametrized?: Readonly<Record<string, ParametrizationTensor>>;
  /** Tensors that PyTorch keeps and wgrad does not, by PyTorch's name: `toPyTorch` writes them, `fromPyTorch` drops them. */
  readonly absent?: Readonly<Record<string, StoredTensor>>;
}

/** Output and input channels of a weight in front, as PyTorch has them: [...kernel, in, out] as [out, in, ...kernel]. */
export const channelsFirst = (rank: number): number[] => [
  rank - 1,
  rank - 2,
  ...Array.from({ length: rank - 2 }, (_, i) => i),
];

/** `features` of a layer that has a number for each feature: what goes in is what comes out. */
export const featureVectors = (...fields: readonly string[]): Record<string, FeatureAxes> =>
  Object.fromEntries(fields.map((field) => [field, { input: 0, output: 0 }]));

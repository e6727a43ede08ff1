/** State dicts between PyTorch's names and layouts and those here. Each layer's class declares its own: `pyTorchRule`. */
import { checked, type Shape, ShapeError, Tensor } from '../../engine/index.ts';
import type { AnyModule } from '../module/module.ts';
import type { PyTorchRule } from '../module/pyTorchRule.ts';
import type { ElementArray } from './dtypes.ts';
import { permuted, reordered } from './layout.ts';
import type { StoredTensor, TensorMap } from './safetensors.ts';

/** The shapes of images, in wgrad's layout, that a layer has its features from. */
export interface FlattenedImages {
  /** Of the image that was flattened to the layer's input. */
  readonly input?: Shape;
  /** Of the image that the layer's output becomes. */
  readonly output?: Shape;
}

/** Options of {@link fromPyTorch} and {@link toPyTorch}. */
export interface PyTorchOptions {
  /**
   * Layers whose features are a flattened image, by their names here (`layers.7`), with the image's shape in wgrad's layout,
   * [H,W,C], [L,C] or [D,H,W,C]. A `Flatten` or `Reshape` in PyTorch runs over channels first, here over channels last, so
   * that a `Linear` behind (`input`) or in front of it (`output`) has its features in another order. No tensor tells: without
   * this option such weights load, and the network gives nonsense.
   */
  readonly flattened?: Readonly<Record<string, FlattenedImages>>;
}

/** A tensor on both sides. */
interface Pair {
  readonly ours: string;
  readonly tensor: Tensor;
  /** Axes of ours in PyTorch's order. */
  readonly axes: readonly number[];
  /** Axes of ours that run over flattened images, with their shapes. */
  readonly images: readonly { readonly axis: number; readonly shape: Shape }[];
}

/**
 * Turns a state dict of PyTorch (`torch.nn`, any version; DataParallel's `module.` in front of all names is dropped) into
 * one of `module`: its names (`0.weight` becomes `layers.0.weight`, `running_mean` `runningMean`) and its layouts
 * (convolutions OIHW to HWIO, a Linear's [out,in] to [in,out]).
 *
 * @param module built as PyTorch's is, from the same layers in the same order, with fields of the same names in camelCase
 * @param tensors as `loadSafetensors` or `decodeSafetensors` gives them
 * @returns what `module.loadStateDict` takes, with all names that the module has
 * @throws Error naming every tensor that is missing or unexpected; ShapeError for one of another shape
 * @example
 * const { tensors } = await loadSafetensors('dcgan.safetensors');
 * generator.loadStateDict(fromPyTorch(generator, tensors));
 * critic.loadStateDict(fromPyTorch(critic, weights, { flattened: { 'layers.7': { input: [3, 3, 32] } } }));
 */
export function fromPyTorch(
  module: AnyModule,
  tensors: TensorMap,
  options: PyTorchOptions = {},
): Map<string, StoredTensor> {
  const { pairs, absent } = pairsOf('fromPyTorch', module, options);
  const prefixed = tensors.size > 0 && [...tensors.keys()].every((name) => name.startsWith('module.'));
  const prefix = prefixed && ![...pairs.keys()].some((name) => name.startsWith('module.')) ? 'module.' : '';
  const given = new Map([...tensors].map(([name, t]) => [name.slice(prefix.length), t]));
  const missing = [...pairs].filter(([theirs]) => !given.has(theirs)).map(([n, p]) => `${n} (${p.ours}) is missing`);
  const unexpected = [...given.keys()].filter((n) => !pairs.has(n) && !absent.has(n)).map((n) => `${n} is unexpected`);
  const problems = [...missing, ...unexpected];
  if (problems.length > 0) {
    throw new Error(`fromPyTorch: ${problems.join('; ')}. Build the module of the same layers, with the same fields`);
  }
  const found = new Map<string, StoredTensor>();
  for (const [theirs, { ours, tensor, axes, images }] of pairs) {
    const { shape, data } = given.get(theirs)!;
    const wanted = axes.map((a) => tensor.shape[a]!);
    if (shape.join() !== wanted.join()) {
      throw new ShapeError(
        `fromPyTorch: ${theirs} is [${shape}], but ${ours} [${tensor.shape}] needs [${wanted}] in PyTorch's layout`,
      );
    }
    const back = axes.map((_, i) => axes.indexOf(i));
    let values: ElementArray = permuted(data, shape, back);
    for (const { axis, shape: image } of images) values = reordered(values, tensor.shape, axis, image, 'last');
    const before = found.get(ours)?.data;
    if (before && !Array.from<number | bigint>(before).every((v, i) => Object.is(v, values[i]))) {
      throw new Error(
        `fromPyTorch: ${ours} is one tensor here, which ${theirs} shares, but PyTorch's two differ; share them there`,
      );
    }
    found.set(ours, { shape: tensor.shape, data: values });
  }
  return found;
}

/**
 * The module's parameters and buffers as PyTorch's `load_state_dict` takes them: the inverse of {@link fromPyTorch}. Shared
 * tensors appear under each name, as there. `num_batches_tracked` of batch norm, which PyTorch needs only where momentum is
 * None, is written as 0.
 *
 * @returns float32 from WebGPU, float64 from the reference device; what `saveSafetensors` and `encodeSafetensors` take
 * @example
 * await saveSafetensors('for-pytorch.safetensors', await toPyTorch(generator));
 */
export async function toPyTorch(module: AnyModule, options: PyTorchOptions = {}): Promise<Map<string, StoredTensor>> {
  const { pairs, absent } = pairsOf('toPyTorch', module, options);
  // All reads begin before the first ends, so that the values are of one moment.
  const read = await Promise.all(
    [...pairs].map(async ([theirs, pair]) => [theirs, pair, await pair.tensor.data()] as const),
  );
  const found = new Map<string, StoredTensor>();
  for (const [theirs, { tensor, axes, images }, data] of read) {
    let values: ElementArray = data;
    for (const { axis, shape } of images) values = reordered(values, tensor.shape, axis, shape, 'first');
    found.set(theirs, { shape: axes.map((a) => tensor.shape[a]!), data: permuted(values, tensor.shape, axes) });
  }
  for (const [name, t] of absent) if (!found.has(name)) found.set(name, t);
  return found;
}

/** Every tensor of a module by PyTorch's name; also, by PyTorch's name, what only PyTorch has. */
function pairsOf(op: string, module: AnyModule, options: PyTorchOptions) {
  const { flattened = {} } = checked(op, options, ['flattened']);
  for (const [name, image] of Object.entries(flattened)) checked(`flattened ${name}`, image, ['input', 'output']);
  const pairs = new Map<string, Pair>();
  const absent = new Map<string, StoredTensor>();
  const names = new Map([...module.stateDict()].map(([name, t]) => [t, name]));
  const layers = new Map(module.namedModules().map(([name, m]) => [m, name]));
  const used = new Set<string>();
  const put = (theirs: string, pair: Pair): void => {
    const other = pairs.get(theirs);
    if (other)
      throw new Error(`PyTorch's name ${theirs} stands for both ${other.ours} and ${pair.ours}; rename a field`);
    pairs.set(theirs, pair);
  };
  // A module that is shared is visited under each of its names, as PyTorch does.
  const walk = (m: AnyModule, ours: string, theirs: string, within: readonly AnyModule[]): void => {
    if (within.includes(m)) throw new Error(`${ours || 'the module'} holds itself; PyTorch has no name for that`);
    const rule = m.pyTorchRule();
    const first = layers.get(m)!;
    const image = flattened[first];
    if (image) used.add(first);
    for (const [field, t] of Object.entries(m)) {
      if (!(t instanceof Tensor) || !names.has(t)) continue;
      const axes = rule.axes?.[field] ?? t.shape.map((_, i) => i);
      put(join(theirs, nameOf(rule, field)), {
        ours: names.get(t)!,
        tensor: t,
        axes,
        images: imagesOf(rule, field, t, ours, image),
      });
    }
    for (const [name, t] of Object.entries(rule.absent ?? {})) absent.set(join(theirs, name), t);
    for (const [child, inner] of m.children()) {
      const [field = '', ...index] = child.split('.');
      walk(inner, join(ours, child), join(theirs, nameOf(rule, field), ...index), [...within, m]);
    }
  };
  walk(module, '', '', []);
  const unknown = Object.keys(flattened).filter((name) => !used.has(name));
  if (unknown.length > 0) {
    const known = [...layers.values()];
    throw new Error(
      `flattened: there is no layer ${unknown.join(', ')}; the module has ${known.filter(Boolean).join(', ')}`,
    );
  }
  return { pairs, absent };
}

const join = (...parts: readonly string[]): string => parts.filter((p) => p !== '').join('.');

const nameOf = (rule: PyTorchRule, field: string): string => rule.names?.[field] ?? snakeCase(field);

/** weightIhL0 as weight_ih_l0. */
const snakeCase = (name: string): string => name.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase();

/** The axes of a tensor that run over flattened images. @throws for a layer without such, and ShapeError for another size */
function imagesOf(
  rule: PyTorchRule,
  field: string,
  t: Tensor,
  layer: string,
  image: FlattenedImages | undefined,
): Pair['images'] {
  if (!image) return [];
  if (!rule.features) {
    throw new Error(`flattened: ${layer} has no features in a row; name the Linear or norm layer beside the Flatten`);
  }
  const axes = rule.features[field] ?? {};
  const found = new Map<number, Shape>();
  for (const side of ['input', 'output'] as const) {
    const [axis, shape] = [axes[side], image[side]];
    if (axis === undefined || shape === undefined) continue;
    const size = shape.reduce((n, s) => n * s, 1);
    if (size !== t.shape[axis]) {
      throw new ShapeError(
        `flattened: ${layer} has ${t.shape[axis]} ${side} features, but an image [${shape}] has ${size} values; give [H,W,C]`,
      );
    }
    found.set(axis, shape);
  }
  return [...found].map(([axis, shape]) => ({ axis, shape }));
}

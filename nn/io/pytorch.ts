/** State dicts between PyTorch's names and layouts and those here. Each layer's class declares its own: `pyTorchRule`. */

import { ShapeError } from '../../engine/index.ts';
import { calls, checked } from '../../engine/internal.ts';
import { aModule } from '../module/aModule.ts';
import type { AnyModule } from '../module/anyModule.ts';
import type { ElementArray } from './dtypes.ts';
import { warnOfFlattened } from './flattened.ts';
import { missingFrom, unreadNames } from './foreign.ts';
import { prefixHint, unwrapped } from './prefixes.ts';
import { twinsOf } from './pytorchNames.ts';
import { type FlattenedImages, fromTheirs, toTheirs } from './pytorchParts.ts';
import { checkMap, type StoredTensor, type TensorMap } from './safetensors.ts';

/** Options of {@link fromPyTorch} and {@link toPyTorch}. */
export interface PyTorchOptions {
  /**
   * Layers whose features are a flattened image, by their names here (`layers.7`), with the image's shape in wgrad's layout,
   * [H,W,C], [L,C] or [D,H,W,C]. A `Flatten` or `Reshape` in PyTorch runs over channels first, here over channels last, so
   * that a `Linear` behind (`input`) or in front of it (`output`) has its features in another order. No tensor tells: without
   * this option such weights load, and the network gives nonsense. {@link fromPyTorch} warns of a `Linear` whose size says that it
   * follows images and is not named here; `{}` says that there is none.
   */
  readonly flattened?: Readonly<Record<string, FlattenedImages>>;
  /**
   * What stands in front of the names that are meant, such as `generator.` in a file that has the critic as well: the others are left
   * out. Only {@link fromPyTorch} has it. What all names have in front is found without.
   */
  readonly prefix?: string;
}

/**
 * Turns a state dict of PyTorch (`torch.nn`, any version) into one of `module`. What wrappers put into names is dropped (`module.` of
 * DataParallel, `_orig_mod.` of torch.compile, nested ones too), and so is what all names have in front (`state_dict.`, `params_ema.`,
 * `model.`): its names (`0.weight` becomes `layers.0.weight`, `running_mean` `runningMean`) and its layouts
 * (convolutions OIHW to HWIO, a Linear's [out,in] to [in,out]). What PyTorch joins is taken apart (`in_proj_weight` of
 * attention), and spectral and weight norm are read by the names of `torch.nn.utils` (`weight_orig`, `weight_g`) as well as of
 * `torch.nn.utils.parametrizations`.
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
  calls.checkArguments(
    'fromPyTorch',
    [aModule, calls.something('tensors'), calls.maybe(calls.something('options'))],
    arguments,
  );
  checkMap('fromPyTorch', tensors);
  checked('fromPyTorch', options, ['flattened', 'prefix']);
  const { prefix = '' } = options;
  const flattened = flattenedOf('fromPyTorch', options);
  const { twins, absent } = twinsOf(module, flattened);
  const isNone = options.flattened !== undefined && Object.keys(flattened).length === 0;
  if (!isNone) warnOfFlattened(module, Object.keys(flattened));
  const chosen = [...tensors].filter(([name]) => name.startsWith(prefix));
  const taken = new Map(chosen.map(([name, t]) => [name.slice(prefix.length), t]));
  const wanted = [...twins].map(([theirs, { newer }]) => (newer === undefined ? [theirs] : [theirs, newer]));
  const known = new Set([...wanted.flat(), ...absent.keys()]);
  const names = unwrapped([...taken.keys()], wanted, known);
  const given = new Map([...taken].map(([name, t]) => [names.get(name)!, t]));
  for (const [theirs, { newer }] of twins) {
    if (newer === undefined || given.has(theirs) || !given.has(newer)) continue;
    given.set(theirs, given.get(newer)!);
    given.delete(newer);
  }
  const missing = [...twins]
    .filter(([theirs]) => !given.has(theirs))
    .map(([theirs, { parts }]) => {
      const from = [...names].find(([, name]) => name === theirs)?.[0] ?? theirs;
      const inFile = [`${prefix}${from}`, ...unreadNames(tensors).filter((n) => n.endsWith(`.${theirs}`))];
      const unread = inFile.map((name) => missingFrom(tensors, name)).find((text) => !text.endsWith(' is missing'));
      return unread ?? `${theirs} (${parts.map((p) => p.ours).join(', ')}) is missing`;
    });
  const unexpected = [...given.keys()].filter((n) => !twins.has(n) && !absent.has(n)).map((n) => `${n} is unexpected`);
  const problems = [...missing, ...unexpected];
  if (problems.length > 0) {
    const hint = prefixHint([...taken.keys()], wanted, (p) => `give { prefix: '${prefix}${p}' }`);
    throw new Error(
      `fromPyTorch: ${problems.join('; ')}. Build the module of the same layers, with the same fields${hint && `.${hint}`}`,
    );
  }
  const found = new Map<string, StoredTensor>();
  for (const [theirs, { parts, shape: wanted }] of twins) {
    const { shape, data } = given.get(theirs)!;
    if (shape.join() !== wanted.join()) {
      const all = parts.map((p) => `${p.ours} [${p.tensor.shape}]`).join(', ');
      throw new ShapeError(
        `fromPyTorch: ${theirs} is [${shape}], but ${all} ${parts.length > 1 ? 'need' : 'needs'} [${wanted}] in PyTorch's layout`,
      );
    }
    let at = 0;
    for (const part of parts) {
      const { ours, tensor } = part;
      const values = fromTheirs(part, data.slice(at, at + tensor.size));
      at += tensor.size;
      const before = found.get(ours)?.data;
      if (before && !Array.from<number | bigint>(before).every((v, i) => Object.is(v, values[i]))) {
        throw new Error(
          `fromPyTorch: ${ours} is one tensor here, which ${theirs} shares, but PyTorch's two differ; share them there`,
        );
      }
      found.set(ours, { shape: tensor.shape, data: values });
    }
  }
  return found;
}

/**
 * The module's parameters and buffers as PyTorch's `load_state_dict` takes them: the inverse of {@link fromPyTorch}. Shared
 * tensors appear under each name, as there. `num_batches_tracked` of batch norm, which PyTorch needs only where momentum is
 * None, is written as 0. Spectral and weight norm have the names of `torch.nn.utils.spectral_norm` and `weight_norm`.
 *
 * @returns float32 from WebGPU, float64 from the reference device; what `saveSafetensors` and `encodeSafetensors` take
 * @example
 * await saveSafetensors('for-pytorch.safetensors', await toPyTorch(generator));
 */
export async function toPyTorch(
  module: AnyModule,
  options: Omit<PyTorchOptions, 'prefix'> = {},
): Promise<Map<string, StoredTensor>> {
  calls.checkArguments('toPyTorch', [aModule, calls.maybe(calls.something('options'))], arguments);
  const { twins, absent } = twinsOf(module, flattenedOf('toPyTorch', options));
  // All reads begin before the first ends, so that the values are of one moment.
  const read = await Promise.all(
    [...twins].map(async ([theirs, { parts, shape }]) => {
      const values = await Promise.all(parts.map(async (part) => toTheirs(part, await part.tensor.data())));
      return [theirs, { shape, data: joined(values) }] as const;
    }),
  );
  const found = new Map<string, StoredTensor>(read);
  for (const [name, t] of absent) if (!found.has(name)) found.set(name, t);
  return found;
}

/** The option `flattened`, checked. */
function flattenedOf(op: string, options: PyTorchOptions): Readonly<Record<string, FlattenedImages>> {
  const { flattened = {} } = op === 'fromPyTorch' ? options : checked(op, options, ['flattened']);
  for (const [name, image] of Object.entries(flattened)) checked(`flattened ${name}`, image, ['input', 'output']);
  return flattened;
}

/** One array behind the other; all are of one dtype, that of their device. */
function joined(parts: readonly ElementArray[]): ElementArray {
  const [first, ...more] = parts as [ElementArray, ...ElementArray[]];
  if (more.length === 0) return first;
  const Kind = first.constructor as new (length: number) => Float64Array;
  const all = new Kind(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts as readonly Float64Array[]) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

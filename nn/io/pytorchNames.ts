/** Every tensor of a module beside its twin in PyTorch: what the rules of the layers, put together, say of a whole network. */
import { type Shape, ShapeError, sizeOf, Tensor } from '../../engine/index.ts';
import type { AnyModule } from '../module/anyModule.ts';
import { contents } from '../module/module.ts';
import { parametrizationsOf } from '../module/parametrize.ts';
import type { PyTorchRule } from '../module/pyTorchRule.ts';
import type { ElementArray } from './dtypes.ts';
import { permuted, reordered } from './layout.ts';
import type { StoredTensor } from './safetensors.ts';

/** The shapes of images, in wgrad's layout, that a layer has its features from. */
export interface FlattenedImages {
  /** The shape of the image that was flattened to the layer's input. */
  readonly input?: Shape;
  /** The shape of the image that the layer's output becomes. */
  readonly output?: Shape;
}

/** A tensor here, as it lies in one of PyTorch's. */
export interface Part {
  /** The tensor's name in the module's state. */
  readonly ours: string;
  readonly tensor: Tensor;
  /** The shape that its axes are seen in; its own, unless several are flattened into one. */
  readonly seen: Shape;
  /** Axes of `seen` in PyTorch's order. */
  readonly axes: readonly number[];
  /** Axes of `seen` that run over flattened images, with their shapes. */
  readonly images: readonly { readonly axis: number; readonly shape: Shape }[];
  /** The part's shape in PyTorch. */
  readonly shape: Shape;
}

/** A tensor of PyTorch. */
export interface Twin {
  /** The parts of which it is made, along its first axis; most are one part. */
  readonly parts: readonly Part[];
  readonly shape: Shape;
  /** Another name that it goes by. */
  readonly newer: string | undefined;
}

/** Where a tensor goes that a module further out has joined with others. */
type Claims = ReadonlyMap<string, (part: Part) => void>;

/** All of a module's tensors by PyTorch's name; also, by PyTorch's name, what only PyTorch has. */
export function twinsOf(module: AnyModule, flattened: Readonly<Record<string, FlattenedImages>>) {
  const twins = new Map<string, Twin>();
  const absent = new Map<string, StoredTensor>();
  const names = new Map([...module.stateDict()].map(([name, t]) => [t, name]));
  const layers = new Map(module.namedModules().map(([name, m]) => [m, name]));
  const used = new Set<string>();

  const put = (theirs: string, parts: readonly Part[], newer?: string): void => {
    const other = twins.get(theirs);
    if (other) {
      const [a, b] = [other.parts, parts].map((list) => list.map((p) => p.ours).join(', '));
      throw new Error(`PyTorch's name ${theirs} stands for both ${a} and ${b}; rename a field`);
    }
    twins.set(theirs, { parts, shape: joinedShape(theirs, parts), newer });
  };

  // A module that is shared is visited under each of its names, as PyTorch does.
  const walk = (m: AnyModule, ours: string, theirs: string, within: readonly AnyModule[], claims: Claims): void => {
    if (within.includes(m)) throw new Error(`${ours || 'the module'} holds itself; PyTorch has no name for that`);
    const rule = m.pyTorchRule();
    const first = layers.get(m)!;
    const image = flattened[first];
    if (image) used.add(first);
    needFeatures(rule, ours, image);
    const [joints, inside] = jointsOf(rule, claims);
    const layout = (field: string, t: Tensor) => ({
      axes: of(rule.axes, field) ?? t.shape.map((_, i) => i),
      images: imagesOf(rule, field, t, ours, image),
    });

    for (const [field, t] of ownTensors(m)) {
      if (!names.has(t)) continue;
      const { axes, images } = layout(field, t);
      const part = { ours: names.get(t)!, tensor: t, seen: t.shape, axes, images, shape: axes.map((a) => t.shape[a]!) };
      const claim = inside.get(field);
      if (claim) claim(part);
      else put(join(theirs, nameOf(rule, field)), [part]);
    }

    const holder = parametrizationsOf(m);
    for (const [field] of holder?.children() ?? []) {
      const { original, steps } = holder!.of(field)!;
      const name = nameOf(rule, field);
      const inner = join(theirs, 'parametrizations', name);
      const weight = { tensor: original, ...layout(field, original) };
      const known = parametrizationRule(join(ours, field), steps);
      if (known) {
        for (const [key, t] of [['original', original] as const, ...ownTensors(steps[0]!)]) {
          const how = known[key];
          if (!how)
            throw new Error(`${names.get(t)!} has no name in PyTorch; pyTorchRule of its parametrisation must say it`);
          const part = { ours: names.get(t)!, tensor: t, ...alongWeight(weight, how.axes, how.keepDims ?? false) };
          put(join(theirs, name + how.suffix), [part], join(inner, how.newer));
        }
        continue;
      }
      const all = original.shape.map((_, i) => i);
      put(join(inner, 'original'), [
        { ours: names.get(original)!, tensor: original, ...alongWeight(weight, all, true) },
      ]);
      steps.forEach((step, i) => {
        walk(step, join(ours, 'parametrizations', field, `${i}`), join(inner, `${i}`), [...within, m], new Map());
      });
    }

    for (const [name, t] of Object.entries(rule.absent ?? {})) absent.set(join(theirs, name), t);
    for (const [child, inner] of m.children()) {
      if (inner === holder) continue;
      const passed = [...inside].flatMap(([name, claim]) =>
        name.startsWith(`${child}.`) ? [[name.slice(child.length + 1), claim] as const] : [],
      );
      walk(inner, join(ours, child), join(theirs, nameOf(rule, child)), [...within, m], new Map(passed));
    }
    for (const [name, { members, parts }] of joints) {
      const gone = members.filter((_, i) => !parts[i]);
      if (gone.length > 0) {
        throw new Error(
          `PyTorch's ${join(theirs, name)} has ${gone.map((g) => join(ours, g)).join(', ')} in it, which cannot be had: parametrised or left out; use removeParametrizations`,
        );
      }
      put(join(theirs, name), parts as Part[]);
    }
  };
  walk(module, '', '', [], new Map());
  const unknown = Object.keys(flattened).filter((name) => !used.has(name));
  if (unknown.length > 0) {
    const known = [...layers.values()];
    throw new Error(
      `flattened: there is no layer ${unknown.join(', ')}; the module has ${known.filter(Boolean).join(', ')}`,
    );
  }
  return { twins, absent };
}

/** A part's numbers from PyTorch's layout. */
export function fromTheirs({ seen, axes, images }: Part, data: ElementArray): ElementArray {
  const back = axes.map((_, i) => axes.indexOf(i));
  let values = permuted(
    data,
    axes.map((a) => seen[a]!),
    back,
  );
  for (const { axis, shape } of images) values = reordered(values, seen, axis, shape, 'last');
  return values;
}

/** A part's numbers in PyTorch's layout. */
export function toTheirs({ seen, axes, images }: Part, data: ElementArray): ElementArray {
  let values = data;
  for (const { axis, shape } of images) values = reordered(values, seen, axis, shape, 'first');
  return permuted(values, seen, axes);
}

const join = (...parts: readonly string[]): string => parts.filter((p) => p !== '').join('.');

/** The name there of a field, or of a place or key in one: keys are the same in both. */
function nameOf(rule: PyTorchRule, path: string): string {
  const [field = '', ...inner] = path.split('.');
  return rule.names?.[path] ?? join(rule.names?.[field] ?? snakeCase(field), ...inner);
}

/** weightIhL0 as weight_ih_l0. */
const snakeCase = (name: string): string => name.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase();

/** What a rule says of a tensor, by itself or by the array that it is in. */
const of = <T>(table: Readonly<Record<string, T>> | undefined, field: string): T | undefined =>
  table?.[field] ?? table?.[field.split('.')[0]!];

/** A module's own parameters and buffers by path. */
const ownTensors = (m: AnyModule): [string, Tensor][] =>
  contents(m).held.flatMap(({ path, value }): [string, Tensor][] => (value instanceof Tensor ? [[path, value]] : []));

/** The tensors that a rule joins, with room for their parts, and the claims on what is inside the module, those given too. */
function jointsOf({ joined = {} }: PyTorchRule, claims: Claims) {
  const inside = new Map(claims);
  const joints = Object.entries(joined).map(([name, members]) => {
    const parts: (Part | undefined)[] = members.map(() => undefined);
    members.forEach((member, i) => {
      inside.set(member, (part) => {
        parts[i] = part;
      });
    });
    return [name, { members, parts }] as const;
  });
  return [joints, inside as Claims] as const;
}

/** @throws ShapeError unless all parts agree but in their first axis */
function joinedShape(theirs: string, parts: readonly Part[]): Shape {
  const [{ shape }, ...more] = parts as [Part, ...Part[]];
  if (more.length === 0) return shape;
  if (more.some((p) => p.shape.slice(1).join() !== shape.slice(1).join())) {
    const all = parts.map((p) => `${p.ours} [${p.shape}]`).join(', ');
    throw new ShapeError(
      `PyTorch's ${theirs} is made of ${all}, in its layout, which must agree but in their first axis`,
    );
  }
  return [parts.reduce((n, p) => n + p.shape[0]!, 0), ...shape.slice(1)];
}

/** What a parametrisation says of its tensors, if PyTorch keeps them in the layer. @throws Error for one among several */
function parametrizationRule(ours: string, steps: readonly AnyModule[]): PyTorchRule['parametrized'] {
  const rules = steps.map((step) => step.pyTorchRule().parametrized);
  if (rules.length > 1 && rules.some(Boolean)) {
    const all = steps.map((step) => step.constructor.name).join(' and ');
    throw new Error(`${ours} goes through ${all}, for which together PyTorch has no names; use removeParametrizations`);
  }
  return rules[0];
}

/** How a tensor that runs over some of a weight's axes lies in PyTorch, where the weight is `weight`. */
function alongWeight(
  weight: Pick<Part, 'tensor' | 'axes' | 'images'>,
  over: readonly number[],
  keepDims: boolean,
): Omit<Part, 'ours' | 'tensor'> {
  const { shape } = weight.tensor;
  const seen = over.map((a) => shape[a]!);
  return {
    seen,
    axes: weight.axes.filter((a) => over.includes(a)).map((a) => over.indexOf(a)),
    images: weight.images
      .filter(({ axis }) => over.includes(axis))
      .map((image) => ({ ...image, axis: over.indexOf(image.axis) })),
    shape: keepDims
      ? weight.axes.map((a) => (over.includes(a) ? shape[a]! : 1))
      : over.length === 0
        ? []
        : [sizeOf(seen)],
  };
}

const SIDES = ['input', 'output'] as const;

/** @throws Error for a layer without features on a side that an image is given for */
function needFeatures({ features }: PyTorchRule, layer: string, image: FlattenedImages | undefined): void {
  if (!image) return;
  if (!features) {
    throw new Error(
      `flattened: ${layer || 'the module'} has no features in a row; name the Linear or norm layer beside the Flatten`,
    );
  }
  const all = Object.values(features);
  const without = SIDES.filter((side) => image[side] && all.every((axes) => axes[side] === undefined));
  if (without.length > 0) {
    throw new Error(
      `flattened: ${layer || 'the module'} has no ${without.join(' or ')} features in a row; leave ${without.join()} out`,
    );
  }
}

/** The axes of a tensor that run over flattened images. @throws ShapeError for another size */
function imagesOf(
  rule: PyTorchRule,
  field: string,
  t: Tensor,
  layer: string,
  image: FlattenedImages | undefined,
): Part['images'] {
  if (!image) return [];
  const axes = of(rule.features, field) ?? {};
  const found = new Map<number, Shape>();
  for (const side of SIDES) {
    const [axis, shape] = [axes[side], image[side]];
    if (axis === undefined || shape === undefined) continue;
    const size = sizeOf(shape);
    if (size !== t.shape[axis]) {
      throw new ShapeError(
        `flattened: ${layer || 'the module'} has ${t.shape[axis]} ${side} features, but an image [${shape}] has ${size} values; give [H,W,C]`,
      );
    }
    found.set(axis, shape);
  }
  return [...found].map(([axis, shape]) => ({ axis, shape }));
}

/** Every tensor of a module beside its twin in PyTorch: what the rules of the layers, put together, say of a whole network. */
import { Tensor } from '../../engine/index.ts';
import type { AnyModule } from '../module/anyModule.ts';
import { contents } from '../module/module.ts';
import { parametrizationsOf } from '../module/parametrize.ts';
import type { PyTorchRule } from '../module/pyTorchRule.ts';
import {
  alongWeight,
  type FlattenedImages,
  imagesOf,
  joinedShape,
  needFeatures,
  of,
  type Part,
  type Twin,
  type Weight,
} from './pytorchParts.ts';
import type { StoredTensor } from './safetensors.ts';

/** Where a tensor goes that a module further out has joined with others. */
type Claims = ReadonlyMap<string, (part: Part) => void>;

/** All of a module's tensors by PyTorch's name; also, by PyTorch's name, what only PyTorch has. */
export function twinsOf(module: AnyModule, flattened: Readonly<Record<string, FlattenedImages>>) {
  const { twins, absent } = new Search(module, flattened);
  return { twins, absent };
}

/** A module on the way through a network. */
interface Visit {
  readonly m: AnyModule;
  readonly rule: PyTorchRule;
  /** The name of the module here, and in PyTorch. */
  readonly ours: string;
  readonly theirs: string;
  /** The modules around it and itself. */
  readonly within: readonly AnyModule[];
  readonly image: FlattenedImages | undefined;
}

/** Goes through a network, and notes each tensor under PyTorch's name. */
class Search {
  readonly twins = new Map<string, Twin>();
  readonly absent = new Map<string, StoredTensor>();
  private readonly flattened: Readonly<Record<string, FlattenedImages>>;
  private readonly names: ReadonlyMap<Tensor, string>;
  private readonly layers: ReadonlyMap<AnyModule, string>;
  /** The layers that an image was given for. */
  private readonly used = new Set<string>();

  /** @throws Error for an image of a layer that there is not */
  constructor(module: AnyModule, flattened: Readonly<Record<string, FlattenedImages>>) {
    this.flattened = flattened;
    this.names = new Map([...module.stateDict()].map(([name, t]) => [t, name]));
    this.layers = new Map(module.namedModules().map(([name, m]) => [m, name]));
    this.walk(module, '', '', [], new Map());
    const unknown = Object.keys(flattened).filter((name) => !this.used.has(name));
    if (unknown.length === 0) return;
    const known = [...this.layers.values()];
    throw new Error(
      `flattened: there is no layer ${unknown.join(', ')}; the module has ${known.filter(Boolean).join(', ')}`,
    );
  }

  /** A module that is shared is visited under each of its names, as PyTorch does. */
  private walk(m: AnyModule, ours: string, theirs: string, around: readonly AnyModule[], claims: Claims): void {
    if (around.includes(m)) throw new Error(`${ours || 'the module'} holds itself; PyTorch has no name for that`);
    const rule = m.pyTorchRule();
    const layer = this.layers.get(m)!;
    const image = this.flattened[layer];
    if (image) this.used.add(layer);
    needFeatures(rule, ours, image);
    const visit = { m, rule, ours, theirs, within: [...around, m], image };
    const [joints, inside] = jointsOf(rule, claims);
    this.putOwn(visit, inside);
    this.putParametrized(visit);
    for (const [name, t] of Object.entries(rule.absent ?? {})) this.absent.set(join(theirs, name), t);
    const holder = parametrizationsOf(m);
    for (const [child, inner] of m.children()) {
      if (inner === holder) continue;
      const passed = [...inside].flatMap(([name, claim]) =>
        name.startsWith(`${child}.`) ? [[name.slice(child.length + 1), claim] as const] : [],
      );
      this.walk(inner, join(ours, child), join(theirs, nameOf(rule, child)), visit.within, new Map(passed));
    }
    for (const [name, { members, parts }] of joints) {
      const gone = members.filter((_, i) => !parts[i]);
      if (gone.length > 0) {
        throw new Error(
          `PyTorch's ${join(theirs, name)} has ${gone.map((g) => join(ours, g)).join(', ')} in it, which cannot be had: parametrised or left out; use removeParametrizations`,
        );
      }
      this.put(join(theirs, name), parts as Part[]);
    }
  }

  /** The module's own tensors, or those that one further out has joined. */
  private putOwn(visit: Visit, inside: Claims): void {
    for (const [field, t] of ownTensors(visit.m)) {
      const ours = this.names.get(t);
      if (ours === undefined) continue;
      const { axes, images } = layoutOf(visit, field, t);
      const part = { ours, tensor: t, seen: t.shape, axes, images, shape: axes.map((a) => t.shape[a]!) };
      const claim = inside.get(field);
      if (claim) claim(part);
      else this.put(join(visit.theirs, nameOf(visit.rule, field)), [part]);
    }
  }

  /** The tensors behind the module's parametrised ones: in the layer, where PyTorch knows the function, else in `parametrizations`. */
  private putParametrized(visit: Visit): void {
    const { m, rule, ours, theirs, within } = visit;
    const holder = parametrizationsOf(m);
    for (const [field, { original, steps }] of holder?.tensors() ?? []) {
      const name = nameOf(rule, field);
      const inner = join(theirs, 'parametrizations', name);
      const weight = { tensor: original, ...layoutOf(visit, field, original) };
      const known = parametrizationRule(join(ours, field), steps);
      if (!known) {
        const all = original.shape.map((_, i) => i);
        this.put(join(inner, 'original'), [this.partOf(original, weight, all, true)]);
        steps.forEach((step, i) => {
          this.walk(step, join(ours, 'parametrizations', field, `${i}`), join(inner, `${i}`), within, new Map());
        });
        continue;
      }
      for (const [key, t] of [['original', original] as const, ...ownTensors(steps[0]!)]) {
        const how = known[key];
        if (!how)
          throw new Error(
            `${this.names.get(t)!} has no name in PyTorch; pyTorchRule of its parametrisation must say it`,
          );
        const part = this.partOf(t, weight, how.axes, how.keepDims ?? false);
        this.put(join(theirs, name + how.suffix), [part], join(inner, how.newer));
      }
    }
  }

  /** A tensor that runs over some of a weight's axes. */
  private partOf(t: Tensor, weight: Weight, over: readonly number[], keepDims: boolean): Part {
    return { ours: this.names.get(t)!, tensor: t, ...alongWeight(weight, over, keepDims) };
  }

  /** @throws Error for a name that is taken */
  private put(theirs: string, parts: readonly Part[], newer?: string): void {
    const other = this.twins.get(theirs);
    if (other) {
      const [a, b] = [other.parts, parts].map((list) => list.map((p) => p.ours).join(', '));
      throw new Error(`PyTorch's name ${theirs} stands for both ${a} and ${b}; rename a field`);
    }
    this.twins.set(theirs, { parts, shape: joinedShape(theirs, parts), newer });
  }
}

/** How a tensor of a module lies in PyTorch. */
const layoutOf = ({ rule, ours, image }: Visit, field: string, t: Tensor): Pick<Part, 'axes' | 'images'> => ({
  axes: of(rule.axes, field) ?? t.shape.map((_, i) => i),
  images: imagesOf(rule, field, t, ours, image),
});

const join = (...parts: readonly string[]): string => parts.filter((p) => p !== '').join('.');

/** The name there of a field, or of a place or key in one: keys are the same in both. */
function nameOf(rule: PyTorchRule, path: string): string {
  const [field = '', ...inner] = path.split('.');
  return rule.names?.[path] ?? join(rule.names?.[field] ?? snakeCase(field), ...inner);
}

/** weightIhL0 as weight_ih_l0. */
const snakeCase = (name: string): string => name.replace(/([a-z\d])([A-Z])/g, '$1_$2').toLowerCase();

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

/** What a parametrisation says of its tensors, if PyTorch keeps them in the layer. @throws Error for one among several */
function parametrizationRule(ours: string, steps: readonly AnyModule[]): PyTorchRule['parametrized'] {
  const rules = steps.map((step) => step.pyTorchRule().parametrized);
  if (rules.length > 1 && rules.some(Boolean)) {
    const all = steps.map((step) => step.constructor.name).join(' and ');
    throw new Error(`${ours} goes through ${all}, for which together PyTorch has no names; use removeParametrizations`);
  }
  return rules[0];
}

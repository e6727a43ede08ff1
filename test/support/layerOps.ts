/** Layers as the functions of their inputs and parameters that fixtures hold them to. */
import { enableGrad, grad, Tensor } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';
import type { Fixture } from './fixtures.ts';
import type { Op } from './pytorchOps.ts';

/** What a layer's fixture has as its only argument. */
export interface LayerSpec {
  /** Of the constructor. */
  readonly args: readonly unknown[];
  /** The parameters and buffers that come behind the layer's inputs, by dotted name. */
  readonly tensors: readonly string[];
  readonly eval?: true;
  /** Buffers to give behind the layer's outputs, as the call left them. */
  readonly after?: readonly string[];
  /** What `forward` gets, with '$0', '$1', ... for the inputs. Absent: the inputs, in order. */
  readonly call?: readonly unknown[];
  /** WGAN-GP's penalty of the first output's gradient by the first input, instead of the outputs. */
  readonly penalty?: true;
  /** How often the layer is called, if more than once: each call's outputs follow each other. */
  readonly times?: number;
  /** A function of `wgrad/nn` through which the layer goes, and its arguments behind the layer. */
  readonly wrap?: readonly [name: string, ...args: unknown[]];
}

type Layer = nn.Module<unknown[], unknown>;

export const specOf = (fixture: Fixture): LayerSpec => fixture.args![0] as LayerSpec;

/** Every class of layer that `wgrad/nn` exports; losses are modules too, and test/nn/losses.test.ts holds those. */
export const layerNames: readonly string[] = Object.entries(nn)
  .filter(([, v]) => typeof v === 'function' && v.prototype instanceof nn.Module)
  .filter(([, v]) => v !== nn.Loss && !((v as { readonly prototype: unknown }).prototype instanceof nn.Loss))
  .map(([name]) => name);

/** Made as a fixture says, in its mode. */
export function makeLayer(name: string, { args, eval: evaluating, wrap }: LayerSpec): Layer {
  const make = (nn as unknown as Record<string, new (...args: readonly unknown[]) => Layer>)[name];
  if (!make) throw new Error(`wgrad/nn has no ${name}`);
  const layer = new make(...args);
  if (!wrap) return layer.train(!evaluating);
  const [through, ...more] = wrap;
  const wrapper = (nn as unknown as Record<string, (layer: Layer, ...args: readonly unknown[]) => Layer>)[through];
  if (!wrapper) throw new Error(`wgrad/nn has no ${through}`);
  return wrapper(layer, ...more).train(!evaluating);
}

/** All tensors in what a layer gave, in order. */
export function tensorsOf(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  return Array.isArray(value) ? value.flatMap(tensorsOf) : [];
}

/** `call` with the inputs in their places. */
function filled(call: unknown, inputs: readonly Tensor[]): unknown {
  if (typeof call === 'string' && call.startsWith('$')) return inputs[Number(call.slice(1))];
  if (Array.isArray(call)) return call.map((v) => filled(v, inputs));
  if (typeof call !== 'object' || call === null) return call;
  return Object.fromEntries(Object.entries(call).map(([name, v]) => [name, filled(v, inputs)]));
}

/** E[(‖∇f(x)‖₂ - 1)²], connected to x and to what f is made of. */
function penaltyOf(x: Tensor, f: (x: Tensor) => Tensor): Tensor {
  return enableGrad(() => {
    const leaf = x.requiresGrad ? x : x.detach().requireGrad();
    const [slope] = grad(f(leaf).sum(), [leaf], { createGraph: true });
    const axes = x.shape.slice(1).map((_, i) => i + 1);
    return slope!.square().sum(axes).sqrt().sub(1).square().mean();
  });
}

/** The layer of a fixture as a function of all its tensors. The caller's scope frees the layer's own. */
export function layerOp(name: string): Op {
  return (given, args) => {
    const spec = args[0] as LayerSpec;
    const layer = makeLayer(name, spec);
    try {
      const inputs = given.slice(0, given.length - spec.tensors.length) as Tensor[];
      const own = spec.tensors.map((n, i) => [n, given[inputs.length + i] as Tensor] as const);
      const named = new Map(own);
      const missing = [...layer.stateDict().keys()].filter((n) => !named.has(n));
      if (missing.length > 0) throw new Error(`the fixture of ${name} gives no values for ${missing.join(', ')}`);
      const call = (...xs: Tensor[]) =>
        nn.functionalCall(layer, own, ...(spec.call ? (filled(spec.call, xs) as unknown[]) : xs));
      const run = (...xs: Tensor[]) => tensorsOf(Array.from({ length: spec.times ?? 1 }, () => call(...xs)));
      const [x, ...more] = inputs;
      const outputs = spec.penalty ? [penaltyOf(x!, (t) => run(t, ...more)[0]!)] : run(...inputs);
      return [...outputs, ...(spec.after ?? []).map((n) => named.get(n)!)];
    } finally {
      layer.dispose();
    }
  };
}

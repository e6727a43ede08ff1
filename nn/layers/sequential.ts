import { ShapeError, type Tensor } from '../../engine/index.ts';
import { calls, shown } from '../../engine/internal.ts';
import type { AnyModule } from '../module/anyModule.ts';
import { guardForward } from '../module/guardForward.ts';
import { Module } from '../module/module.ts';
import type { PyTorchRule } from '../module/pyTorchRule.ts';

/** A module that can be called with `In`, also where it takes optional inputs beside, and gives `Out`. */
export interface Stage<In extends readonly unknown[] = [x: Tensor], Out = Tensor> extends AnyModule {
  /** The function itself. */
  forward(...inputs: In): Out;
}

/** `given`, if it is a module. @throws TypeError that says what to write */
function needModule(owner: string, what: string, given: unknown): Module {
  if (given instanceof Module) return given;
  const isClass = typeof given === 'function' && given.prototype instanceof Module;
  const remedy = isClass
    ? `make one of the class: new ${given.name}()`
    : 'a function goes into a class that extends Module, as its forward; for x.relu() there is new ReLU()';
  throw new TypeError(`${owner}: ${what} is ${shown(given)}, not a module; ${remedy}`);
}

/**
 * Modules one after another: each gets what the one before it gives. The first may take several inputs, and the last may give
 * anything; between them goes one tensor.
 * @example
 * const critic = new Sequential(new Conv2d(1, 64, 4, { stride: 2, padding: 1 }), new LeakyReLU(0.2), new Flatten());
 * critic.at(-1); // the Flatten
 */
export class Sequential<In extends readonly unknown[] = [x: Tensor], Out = Tensor>
  extends Module<In, Out>
  implements Iterable<Module>
{
  /** The modules, in order; the first and the last one may take and give other things than their type says here. */
  readonly layers: readonly Module[];

  /** Takes the modules in order; without any, it gives its first input back. */
  constructor(only: Stage<In, Out>);
  /** Takes two modules or more in order. */
  constructor(first: Stage<In, Tensor>, ...rest: [...between: Stage[], last: Stage<[x: Tensor], Out>]);
  /** Takes the modules in order, as a spread list whose length the compiler does not know. */
  constructor(...layers: Stage[]);
  constructor(...layers: unknown[]) {
    calls.checkArguments('Sequential', [calls.rest(calls.something('layers'))], arguments);
    super();
    if (layers.length === 1 && Array.isArray(layers[0])) {
      throw new TypeError('Sequential: modules are given one by one, not as a list; write new Sequential(...layers)');
    }
    this.layers = layers.map((layer, i) => needModule('Sequential', `module ${i}`, layer));
  }

  override pyTorchRule(): PyTorchRule {
    return { names: { layers: '' } };
  }

  /** How many modules there are. */
  get length(): number {
    return this.layers.length;
  }

  /** One of the modules; a negative place counts from the end. @throws RangeError if there is none */
  at(i: number): Module {
    const layer = this.layers.at(i);
    if (!layer) throw new RangeError(`Sequential: there is no module ${i} among ${this.length}`);
    return layer;
  }

  /** The modules, in order. */
  [Symbol.iterator](): Iterator<Module> {
    return this.layers[Symbol.iterator]();
  }

  override forward(...inputs: In): Out {
    const [first, ...rest] = this.layers as readonly Module<unknown[], unknown>[];
    return rest.reduce((h, layer) => layer.forward(h), first ? first.forward(...inputs) : inputs[0]) as Out;
  }
}

/**
 * body(x) + x, or body(x) + shortcut(x) (He et al. 2016); the two must have the same shape.
 * @example
 * const block = new Residual(new Sequential(new ReLU(), new Conv2d(64, 64, 3, { padding: 1 })));
 */
export class Residual extends Module {
  /** What is learned beside the shortcut. */
  readonly body: Stage;
  /** What x goes through on the other way; undefined for x as it is. */
  readonly shortcut: Stage | undefined;

  /** Takes the two ways. @param shortcut such as a convolution of kernel 1, where the body changes the number of channels or the size */
  constructor(body: Stage, shortcut?: Stage) {
    calls.checkArguments('Residual', [calls.something('body'), calls.maybe(calls.something('shortcut'))], arguments);
    super();
    this.body = needModule('Residual', 'the body', body);
    this.shortcut = shortcut && needModule('Residual', 'the shortcut', shortcut);
  }

  /** @throws ShapeError unless the body gives the shape of the shortcut */
  override forward(x: Tensor): Tensor {
    const y = this.body.forward(x);
    const past = this.shortcut ? this.shortcut.forward(x) : x;
    if (y.shape.join() !== past.shape.join()) {
      throw new ShapeError(
        `Residual: of x [${x.shape}] the body makes [${y.shape}], and the shortcut [${past.shape}]; give a shortcut that changes the shape as the body does`,
      );
    }
    return y.add(past);
  }
}

guardForward(Residual);

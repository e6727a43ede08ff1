import { ShapeError, type Tensor } from '../../engine/index.ts';
import { Module } from '../module/module.ts';

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
  /** The modules, in order. */
  readonly layers: readonly Module[];

  /** Takes the modules in order; without any, it gives its first input back. */
  constructor(only: Module<In, Out>);
  /** As above, with more than one. */
  constructor(first: Module<In, Tensor>, ...rest: [...between: Module[], last: Module<[x: Tensor], Out>]);
  /** As above, for lists whose length the compiler does not know. */
  constructor(...layers: Module[]);
  constructor(...layers: unknown[]) {
    super();
    this.layers = layers as Module[];
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
  readonly body: Module;
  /** What x goes through on the other way; undefined for x as it is. */
  readonly shortcut: Module | undefined;

  /** @param shortcut such as a convolution of kernel 1, where the body changes the number of channels or the size */
  constructor(body: Module, shortcut?: Module) {
    super();
    this.body = body;
    this.shortcut = shortcut;
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

/** Losses as modules: a function of this folder, with its options given once. */
import { scope, Tensor } from '../../engine/index.ts';
import { calls } from '../../engine/internal.ts';
import { described } from '../layers/describe.ts';
import { Module } from '../module/module.ts';
import { Buffer } from '../module/parameter.ts';

/** A loss as a function of tensors, with its options behind them. */
type LossFunction<In extends readonly Tensor[], O> = (...args: [...inputs: In, options?: O]) => Tensor;

const isTensor = (v: unknown): v is Tensor => v instanceof Tensor;
const classOf = ({ name }: { readonly name: string }): string => name.replace(/^_/, '');

/**
 * What the losses that are modules share: {@link MSELoss}, {@link CrossEntropyLoss} and the others are each a function, such as
 * `mseLoss`, under the name of PyTorch's class, and have its value and its options. A tensor among the options is copied into a
 * buffer, which is saved and freed with the module; the function is for weights that are learned.
 */
export abstract class Loss<
  In extends readonly Tensor[] = [input: Tensor, target: Tensor],
  O extends object = object,
> extends Module<In> {
  private readonly loss: LossFunction<In, O>;
  private readonly given: O;
  /** The options that are tensors: each is a buffer in the field of its name. */
  private readonly tensors: readonly string[];

  /** Called by subclasses. @param args the `arguments` of their constructor, which are checked @internal */
  protected constructor(loss: LossFunction<In, O>, options: O, args: ArrayLike<unknown>) {
    super();
    const name = classOf(new.target);
    if (isTensor(args[0]) && isTensor(args[1])) {
      throw new TypeError(
        `${name}: it is made first, and takes tensors then: new ${name}().forward(...), or ${loss.name}(...), the function`,
      );
    }
    calls.checkArguments(name, calls.kindsOf(loss).slice(-1), args);
    const all = Object.entries(options).filter(([, value]) => value !== undefined);
    this.loss = loss;
    this.given = Object.fromEntries(all.filter(([, value]) => !isTensor(value))) as O;
    this.tensors = all.flatMap(([key, value]) => (isTensor(value) ? [key] : []));
    for (const key of this.tensors) {
      const value = (options as Record<string, Tensor>)[key]!;
      Object.assign(this, {
        [key]: new Buffer(
          scope(() => value.detach().clone()),
          key,
        ),
      });
    }
  }

  /** The loss of predictions and targets, as the function of this name gives it. @throws as the function */
  forward(...inputs: In): Tensor {
    const fields = this as unknown as Record<string, Tensor>;
    const options = { ...this.given, ...Object.fromEntries(this.tensors.map((key) => [key, fields[key]])) };
    const name = classOf(this.constructor);
    calls.checkArguments(name, calls.kindsOf(this.loss).slice(0, -1), inputs);
    return calls.op(name, [], () => this.loss(...inputs, options))();
  }

  /** The options that it was made with. */
  override describe(): string {
    const fields = this as unknown as Record<string, Tensor>;
    const sizes = this.tensors.map((key) => `${key} [${fields[key]!.shape}]`);
    return described(...sizes, ...Object.entries(this.given).map(([key, value]) => `${key} ${value}`));
  }
}

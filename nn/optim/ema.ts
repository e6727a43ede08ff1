import { eachRun, keep, live, ShapeError, type Tensor } from '../../engine/index.ts';
import { calls, checkRange, optimizerStep, ranges, refusePromise } from '../../engine/internal.ts';
import type { AnyModule } from '../module/anyModule.ts';
import type { Parameter } from '../module/parameter.ts';
import { compareState, overwriting, refuseDifferences, type StateValue, stateMap } from '../module/state.ts';
import { Arena, Layout, lent } from './arena.ts';
import { parameterList } from './options.ts';

/**
 * An exponential moving average of parameters, such as a generator's for sampling (Yaz et al. 2019). It may be made before or
 * after the optimizers of the parameters, however they group them, or without any.
 * @example
 * const ema = new EMA(generator.parameters(), 0.999);
 * adam.step(gradients);
 * ema.update();
 * const images = ema.apply(() => generator.forward(z));
 */
export class EMA {
  /** The share of the old average that an update keeps, once enough of them were made. */
  readonly decay: number;
  /** The average of each parameter, in its shape; they change with each update. */
  readonly averages: readonly Tensor[];
  /** Updates made. */
  steps = 0;
  private readonly layout: Layout;
  private readonly flat: Tensor;

  /**
   * Starts from the current values.
   * @param parameters such as all of a model, each once
   * @param decay share of the old average that each update keeps, e.g. 0.999
   * @throws RangeError unless decay is from 0 to 1
   * @throws Error for no parameters
   */
  constructor(parameters: readonly Parameter[], decay: number) {
    calls.checkArguments('EMA', [calls.something('parameters'), calls.within('decay', ranges.number)], arguments);
    parameterList('EMA', parameters);
    checkRange('EMA', 'decay', ranges.share, decay);
    if (parameters.length === 0) throw new Error('EMA: no parameters given');
    this.decay = decay;
    this.layout = new Layout([...parameters]);
    this.flat = this.layout.gather('average');
    this.averages = this.layout.windows(this.flat, 'average');
  }

  /**
   * Moves the average towards the parameters. Update k, from 0, keeps min(decay, k / (k + 10)), so that the start does not
   * linger.
   */
  update(): void {
    const { sources, lengths, offsets } = this.pieces();
    const next = () => ({ lengths, offsets, decay: Math.min(this.decay, this.steps / (this.steps + 10)) });
    optimizerStep('ema', this.flat, [], sources, live(next));
    eachRun(() => {
      this.steps++;
    });
  }

  /** Runs `fn` with the averaged parameters in place of the current ones. @throws TypeError if `fn` is async */
  apply<T>(fn: () => T): T {
    const { parameters } = this.layout;
    const own = parameters.map((p) => keep(p.detach()));
    parameters.forEach((p, k) => {
      p.rebind(this.layout.window(this.flat, k));
      lent.add(p);
    });
    try {
      return refusePromise('EMA.apply', fn());
    } finally {
      parameters.forEach((p, k) => {
        lent.delete(p);
        p.rebind(own[k]!.storage.share());
        own[k]!.dispose();
      });
    }
  }

  /**
   * Copies the average into the parameters of a module, such as `generator.copy()`, which hold it from then on. Buffers, which
   * the average does not have, are left alone.
   * @throws ShapeError unless the module has parameters of the same shapes, in the same order; nothing is changed then
   */
  copyTo(module: AnyModule): void {
    const targets = module.parameters();
    const shapes = (list: readonly Tensor[]) => list.map((t) => `[${t.shape}]`).join(' ');
    if (shapes(targets) !== shapes(this.averages)) {
      throw new ShapeError(`EMA: the averages ${shapes(this.averages)} do not fit parameters ${shapes(targets)}`);
    }
    targets.forEach((p, k) => {
      overwriting(p.describe(), p, this.averages[k]!)();
    });
  }

  /** `steps`, and the average of each parameter, as `average.0` and so on, in its shape. The tensors are those in use. */
  stateDict(): Map<string, Tensor | number> {
    const named = this.averages.map((t, k): [string, Tensor] => [`average.${k}`, t]);
    return new Map<string, Tensor | number>([['steps', this.steps], ...named]);
  }

  /**
   * Restores what `stateDict` gave, bit for bit.
   * @throws Error naming what is missing, unexpected, or of another shape, RangeError for steps that cannot be; nothing is changed
   * then
   */
  loadStateDict(values: ReadonlyMap<string, StateValue | number>): void {
    stateMap('EMA', values);
    refuseDifferences(compareState(this.stateDict(), values), values);
    const steps = checkRange('EMA', 'steps', ranges.whole(0), values.get('steps') as number);
    const writes = this.averages.map((t, k) =>
      overwriting(`average.${k}`, t, values.get(`average.${k}`) as StateValue),
    );
    for (const write of writes) write();
    this.steps = steps;
  }

  /** Frees the average. The parameters stay. */
  dispose(): void {
    for (const t of [this.flat, ...this.averages]) t.dispose();
  }

  /** Frees the average at the end of a block that began with `using ema = ...`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The parameters, or the whole arena of those that lie in one in this order: an arena is laid out as the average is. */
  private pieces(): { sources: Tensor[]; lengths: number[]; offsets: number[] } {
    const { parameters, offsets: all } = this.layout;
    const [sources, lengths, offsets]: [Tensor[], number[], number[]] = [[], [], []];
    for (let k = 0; k < parameters.length; ) {
      const arena = Arena.holding(parameters[k]!);
      const whole = arena?.isOf(parameters.slice(k, k + arena.parameters.length)) ? arena : undefined;
      sources.push(whole?.flat ?? parameters[k]!);
      lengths.push(whole?.size ?? parameters[k]!.size);
      offsets.push(all[k]!);
      k += whole?.parameters.length ?? 1;
    }
    return { sources, lengths, offsets };
  }
}

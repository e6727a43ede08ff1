/**
 * Values of the graph and their layouts. A tensor of three axes or more may lie channels last, as the engine has it, or
 * channels first, as ONNX convolutions want it. Ops that do not mind take what is there; a Transpose comes in only where a
 * layout is asked for that is not there yet, and is kept for the next that asks. So a chain of convolutions, norms and
 * activations has one at its beginning and one at its end.
 */
import type { Values } from '../../engine/index.ts';
import { type Graph, permuted } from './graph.ts';
import { Batch, known, type Size } from './size.ts';

export type Layout = 'last' | 'first';

/** [N, ..., C] to [N, C, ...]. */
export const toFirst = (rank: number): number[] =>
  rank < 3 ? range(rank) : [0, rank - 1, ...range(rank - 2).map((i) => i + 1)];
/** [N, C, ...] to [N, ..., C]. */
export const toLast = (rank: number): number[] =>
  rank < 3 ? range(rank) : [0, ...range(rank - 2).map((i) => i + 2), 1];
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** A tensor of the graph; `shape` is always that with channels last. */
export class Value {
  readonly shape: readonly Size[];
  /** The value's names in the graph, by layout, as far as it has been asked for. */
  readonly names: { last?: string; first?: string };
  /** The values of a constant, and the name of the parameter that it is. */
  readonly constant: { readonly values: Values; readonly name: string } | undefined;
  private readonly g: Graph;
  private readonly arrangements = new Map<string, string>();

  constructor(g: Graph, shape: readonly Size[], names: Value['names'], constant?: Value['constant']) {
    this.g = g;
    this.shape = shape;
    this.names = names;
    this.constant = constant;
  }

  get rank(): number {
    return this.shape.length;
  }

  /** The value's name with channels last. */
  get last(): string {
    const { names, rank } = this;
    if (this.constant) return this.arranged(range(rank));
    names.last ??= this.g.node('Transpose', [names.first!], { perm: toLast(rank) });
    return names.last;
  }

  /** The value's name with channels first. */
  get first(): string {
    const { names, rank } = this;
    if (this.constant) return this.arranged(toFirst(rank));
    if (rank < 3) return this.last;
    names.first ??= this.g.node('Transpose', [this.last], { perm: toFirst(rank) });
    return names.first;
  }

  /** The layout that costs nothing. */
  get layout(): Layout {
    return this.constant || this.names.last !== undefined || this.rank < 3 ? 'last' : 'first';
  }

  /** The value's name with its axes in another order, and then in another shape. Constants are arranged in the file. */
  arranged(axes: readonly number[], shape: readonly Size[] = axes.map((a) => this.shape[a]!)): string {
    const key = `${axes} ${shape.map((s) => (s instanceof Batch ? `n${s.times},${s.plus}` : s))}`;
    const found = this.arrangements.get(key) ?? this.arrange(axes, shape);
    this.arrangements.set(key, found);
    return found;
  }

  private arrange(axes: readonly number[], shape: readonly Size[]): string {
    const { constant, g } = this;
    if (constant) {
      const values = permuted(constant.values, known(this.shape), axes);
      return g.floats(values, known(shape), constant.name);
    }
    const isSame = axes.every((a, i) => a === i);
    const turned = isSame ? this.last : g.node('Transpose', [this.last], { perm: [...axes] });
    const asIs = shape.length === axes.length && shape.every((s, i) => s === this.shape[axes[i]!]);
    return asIs ? turned : g.node('Reshape', [turned, g.target(shape)]);
  }

  /** The value's name in a layout, to broadcast against tensors of `rank` axes that have it. */
  against(rank: number, layout: Layout): string {
    const { shape } = this;
    if (layout === 'last' || shape.every((d) => d === 1)) return this.last;
    if (this.rank === rank) return this.first;
    // [C] becomes [C,1,1]: ones in front say nothing.
    const padded = [...range(rank - this.rank).map(() => 1), ...shape];
    const order = toFirst(rank);
    const turned = order.map((a) => padded[a]!);
    const begin = Math.max(
      0,
      turned.findIndex((d) => d !== 1),
    );
    const own = order.map((a) => a - (rank - this.rank)).filter((a) => a >= 0);
    return this.arranged(own, turned.slice(begin));
  }

  /** Where an axis lies in a layout. */
  axis(a: number, layout: Layout): number {
    return layout === 'last' ? a : toFirst(this.rank).indexOf(a);
  }

  /** The value's name in a layout. */
  in(layout: Layout): string {
    return layout === 'last' ? this.last : this.first;
  }
}

/** The layout in which an op takes values of `rank` axes: channels first only if one of them would have to be turned. */
export const commonLayout = (values: readonly Value[], rank: number): Layout =>
  values.some((v) => v.rank === rank && v.layout === 'first') ? 'first' : 'last';

import { backwardSteps, relevant } from './grad.ts';
import { type Node, noGrad } from './node.ts';
import { show } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** One line of the tape: a leaf (`op` undefined) or an op. */
export interface TapeEntry {
  /** Its number on the tape, from 1. */
  readonly id: number;
  /** The op's name; undefined for a leaf. */
  readonly op: string | undefined;
  /** The entries that the op read. */
  readonly inputs: readonly number[];
  /** The op's parameters as text, e.g. the axes of a sum. */
  readonly params: string;
  /** The shape of the value. */
  readonly shape: readonly number[];
  /** The tensor's label, if it has one. */
  readonly label: string | undefined;
}

/** One op of a backward pass, in the tape's numbers. */
export interface TapeStep {
  /** The op that is differentiated. */
  readonly op: string;
  /** The entry that the op made. */
  readonly id: number;
  /** The cotangent of that entry. */
  readonly incoming: Tensor | undefined;
  /** What the op adds to the cotangents of its inputs. */
  readonly outgoing: readonly TapeCotangent[];
}

/** A contribution to the cotangent of an entry. */
export interface TapeCotangent {
  /** The entry. */
  readonly id: number;
  /** What is added to its cotangent, in its shape. */
  readonly cotangent: Tensor;
}

/** The recorded ops behind a tensor, in the order in which they ran, with the leaves that they read. */
export class Tape {
  /** Leaves and ops, each after those that it reads. */
  readonly entries: readonly TapeEntry[];
  readonly #y: Tensor;
  readonly #ids: ReadonlyMap<Tensor, number>;

  /** @hidden */
  constructor(entries: readonly TapeEntry[], y: Tensor, ids: ReadonlyMap<Tensor, number>) {
    this.entries = entries;
    this.#y = y;
    this.#ids = ids;
  }

  /**
   * Walks the backward pass of a scalar one op at a time, latest first, for lessons and pages that show it. The cotangents
   * belong to the current scope. The graph stays usable.
   * @throws GradError if the tensor is not a scalar, or the graph was already used
   */
  *backwardSteps(): Generator<TapeStep, void, undefined> {
    const leaves = [...this.#ids.keys()].filter((t) => t.requiresGrad && !t.node);
    const steps = backwardSteps([this.#y], leaves, relevant([this.#y], leaves), {}, true);
    for (let step = noGrad(() => steps.next()); !step.done; step = noGrad(() => steps.next())) {
      const { node, incoming, outgoing } = step.value;
      yield {
        op: node.row.name,
        id: this.#ids.get(node.outputs[0]!)!,
        incoming: incoming[0],
        outgoing: node.inputs.flatMap((t, i) =>
          outgoing[i] ? [{ id: this.#ids.get(t)!, cotangent: outgoing[i] }] : [],
        ),
      };
    }
  }

  /** `%1:[3] = x`, `%2:[3] = mul(%1, %1)`, ... one line each. */
  toString(): string {
    return this.entries
      .map(
        (e) =>
          `%${e.id}:${show(e.shape)} = ${e.op ? `${e.op}(${call(e)})${e.label ? `  # ${e.label}` : ''}` : (e.label ?? 'leaf')}`,
      )
      .join('\n');
  }

  /** Source for Graphviz: leaves are boxes, ops are ellipses. */
  toDot(): string {
    const nodes = this.entries.map(
      (e) =>
        `  n${e.id} [shape=${e.op ? 'ellipse' : 'box'}, label=${JSON.stringify(`${title(e)}\n${show(e.shape)}`)}];`,
    );
    const edges = this.entries.flatMap((e) => e.inputs.map((i) => `  n${i} -> n${e.id};`));
    return ['digraph tape {', '  rankdir=LR;', ...nodes, ...edges, '}'].join('\n');
  }

  /** A Mermaid flowchart. */
  toMermaid(): string {
    const text = (e: TapeEntry) => `"${title(e).replaceAll('"', "'")}<br/>${show(e.shape)}"`;
    const nodes = this.entries.map((e) => `  n${e.id}${e.op ? `([${text(e)}])` : `[${text(e)}]`}`);
    const edges = this.entries.flatMap((e) => e.inputs.map((i) => `  n${i} --> n${e.id}`));
    return ['flowchart LR', ...nodes, ...edges].join('\n');
  }

  /** What `JSON.stringify` writes: the entries. */
  toJSON(): readonly TapeEntry[] {
    return this.entries;
  }
}

const call = (e: TapeEntry): string => [e.inputs.map((i) => `%${i}`).join(', '), e.params].filter(Boolean).join('; ');
const title = (e: TapeEntry): string => [e.label, e.op ?? (e.label ? '' : 'leaf')].filter(Boolean).join(': ');

/**
 * The tape behind `y`: leaves and ops numbered from 1 in the order in which they came to be.
 * @example
 * const x = tensor([1, 2, 3], { requiresGrad: true, label: 'x' });
 * console.log(String(tape(x.mul(x).sum())));
 * // %1:[3] = x
 * // %2:[3] = mul(%1, %1)
 * // %3:[] = sum(%2)
 */
export function tape(y: Tensor): Tape {
  const nodes = new Set<Node>();
  const stack: Tensor[] = [y];
  while (stack.length > 0) {
    const { node } = stack.pop()!;
    if (node && !nodes.has(node)) {
      nodes.add(node);
      stack.push(...node.inputs);
    }
  }
  const ids = new Map<Tensor, number>();
  const entries: TapeEntry[] = [];
  const enter = (t: Tensor, op?: string, inputs: number[] = [], params = ''): void => {
    ids.set(t, entries.length + 1);
    entries.push({ id: entries.length + 1, op, inputs, params, shape: t.shape, label: t.label });
  };
  for (const node of [...nodes].sort((a, b) => a.id - b.id)) {
    for (const t of node.inputs) if (!ids.has(t)) enter(t);
    const inputs = node.inputs.map((t) => ids.get(t)!);
    for (const t of node.outputs) enter(t, node.row.name, inputs, describe(node));
  }
  if (!ids.has(y)) enter(y);
  return new Tape(entries, y, ids);
}

/** Params that say nothing new are left out: the axes of a full reduction, a scalar's `keepDims`. */
function describe({ row, params, outputs }: Node): string {
  if ((row.name === 'sum' || row.name === 'mean') && outputs[0]!.rank === 0) return '';
  return row.show?.(params) ?? '';
}

import { guarded } from '../arguments/arguments.ts';
import { aTensor } from '../arguments/kinds.ts';
import { backwardSteps, relevant } from '../autograd/grad.ts';
import { type Node, noGrad } from '../autograd/node.ts';
import { nameOf } from '../autograd/row.ts';
import { GradError } from '../errors.ts';
import { show } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** One line of the tape: a leaf (`op` undefined) or an op. */
export interface TapeEntry {
  /** The entry's number on the tape, from 1. */
  readonly id: number;
  /** The op's name; undefined for a leaf. */
  readonly op: string | undefined;
  /** What it is called where another op does the work: `mul` by a number is an op `affine`. Absent: as `op`. */
  readonly called?: string;
  /**
   * What an op in a recorded backward pass comes from: the op that was differentiated, and its entry, where it is on this tape.
   */
  readonly from?: {
    /** What is differentiated. */
    readonly op: string;
    /** The entry of the differentiated op on this tape. */
    readonly id?: number;
  };
  /** The entries that the op read. */
  readonly inputs: readonly number[];
  /** Which of the op's results it is: 0 unless the op has several, such as the statistics of a norm. */
  readonly output: number;
  /** The op's parameters as text, e.g. the axes of a sum. */
  readonly params: string;
  /**
   * The op's parameters as data, by name: all of them, resolved (axes count from 0, a shape has no -1). Elementwise ops
   * have theirs as `s0` and `s1`, in the order of {@link params}.
   */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** What {@link TraceOptions.module} said when the op ran. */
  readonly module?: string;
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
  /** The entries that the tape was asked for: the one of {@link tape}, or what the function of {@link trace} returned. */
  readonly outputs: readonly number[];
  readonly #tensors: readonly Tensor[];
  readonly #ids: ReadonlyMap<Tensor, number>;

  /** `tensors` are those of the entries, in order. @hidden */
  constructor(
    entries: readonly TapeEntry[],
    outputs: readonly number[],
    tensors: readonly Tensor[],
    ids: ReadonlyMap<Tensor, number>,
  ) {
    this.entries = entries;
    this.outputs = outputs;
    this.#tensors = tensors;
    this.#ids = ids;
  }

  /**
   * The tensor of an entry, whose values can be read for as long as it lives: results that no backward pass needs are freed
   * with their scope.
   * @throws RangeError if the tape has no such entry
   */
  tensor(id: number): Tensor {
    const t = this.#tensors[id - 1];
    if (!t) throw new RangeError(`tape: there is no entry ${id}; ids run from 1 to ${this.entries.length}`);
    return t;
  }

  /** The entry of a tensor, such as a parameter; undefined if the ops of this tape do not use it. */
  idOf(t: Tensor): number | undefined {
    return this.#ids.get(t);
  }

  /**
   * Walks the backward pass of a scalar one op at a time, latest first, for lessons and pages that show it. The cotangents
   * belong to the current scope. The graph stays usable.
   * @throws GradError if the tensor is not a scalar, the graph was already used, or this tape is a {@link trace}
   */
  *backwardSteps(): Generator<TapeStep, void, undefined> {
    const y = this.tensor(this.outputs[0]!);
    if (this.#ids.get(y) !== this.outputs[0]) throw new GradError('backwardSteps: a trace has none; take tape(y)');
    const leaves = [...this.#ids.keys()].filter((t) => t.requiresGrad && !t.node);
    const steps = backwardSteps([y], leaves, relevant([y], leaves), {}, true);
    for (let step = noGrad(() => steps.next()); !step.done; step = noGrad(() => steps.next())) {
      const { node, incoming, outgoing } = step.value;
      yield {
        op: nameOf(node.row),
        id: this.#ids.get(node.outputs[0]!)!,
        incoming: incoming[0],
        outgoing: node.inputs.flatMap((t, i) =>
          outgoing[i] ? [{ id: this.#ids.get(t)!, cotangent: outgoing[i] }] : [],
        ),
      };
    }
  }

  /** `%1:[3] = x`, `%2:[3] = mul(%1, %1)`, ... one line each; ops of a backward pass name the op that they come from. */
  toString(): string {
    return this.entries.map((e) => `%${e.id}:${show(e.shape)} = ${line(e)}`).join('\n');
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
const spoken = (e: TapeEntry): string | undefined => e.called ?? e.op;
const title = (e: TapeEntry): string => [e.label, spoken(e) ?? (e.label ? '' : 'leaf')].filter(Boolean).join(': ');

function line(e: TapeEntry): string {
  if (!e.op) return e.label ?? 'leaf';
  const { from } = e;
  const source = from && `backward of ${from.op}${from.id === undefined ? '' : ` %${from.id}`}`;
  const notes = [e.label, source].filter(Boolean).join(', ');
  return `${spoken(e)}(${call(e)})${notes ? `  # ${notes}` : ''}`;
}

/**
 * The tape behind `y`: leaves and ops numbered from 1 in the order in which they came to be.
 * @example
 * const x = tensor([1, 2, 3], { requiresGrad: true, label: 'x' });
 * console.log(String(tape(x.mul(x).sum())));
 * // %1:[3] = x
 * // %2:[3] = mul(%1, %1)
 * // %3:[] = sum(%2)
 * @function
 */
export const tape = guarded('tape', [aTensor('y')], (y: Tensor): Tape => {
  const nodes = new Set<Node>();
  const stack: Tensor[] = [y];
  while (stack.length > 0) {
    const { node } = stack.pop()!;
    if (node && !nodes.has(node)) {
      nodes.add(node);
      for (const input of node.inputs) stack.push(input);
    }
  }
  const ids = new Map<Tensor, number>();
  const entries: TapeEntry[] = [];
  /** The first entry of each node. */
  const entryOf = new Map<number, number>();
  const enter = (
    t: Tensor,
    made: Pick<TapeEntry, 'op' | 'called' | 'from' | 'inputs' | 'output' | 'params' | 'attributes'> = LEAF,
  ): void => {
    ids.set(t, entries.length + 1);
    entries.push({ id: entries.length + 1, ...made, shape: t.shape, label: t.label });
  };
  for (const node of [...nodes].sort((a, b) => a.id - b.id)) {
    for (const t of node.inputs) if (!ids.has(t)) enter(t);
    const inputs = node.inputs.map((t) => ids.get(t)!);
    const made = {
      ...opOf(node, node.from && entryOf.get(node.from.id)),
      inputs,
      params: describe(node, node.outputs[0]!.rank),
      attributes: attributesOf(node.params),
    };
    entryOf.set(node.id, entries.length + 1);
    node.outputs.forEach((t, output) => {
      enter(t, { ...made, output });
    });
  }
  if (!ids.has(y)) enter(y);
  return new Tape(entries, [ids.get(y)!], [...ids.keys()], ids);
});

/** What the entry of a leaf has in place of an op. */
export const LEAF = { op: undefined, inputs: [], output: 0, params: '', attributes: {} } as const;

/** How an entry names its op. @param id the entry of the op that it comes from */
export function opOf(
  { row, from }: Pick<Node, 'row' | 'from'>,
  id?: number,
): Pick<TapeEntry, 'op' | 'called' | 'from'> {
  const source = from && { from: { op: from.op, ...(id !== undefined && { id }) } };
  return { op: row.name, ...(row.called && { called: row.called }), ...source };
}

/** An op's params as the tape shows them. Those of a custom op are its own business, and undefined. */
export const attributesOf = (params: unknown): Readonly<Record<string, unknown>> => ({
  ...(params as object | undefined),
});

/** Params that say nothing new are left out: the axes of a full reduction, a scalar's `keepDims`. */
export function describe({ row, params }: Pick<Node, 'row' | 'params'>, rank: number): string {
  if ((row.name === 'sum' || row.name === 'mean') && rank === 0) return '';
  return row.show?.(params) ?? '';
}

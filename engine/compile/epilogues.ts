/** Finds the elementwise ops of a step that a product or norm before them can do to its values as it stores them. */

import { epilogueOf } from '../../kernels/epilogue.ts';
import type { Epilogue } from '../../kernels/functions.ts';
import type { Plan, Target } from '../../kernels/kernel.ts';
import type { Buffer, Storage } from '../device.ts';
import { sameShape } from '../tensor/shape.ts';
import type { CapturedOp } from './capturedOps.ts';

/** An op whose kernels apply an epilogue. */
export interface Fused {
  readonly head: CapturedOp;
  /** The ops that the epilogue does, in order. */
  readonly ops: readonly CapturedOp[];
  /** What the epilogue reads beside the head's values. */
  readonly operands: readonly Storage[];
  readonly outputs: readonly Storage[];
  readonly plan: (target: Target) => Plan;
}

/** What an epilogue may hold, and when it pays. */
interface Limits {
  readonly links: number;
  readonly outputs: number;
  /** What expressions of its functions match. */
  readonly functions: RegExp;
  /** Whether operands may have an element for each of the output. */
  readonly whole: boolean;
  /** Whether the first ops of a chain may go without the rest, which then is a launch all the same. */
  readonly partly: boolean;
  /** Elements that one shader with an epilogue must save a pass over in a step, or its compilation costs more. */
  readonly elements: number;
}

const LIMITS: Readonly<Record<Target['family'], Limits>> = {
  hardware: { links: 16, outputs: 4, functions: /^/, whole: true, partly: true, elements: 0 },
  // There an epilogue is written out at each of up to 32 stores of a tile, and compilers of shaders are slow: no exponentials, no
  // calls, and no loads for each element, which make products slower than a pass of their own (figures: bench/RESULTS.md).
  software: {
    links: 4,
    outputs: 2,
    whole: false,
    partly: false,
    elements: 2 ** 17,
    functions: /^(?!.*(?:exp|log|tanh|pow|_)\()/,
  },
};

/** Who reads what, and when, in a step. */
class Order {
  readonly #at: ReadonlyMap<CapturedOp, number>;
  readonly #madeAt: ReadonlyMap<Buffer, number>;
  readonly #writes = new Map<Buffer, number[]>();

  constructor(ops: readonly CapturedOp[]) {
    this.#at = new Map(ops.map((op, i) => [op, i]));
    this.#madeAt = new Map(ops.flatMap((op, i) => op.outputs.map((s) => [s.buffer, i] as const)));
    ops.forEach(({ call }, i) => {
      for (const { buffer } of call.inputs.slice(0, call.mutates)) {
        this.#writes.set(buffer, [...(this.#writes.get(buffer) ?? []), i]);
      }
    });
  }

  /** Whether values that `op` reads are there before `head` already. */
  ready(storage: Storage, head: CapturedOp, op: CapturedOp): boolean {
    return (this.#madeAt.get(storage.buffer) ?? -1) < this.#at.get(head)! && !this.written(storage, head, op);
  }

  /** Whether something is written in place after `head` and before `op`. */
  written({ buffer }: Storage, head: CapturedOp, op: CapturedOp): boolean {
    const [from, to] = [this.#at.get(head)!, this.#at.get(op)!];
    return this.#writes.get(buffer)?.some((i) => i > from && i < to) ?? false;
  }

  first(ops: readonly CapturedOp[]): CapturedOp | undefined {
    return [...ops].sort((a, b) => this.#at.get(a)! - this.#at.get(b)!)[0];
  }
}

type Readers = ReadonlyMap<Buffer, ReadonlySet<CapturedOp>>;

/**
 * For each head its epilogue. An op goes into an epilogue if it reads the head's values element by element, as the head left them, and
 * all else that it reads was there before the head, so that nothing moves but the op itself, to its head.
 */
export function findEpilogues(
  ops: readonly CapturedOp[],
  readers: Readers,
  kept: ReadonlySet<Buffer>,
  target: Target,
): Map<CapturedOp, Fused> {
  const order = new Order(ops);
  const taken = new Set<CapturedOp>();
  const byShader = new Map<string, Fused[]>();
  for (const head of ops) {
    if (taken.has(head) || head.call.live || !head.call.plan?.(target).withEpilogue) continue;
    const found = longest(head, order, readers, kept, target);
    if (!found) continue;
    for (const op of found.ops) taken.add(op);
    const shader = found
      .plan(target)
      .dispatches.map((d) => d.kernel.name)
      .join();
    byShader.set(shader, [...(byShader.get(shader) ?? []), found]);
  }
  const size = (all: readonly Fused[]) => all.reduce((n, t) => n + t.outputs[0]!.size, 0);
  const paying = [...byShader.values()].filter((all) => size(all) >= LIMITS[target.family].elements);
  return new Map(paying.flat().map((t) => [t.head, t]));
}

function longest(
  head: CapturedOp,
  order: Order,
  readers: Readers,
  kept: ReadonlySet<Buffer>,
  target: Target,
): Fused | undefined {
  const { links, functions, partly } = LIMITS[target.family];
  const { buffer, size } = head.outputs[0]!;
  const group: CapturedOp[] = [];
  const made = new Set([buffer]);
  const follows = (op: CapturedOp) =>
    op.call.elementwise !== undefined &&
    !op.call.live &&
    op.outputs[0]!.size === size &&
    op.call.inputs.every((s) =>
      made.has(s.buffer) ? s.size === size && !order.written(s, head, op) : order.ready(s, head, op),
    );
  let best: Fused | undefined;
  for (;;) {
    const near = [...made].flatMap((b) => [...(readers.get(b) ?? [])]);
    const next = order.first(near.filter((op) => !group.includes(op) && follows(op)));
    if (!next) return best;
    const fits = group.length < links && functions.test(next.call.elementwise!().e.expr);
    group.push(next);
    made.add(next.outputs[0]!.buffer);
    const more = fits ? withEpilogueOf(head, group, readers, kept, target) : undefined;
    if (!fits || !(more || partly)) return partly ? best : undefined;
    best = more ?? best;
  }
}

function withEpilogueOf(
  head: CapturedOp,
  group: readonly CapturedOp[],
  readers: Readers,
  kept: ReadonlySet<Buffer>,
  target: Target,
): Fused | undefined {
  const { whole, outputs: most } = LIMITS[target.family];
  const [result] = head.outputs;
  const row = head.call.outputShapes[0]!.at(-1) ?? 1;
  const operands: Storage[] = [];
  const kinds: Epilogue['operands'][number][] = [];
  const values = new Map<Buffer, number>([[result!.buffer, -1]]);
  for (const [k, op] of group.entries()) values.set(op.outputs[0]!.buffer, k);
  const links = [];
  for (const op of group) {
    const places: { readonly link?: number; readonly operand?: number }[] = [];
    for (const [i, s] of op.call.inputs.entries()) {
      const link = values.get(s.buffer);
      if (link !== undefined) {
        places.push({ link });
        continue;
      }
      const kind = kindOf(s.size, op.call.inputShapes[i]!, op.call.outputShapes[0]!, result!.size, row);
      if (!kind || (kind === 'whole' && !whole)) return undefined;
      const known = operands.findIndex((o, k) => o.buffer === s.buffer && o.offset === s.offset && kinds[k] === kind);
      if (known < 0) kinds.push(kind);
      places.push({ operand: known < 0 ? operands.push(s) - 1 : known });
    }
    links.push({ ...op.call.elementwise!(), places });
  }
  const own = new Set(group);
  const wanted = (b: Buffer) => kept.has(b) || [...(readers.get(b) ?? [])].some((r) => !own.has(r));
  const stored = [...values].filter(([b]) => wanted(b)).map(([, k]) => k);
  const value = (k: number) => (k < 0 ? 0 : operands.length + 1 + k);
  if (stored.length > most) return undefined;
  const epilogue = epilogueOf({
    links: links.map(({ e, scalars, places }) => ({
      e,
      scalars,
      operands: places.map((p) => (p.link === undefined ? 1 + p.operand! : value(p.link))),
    })),
    operands: kinds,
    outputs: stored.map(value),
    row,
  });
  if (!head.call.plan!(target).withEpilogue!(epilogue)) return undefined;
  const outputs = [...stored.map((k) => (k < 0 ? result! : group[k]!.outputs[0]!)), ...head.outputs.slice(1)];
  return {
    head,
    ops: [...group],
    operands,
    outputs,
    plan: (on) => head.call.plan!(on).withEpilogue!(epilogue)!,
  };
}

/** How an operand of `shape` lies in an op that gives `out`, beside `size` elements in rows of `row`. */
function kindOf(
  operand: number,
  shape: readonly number[],
  out: readonly number[],
  size: number,
  row: number,
): Epilogue['operands'][number] | undefined {
  if (operand === size) return 'whole';
  if (operand === 1) return 'scalar';
  const padded = [...out.slice(0, -1).map(() => 1), row];
  const own = [...out.slice(0, Math.max(0, out.length - shape.length)).map(() => 1), ...shape];
  return out.at(-1) === row && sameShape(own, padded) ? 'row' : undefined;
}

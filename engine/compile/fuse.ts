/** Makes chains of the elementwise ops of a step: one launch each, and nothing between them goes through memory. */
import { elementwiseChain, scalarParams } from '../../kernels/elementwise.ts';
import type { Link } from '../../kernels/functions.ts';
import type { Plan, Target } from '../../kernels/kernel.ts';
import type { Buffer, Storage } from '../device.ts';
import { type Shape, sameShape } from '../tensor/shape.ts';
import { PARAM_WORDS } from '../webgpu/pipelines.ts';
import type { CapturedOp } from './capturedOps.ts';
import { type Fused, findEpilogues } from './epilogues.ts';

/** What a replay does: the launches of one op, or of a chain of them. */
export interface LaunchGroup {
  readonly name: string;
  readonly plan: (target: Target, params?: unknown) => Plan;
  /** Storages in the order of the plan's slots: inputs, then outputs. */
  readonly inputs: readonly Storage[];
  readonly outputs: readonly Storage[];
  /** The op whose params change from run to run. */
  readonly live?: CapturedOp | undefined;
  /** Buffers that it writes in place. */
  readonly mutates: readonly Buffer[];
}

/** Functions of one launch: more would keep too many values in registers. */
const MOST_LINKS = 64;

/** Elementwise ops over the same elements, in order. */
interface Group {
  readonly ops: readonly CapturedOp[];
  readonly size: number;
  /** The shape that broadcast operands need; undefined if each operand is whole or a single number. */
  readonly shape: Shape | undefined;
}

function groupOf(op: CapturedOp): Group | undefined {
  const { call, outputs } = op;
  if (!call.elementwise || call.live || outputs[0]!.size === 0) return undefined;
  const { size } = outputs[0]!;
  const flat = call.inputs.every((s) => s.size === size || s.size === 1);
  return { ops: [op], size, shape: flat ? undefined : call.outputShapes[0]! };
}

/** The steps of a capture, in an order that respects who reads what. `kept`: buffers that are read after the last step. */
export function fuse(ops: readonly CapturedOp[], kept: ReadonlySet<Buffer>, target: Target): LaunchGroup[] {
  const readers = new Map<Buffer, Set<CapturedOp>>();
  for (const op of ops)
    for (const { buffer } of op.call.inputs) readers.set(buffer, (readers.get(buffer) ?? new Set()).add(op));
  const steps: LaunchGroup[] = [];
  /** Groups that may still grow. None reads a result of another. */
  const open = new Set<Group>();
  const makers = new Map<Buffer, Group>();
  const emit = (group: Group): void => {
    open.delete(group);
    for (const op of group.ops) makers.delete(op.outputs[0]!.buffer);
    steps.push(stepOf(group, readers, kept));
  };
  const epilogues = findEpilogues(ops, readers, kept, target);
  const done = new Set([...epilogues.values()].flatMap((t) => t.ops));
  for (const op of ops) {
    if (done.has(op)) continue;
    const epilogue = epilogues.get(op);
    const inputs = [...op.call.inputs, ...(epilogue?.operands ?? [])];
    const sources = new Set(inputs.map((s) => makers.get(s.buffer)).filter((g) => g !== undefined));
    let group = groupOf(op);
    for (const source of sources) {
      const merged = group && merge(source, group);
      if (merged && fits(merged, readers, kept, target)) {
        open.delete(source);
        group = merged;
      } else emit(source);
    }
    if (group) {
      open.add(group);
      for (const { outputs } of group.ops) makers.set(outputs[0]!.buffer, group);
      continue;
    }
    const mutated = op.call.inputs.slice(0, op.call.mutates).map((s) => s.buffer);
    for (const g of [...open]) if (mutated.some((b) => g.ops.some((o) => touches(o, b)))) emit(g);
    steps.push(epilogue ? withEpilogue(epilogue) : plain(op, mutated));
  }
  for (const g of [...open]) emit(g);
  return steps;
}

const touches = (op: CapturedOp, buffer: Buffer): boolean =>
  op.outputs.some((s) => s.buffer === buffer) || op.call.inputs.some((s) => s.buffer === buffer);

const plain = (op: CapturedOp, mutates: readonly Buffer[]): LaunchGroup => ({
  name: op.call.op,
  plan: op.call.plan!,
  inputs: op.call.inputs,
  outputs: op.outputs,
  live: op.call.live ? op : undefined,
  mutates,
});

const withEpilogue = ({ head, ops, operands, outputs, plan }: Fused): LaunchGroup => ({
  name: [head, ...ops].map((op) => op.call.op).join('+'),
  plan,
  inputs: [...head.call.inputs, ...operands],
  outputs,
  mutates: [],
});

/** One group of two, if they run over the same elements and `later` reads results of `earlier` element by element. */
function merge(earlier: Group, later: Group): Group | undefined {
  if (earlier.size !== later.size) return undefined;
  if (earlier.shape && later.shape && !sameShape(earlier.shape, later.shape)) return undefined;
  const shape = earlier.shape ?? later.shape;
  const made = new Set(earlier.ops.map((op) => op.outputs[0]!.buffer));
  const whole = later.ops.every((op) => op.call.inputs.every((s) => !made.has(s.buffer) || s.size === later.size));
  return whole ? { ops: [...earlier.ops, ...later.ops], size: later.size, shape } : undefined;
}

/** How an operand is read: shape against the group's, or the group's own. */
const operandShape = (s: Storage, shape: Shape, group: Group): Shape =>
  s.size === group.size ? (group.shape ?? [group.size]) : s.size === 1 ? [] : shape;

function layout(group: Group, readers: ReadonlyMap<Buffer, Set<CapturedOp>>, kept: ReadonlySet<Buffer>) {
  const inputs: Storage[] = [];
  const shapes: Shape[] = [];
  const at = new Map<string, number>();
  const ids = new Map<Buffer, number>();
  const links = new Map<Buffer, number>();
  const raw = group.ops.map((op, k) => {
    const operands = op.call.inputs.map((s, i) => {
      const link = links.get(s.buffer);
      if (link !== undefined) return { link };
      const shape = operandShape(s, op.call.inputShapes[i]!, group);
      const id = ids.get(s.buffer) ?? ids.size;
      ids.set(s.buffer, id);
      const key = `${id}:${s.offset}:${shape}`;
      const place = at.get(key) ?? inputs.push(s) - 1;
      if (!at.has(key)) shapes.push(shape);
      at.set(key, place);
      return { place };
    });
    links.set(op.outputs[0]!.buffer, k);
    return { ...op.call.elementwise!(), operands };
  });
  const own = new Set(group.ops);
  const outputs = group.ops.flatMap(({ outputs: [y] }, k) => {
    const outside = [...(readers.get(y!.buffer) ?? [])].some((r) => !own.has(r));
    return outside || kept.has(y!.buffer) ? [k] : [];
  });
  const chain: Link[] = raw.map(({ e, scalars, operands }) => ({
    e,
    scalars,
    operands: operands.map((o) => ('link' in o ? inputs.length + o.link : o.place)),
  }));
  return { inputs, shapes, links: chain, outputs };
}

function fits(
  group: Group,
  readers: ReadonlyMap<Buffer, Set<CapturedOp>>,
  kept: ReadonlySet<Buffer>,
  target: Target,
): boolean {
  const { inputs, links, outputs } = layout(group, readers, kept);
  const scalars = scalarParams(links, inputs.length).length;
  const rank = group.shape?.length ?? 0;
  return (
    links.length <= MOST_LINKS &&
    inputs.length + outputs.length <= target.maxStorageBuffers &&
    1 + scalars + rank * (1 + inputs.length) <= PARAM_WORDS
  );
}

function stepOf(group: Group, readers: ReadonlyMap<Buffer, Set<CapturedOp>>, kept: ReadonlySet<Buffer>): LaunchGroup {
  const [only] = group.ops;
  if (group.ops.length === 1) return plain(only!, []);
  const { inputs, shapes, links, outputs } = layout(group, readers, kept);
  return {
    name: group.ops.map((op) => op.call.op).join('+'),
    plan: () => elementwiseChain({ inputs: inputs.length, links, outputs }, shapes, group.shape ?? [group.size]),
    inputs,
    outputs: outputs.map((k) => group.ops[k]!.outputs[0]!),
    mutates: [],
  };
}

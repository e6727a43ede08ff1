/** Runs of ops that ONNX has as one. */

import { conv, convTranspose, matmul } from './ops/linear.ts';
import { type Call, made } from './ops/mapping.ts';
import { batchNormInference } from './ops/norm.ts';
import type { Entry, Program } from './program.ts';
import type { Value } from './value.ts';

/** The program with its wires followed the other way, and the values so far. */
export interface Place {
  readonly program: Program;
  readonly users: ReadonlyMap<number, readonly Entry[]>;
  /** The call of an op, with its own inputs unless others are given. */
  readonly call: (e: Entry, inputs?: readonly Value[]) => Call;
  readonly value: (id: number) => Value;
}

/** The op whose result a fusion gives, which ends the run. */
export interface Fused {
  readonly last: Entry;
  readonly value: Value;
}

const entryOf = (p: Place, id: number): Entry => p.program.entries[id - 1]!;

/** The one op that reads an entry, if it is one and the entry is no output. */
function onlyUser(p: Place, { id }: Entry): Entry | undefined {
  const users = p.users.get(id) ?? [];
  return users.length === 1 && !p.program.outputs.includes(id) ? users[0] : undefined;
}

const isVector = (e: Entry, size: unknown): boolean => e.constant && e.shape.length === 1 && e.shape[0] === size;

const BIASED: Readonly<Record<string, typeof conv | undefined>> = {
  conv2d: conv,
  conv3d: conv,
  convTranspose2d: convTranspose,
  convTranspose3d: convTranspose,
  matmul,
};

/** A product or a convolution, and the bias that is added to its last axis. */
function bias(p: Place, e: Entry): Fused | undefined {
  const write = BIASED[e.op ?? ''];
  const last = write && onlyUser(p, e);
  if (!write || last?.op !== 'add' || (e.op === 'matmul' && e.inputs.some((i) => entryOf(p, i).shape.length !== 2)))
    return undefined;
  const other = last.inputs.find((i) => i !== e.id);
  if (other === undefined || !isVector(entryOf(p, other), e.shape[e.shape.length - 1])) return undefined;
  return { last, value: write(p.call(e), p.value(other).last) };
}

/** A name takes any entry, the same one wherever it stands; else an op with its inputs. */
type Pattern = string | { readonly op: string; readonly inputs: readonly Pattern[] };
const op = (name: string, ...inputs: Pattern[]): Pattern => ({ op: name, inputs });

function match(p: Place, pattern: Pattern, id: number, found: Map<string, number>): boolean {
  if (typeof pattern === 'string') {
    const before = found.get(pattern);
    found.set(pattern, id);
    return before === undefined || before === id;
  }
  const e = entryOf(p, id);
  return e.op === pattern.op && pattern.inputs.every((inner, i) => match(p, inner, e.inputs[i]!, found));
}

const SCALE = op('mul', op('rsqrt', 'shifted'), 'weight');
const BATCH_NORM = op('standardize', 'x', 'mean', SCALE, 'bias');

/** (x - mean) · scale + bias with scale = weight / √(variance + eps), all but x constant. */
function batchNorm(p: Place, e: Entry): Fused | undefined {
  const found = new Map<string, number>();
  if (!match(p, BATCH_NORM, e.id, found)) return undefined;
  const at = (name: string) => entryOf(p, found.get(name)!);
  const shifted = at('shifted');
  const [x, weight, offset, mean] = [at('x'), at('weight'), at('bias'), at('mean')];
  if (shifted.op !== 'affine' || shifted.attributes.s0 !== 1 || x.shape.length < 2) return undefined;
  const variance = entryOf(p, shifted.inputs[0]!);
  const vectors = [weight, offset, mean, variance];
  // Leaves, whose values are known.
  if (!vectors.every((v) => v.op === undefined && isVector(v, x.shape[x.shape.length - 1]))) return undefined;
  const [scale, shift, average, spread] = vectors.map((v) => p.value(v.id)) as [Value, Value, Value, Value];
  const parts = { scale, bias: shift, mean: average, variance: spread };
  const call = p.call(e, [p.value(x.id)]);
  return { last: e, value: batchNormInference(call, parts, shifted.attributes.s1 as number) };
}

/** reshape, permute, reshape of depthToSpace and spaceToDepth. */
function blocks(p: Place, e: Entry): Fused | undefined {
  const turn = e.op === 'reshape' && e.shape.length === 6 ? onlyUser(p, e) : undefined;
  const last = turn?.op === 'permute' ? onlyUser(p, turn) : undefined;
  if (!turn || last?.op !== 'reshape' || `${turn.attributes.axes as number[]}` !== '0,1,3,2,4,5') return undefined;
  const x = p.value(e.inputs[0]!);
  if (x.rank !== 4 || last.shape.length !== 4) return undefined;
  const [, h, w, c] = x.shape as number[];
  const [, oh, ow, oc] = last.shape as number[];
  const inner = e.shape.slice(1).join();
  const call = p.call(last, [x]);
  const write = (opType: string, blocksize: number, how: { mode?: string } = {}): Fused => ({
    last,
    value: made(call, 'first', call.g.node(opType, [x.first], { blocksize, ...how })),
  });
  const [up, down] = [oh! / h!, h! / oh!];
  if (inner === `${h},${w},${up},${up},${oc}` && ow === w! * up) return write('DepthToSpace', up, { mode: 'DCR' });
  if (inner === `${oh},${down},${ow},${down},${c}` && oc === c! * down ** 2) return write('SpaceToDepth', down);
  return undefined;
}

/** The run that begins with this op, written as one node. */
export const fuse = (p: Place, e: Entry): Fused | undefined => bias(p, e) ?? batchNorm(p, e) ?? blocks(p, e);

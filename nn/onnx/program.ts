/** What a module does, as plain data: the tape of one run, or of four with different batches laid on top of each other. */
import type { Tape, TapeEntry, Values } from '../../engine/index.ts';
import { Batch, FixedBatch, follow, type Size, sameSize, VARIES } from './size.ts';

/** A leaf or an op of the program. Numbers of its attributes may be a {@link Batch}, or {@link VARIES}. */
export interface Entry {
  readonly id: number;
  readonly op: string | undefined;
  readonly inputs: readonly number[];
  readonly output: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly shape: readonly Size[];
  /** The layer that it runs in, and '' outside every layer. */
  readonly layer: string;
  /** It depends on nothing that changes from run to run, the batch included: its value is written into the file. */
  readonly constant: boolean;
}

/** The entries of a module's run, those that are its inputs and outputs, and the names of its parameters and buffers. */
export interface Program {
  readonly entries: readonly Entry[];
  /** The id is undefined for an input that nothing depends on. */
  readonly inputs: readonly { readonly id: number | undefined; readonly shape: readonly Size[] }[];
  readonly outputs: readonly number[];
  readonly names: ReadonlyMap<number, string>;
  /** Values of constants, by id: of leaves, and of those that something reads that is none. */
  readonly values: Map<number, Values>;
}

/** One run of a module. */
export interface Run {
  readonly tape: Tape;
  readonly inputs: readonly { readonly id: number | undefined; readonly shape: readonly number[] }[];
  readonly names: ReadonlyMap<number, string>;
}

/**
 * The program behind tapes of runs with batches n, n + 1, n + 2 and 8 n; or behind one.
 * @throws FixedBatch if they do not do the same
 */
export function programOf(runs: readonly Run[], n: number): Program {
  const [{ tape, inputs, names }, ...others] = runs as [Run, ...Run[]];
  const given = new Set(inputs.map(({ id }) => id));
  for (const { tape: t } of others) {
    if (t.entries.length !== tape.entries.length) throw new FixedBatch('other ops run with another batch');
  }
  const entries: Entry[] = [];
  for (const [k, entry] of tape.entries.entries()) {
    const same = runs.map((r) => r.tape.entries[k]!);
    for (const e of same) {
      const equal = e.op === entry.op && e.output === entry.output && `${e.inputs}` === `${entry.inputs}`;
      if (!equal) throw new FixedBatch(`${entry.op ?? 'a leaf'} is ${e.op ?? 'a leaf'} with another batch`);
    }
    entries.push(merge(same, entries, given.has(entry.id), n));
  }
  const laid = inputs.map(({ id }, k) => ({
    ...{
      id,
      shape: overlay(
        runs.map((r) => r.inputs[k]!.shape),
        n,
      ) as Size[],
    },
  }));
  return { entries, inputs: laid, outputs: tape.outputs, names, values: new Map() };
}

function merge(same: readonly TapeEntry[], before: readonly Entry[], isInput: boolean, n: number): Entry {
  const { id, op, inputs, output, module = '' } = same[0]!;
  const shape = overlay(
    same.map((e) => e.shape),
    n,
  ) as (Size | typeof VARIES)[];
  if (shape.includes(VARIES)) throw new FixedBatch(`the shape of ${op} does not grow evenly with the batch`);
  const attributes = overlay(
    same.map((e) => e.attributes),
    n,
  ) as Entry['attributes'];
  const constant = !isInput && !follows(shape) && !follows(attributes) && inputs.every((i) => before[i - 1]!.constant);
  return { id, op, inputs, output, layer: module, attributes, constant, shape: shape as Size[] };
}

/** Equal data with the numbers that follow the batch marked. */
function overlay(values: readonly unknown[], n: number): unknown {
  const [first] = values;
  if (typeof first === 'number') return values.length === 1 ? first : follow(n, values as number[]);
  if (Array.isArray(first)) {
    if (values.some((v) => (v as unknown[]).length !== first.length))
      throw new FixedBatch('axes change with the batch');
    return first.map((_, i) =>
      overlay(
        values.map((v) => (v as unknown[])[i]),
        n,
      ),
    );
  }
  if (typeof first === 'object' && first !== null) {
    const parts = Object.keys(first).map((k) => [
      k,
      overlay(
        values.map((v) => (v as Record<string, unknown>)[k]),
        n,
      ),
    ]);
    return Object.fromEntries(parts) as unknown;
  }
  if (values.some((v) => v !== first)) throw new FixedBatch(`${String(first)} changes with the batch`);
  return first;
}

const follows = (v: unknown): boolean =>
  v instanceof Batch || v === VARIES || (typeof v === 'object' && v !== null && Object.values(v).some(follows));

/** The constants whose values the export writes: leaves, and what is read by something that is not constant. */
export function constantsOf({ entries, outputs }: Program): number[] {
  const read = new Set(entries.flatMap((e) => (e.constant ? [] : e.inputs)).concat(outputs));
  return entries.filter((e) => e.constant && (e.op === undefined || read.has(e.id))).map((e) => e.id);
}

/** The params of an op, checked: a number that follows the batch where none may is a {@link FixedBatch}. */
export class Attributes {
  private readonly values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.values = values;
  }

  number(name: string): number {
    const v = this.values[name];
    if (typeof v !== 'number') throw new FixedBatch(`its ${name} changes with the batch`);
    return v;
  }

  numbers(name: string): number[] {
    return this.sizes(name).map((v) => {
      if (typeof v !== 'number') throw new FixedBatch(`its ${name} changes with the batch`);
      return v;
    });
  }

  sizes(name: string): readonly Size[] {
    const list = this.values[name] as (Size | typeof VARIES)[];
    if (list.includes(VARIES)) throw new FixedBatch(`its ${name} changes with the batch`);
    return list as Size[];
  }

  flag(name: string): boolean {
    return this.values[name] === true;
  }

  text(name: string): string {
    return String(this.values[name]);
  }

  inner(name: string): Attributes {
    return new Attributes(this.values[name] as Record<string, unknown>);
  }
}

/** Whether two shapes are one for every batch. */
export const sameSizes = (a: readonly Size[], b: readonly Size[]): boolean =>
  a.length === b.length && a.every((d, i) => sameSize(d, b[i]!));

/** An ONNX graph in the making, and the values that run through it in one of two layouts. */

import type { Values } from '../../engine/index.ts';
import { sizeOf } from '../../engine/index.ts';
import { type AttributeProto, AttributeType, DataType, type NodeProto, type TensorProto } from './proto.ts';
import { Batch, type Size } from './size.ts';

/** Numbers become integers, but for these, which ONNX has as floats. */
const FLOATS = new Set(['alpha', 'gamma', 'epsilon']);

type AttributeValue = number | string | readonly number[];

/** Nodes and initializers, each name given once. */
export class Graph {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  /** The layer that nodes are made for: the first part of their names. */
  layer = '';
  /** The input whose first axis is the batch. */
  batchOf = '';
  private readonly taken = new Set<string>();
  private readonly cached = new Map<string, string>();

  /** The name, or with a number behind it if it was given before. */
  unique(name: string): string {
    let found = name;
    for (let k = 1; this.taken.has(found); k++) found = `${name}_${k}`;
    this.taken.add(found);
    return found;
  }

  /** Adds a node with one result. An input of '' is one left out. @returns the result's name */
  node(opType: string, input: readonly string[], attributes: Readonly<Record<string, AttributeValue>> = {}): string {
    return this.results(1, opType, input, attributes)[0]!;
  }

  /** Adds a node with several results. @returns their names */
  results(
    count: number,
    opType: string,
    input: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
  ): string[] {
    const name = this.unique(this.layer ? `${this.layer}/${opType}` : opType);
    const attribute = Object.entries(attributes).map(([key, v]) => attributeOf(key, v));
    const output = [name, ...Array.from({ length: count - 1 }, (_, i) => this.unique(`${name}.${i + 1}`))];
    this.nodes.push({ name, opType, input, output, attribute });
    return output;
  }

  /** An initializer of floats. */
  floats(values: ArrayLike<number>, dims: readonly number[], name = 'constant'): string {
    const own = this.unique(name);
    const rawData = littleEndian(values.length, 4, (view, i) => view.setFloat32(4 * i, values[i]!, true));
    this.initializers.push({ name: own, dims, dataType: DataType.FLOAT, rawData });
    return own;
  }

  /** A scalar, one initializer for all that are equal. */
  scalar(value: number): string {
    return this.once(`scalar ${Object.is(value, -0) ? '-0' : value}`, () => this.floats([value], [], 'scalar'));
  }

  /** A vector of whole numbers, one initializer for all that are equal. */
  ints(values: readonly number[]): string {
    return this.once(`ints ${values}`, () => this.wholes(values, [values.length]));
  }

  /** A whole number as a scalar, for ops that take an axis as an input. */
  int(value: number): string {
    return this.once(`int ${value}`, () => this.wholes([value], []));
  }

  private wholes(values: readonly number[], dims: readonly number[]): string {
    const name = this.unique('ints');
    const put = (view: DataView, i: number) => view.setBigInt64(8 * i, BigInt(values[i]!), true);
    const rawData = littleEndian(values.length, 8, put);
    this.initializers.push({ name, dims, dataType: DataType.INT64, rawData });
    return name;
  }

  /** A shape as a vector; parts that follow the batch are worked out when the model runs. */
  shape(sizes: readonly Size[]): string {
    if (sizes.every((s) => typeof s === 'number')) return this.ints(sizes);
    const parts: string[] = [];
    let run: number[] = [];
    const flush = () => {
      if (run.length > 0) parts.push(this.ints(run));
      run = [];
    };
    for (const s of sizes) {
      if (typeof s === 'number') run.push(s);
      else {
        flush();
        parts.push(this.batch(s));
      }
    }
    flush();
    return parts.length === 1 ? parts[0]! : this.node('Concat', parts, { axis: 0 });
  }

  /** The shape as a value, for Reshape, which works one size out by itself. */
  target(sizes: readonly Size[]): string {
    const open = sizes.filter((s) => s instanceof Batch).length === 1 && !sizes.includes(0);
    return open ? this.ints(sizes.map((s) => (s instanceof Batch ? -1 : s))) : this.shape(sizes);
  }

  /** What `name` computes is called `as` from now on, everywhere. @returns whether a node makes it */
  rename(name: string, as: string): boolean {
    const made = this.nodes.some((n) => n.output.includes(name));
    if (!made) return false;
    const renamed = (list: readonly string[]) => list.map((v) => (v === name ? as : v));
    this.nodes.forEach((n, i) => {
      this.nodes[i] = { ...n, input: renamed(n.input), output: renamed(n.output) };
    });
    return true;
  }

  private batch({ times, plus }: Batch): string {
    return this.once(`batch ${times} ${plus}`, () => {
      const n = this.once('batch', () =>
        this.node('Slice', [this.node('Shape', [this.batchOf]), this.ints([0]), this.ints([1])]),
      );
      const scaled = times === 1 ? n : this.node('Mul', [n, this.ints([times])]);
      return plus === 0 ? scaled : this.node('Add', [scaled, this.ints([plus])]);
    });
  }

  private once(key: string, make: () => string): string {
    const name = this.cached.get(key) ?? make();
    this.cached.set(key, name);
    return name;
  }
}

function attributeOf(name: string, v: AttributeValue): AttributeProto {
  if (typeof v === 'string') return { name, type: AttributeType.STRING, s: v };
  if (typeof v !== 'number') return { name, type: AttributeType.INTS, ints: v };
  return FLOATS.has(name) ? { name, type: AttributeType.FLOAT, f: v } : { name, type: AttributeType.INT, i: v };
}

function littleEndian(count: number, bytes: number, put: (view: DataView, i: number) => void): Uint8Array {
  const view = new DataView(new ArrayBuffer(count * bytes));
  for (let i = 0; i < count; i++) put(view, i);
  return new Uint8Array(view.buffer);
}

/** Values row-major, with their axes in another order. */
export function permuted(values: Values, dims: readonly number[], axes: readonly number[]): Values {
  if (axes.every((a, i) => a === i)) return values;
  const strides = dims.map((_, i) => sizeOf(dims.slice(i + 1)));
  const sizes = axes.map((a) => dims[a]!);
  const steps = axes.map((a) => strides[a]!);
  const at = sizes.map(() => 0);
  const out = values.slice();
  let from = 0;
  for (let k = 0; k < out.length; k++) {
    out[k] = values[from]!;
    for (let i = sizes.length - 1; i >= 0; i--) {
      from += steps[i]!;
      if (++at[i]! < sizes[i]!) break;
      from -= sizes[i]! * steps[i]!;
      at[i] = 0;
    }
  }
  return out;
}

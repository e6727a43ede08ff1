/** From a program to an ONNX model. */
import { fuse, type Place } from './fuse.ts';
import { Graph } from './graph.ts';
import { type Call, Unmapped } from './ops/mapping.ts';
import { MAPPINGS, MAX_POOL_INDEX, RANDOM } from './ops/table.ts';
import { Attributes, type Entry, type Program } from './program.ts';
import { DataType, type Dimension, type ModelProto, type ValueInfoProto } from './proto.ts';
import { Batch, FixedBatch, type Size } from './size.ts';
import { Value } from './value.ts';

/** What the inputs and outputs are called. */
export interface Names {
  readonly inputs: readonly string[];
  readonly outputs: (count: number) => readonly string[];
}

/** ONNX 1.12: what LayerNormalization needs, and every runtime of the last years reads. */
const [OPSET, IR_VERSION] = [17, 8];

/**
 * @throws FixedBatch if the batch must be known for an op
 * @throws Error naming an op without a mapping
 */
export function emit(program: Program, names: Names, title: string): ModelProto {
  const g = new Graph();
  const values = new Map<number, Value>();
  const inputs = names.inputs.map((name, i) => {
    g.unique(name);
    const { id, shape } = program.inputs[i]!;
    if (id !== undefined) values.set(id, new Value(g, shape, { last: name }));
    return infoOf(name, shape);
  });
  g.batchOf = names.inputs[0] ?? '';
  const outputNames = names.outputs(program.outputs.length);
  for (const name of outputNames) g.unique(name);
  fill(program, g, values);
  g.layer = '';
  const outputs = program.outputs.map((id, i) => {
    const name = outputNames[i]!;
    const value = values.get(id)!;
    const first = program.outputs.indexOf(id);
    put(g, first === i ? value.last : outputNames[first]!, name, first === i);
    return infoOf(name, value.shape);
  });
  const graph = {
    name: title,
    docString: 'Images are [N,H,W,C].',
    node: g.nodes,
    initializer: g.initializers,
    output: outputs,
    input: inputs,
  };
  return { irVersion: IR_VERSION, producerName: 'wgrad', graph, opsetImport: [{ domain: '', version: OPSET }] };
}

/** Gives a value the name of an output. One that is no node's, or an output already, is copied. */
function put(g: Graph, from: string, to: string, first: boolean): void {
  if (first && g.rename(from, to)) return;
  g.nodes.push({ name: to, opType: 'Identity', input: [from], output: [to], attribute: [] });
}

const dimensionOf = (s: Size): Dimension => {
  if (!(s instanceof Batch)) return { dimValue: s };
  const { times, plus } = s;
  return {
    dimParam: `${times === 1 ? 'batch' : `${times}*batch`}${plus === 0 ? '' : `${plus > 0 ? '+' : ''}${plus}`}`,
  };
};

const infoOf = (name: string, shape: readonly Size[]): ValueInfoProto => ({
  name,
  type: { tensorType: { elemType: DataType.FLOAT, shape: { dim: shape.map(dimensionOf) } } },
});

function fill(program: Program, g: Graph, values: Map<number, Value>): void {
  const users = new Map<number, Entry[]>();
  for (const e of program.entries) for (const i of e.inputs) users.set(i, [...(users.get(i) ?? []), e]);
  const value = (id: number): Value => {
    const entry = program.entries[id - 1]!;
    const known = values.get(id) ?? constant(program, g, entry);
    values.set(id, known);
    return known;
  };
  const read = (e: Entry) => e.inputs.filter((i) => program.entries[i - 1]!.op !== MAX_POOL_INDEX).map(value);
  const call = (e: Entry, inputs: readonly Value[] = read(e)): Call => ({
    g,
    attributes: new Attributes(e.attributes),
    shape: e.shape,
    inputs,
  });
  const place: Place = { program, users, call, value };
  const done = new Set<number>();
  for (const e of program.entries) {
    refuseRandom(e);
    if (e.constant || e.op === undefined || e.op === MAX_POOL_INDEX || done.has(e.id)) continue;
    g.layer = e.layer;
    const fused = fuse(place, e);
    if (fused) {
      values.set(fused.last.id, fused.value);
      // What lies between is the fusion's own.
      for (let at = e; at !== fused.last; at = users.get(at.id)![0]!) done.add(at.id);
      done.add(fused.last.id);
    } else {
      values.set(e.id, mapped(e, call(e)));
    }
  }
  for (const id of program.outputs) value(id);
}

function refuseRandom({ op, layer }: Entry): void {
  if (op === undefined || !RANDOM.has(op)) return;
  throw new Error(
    `exportOnnx: ${op} draws random numbers${inLayer(layer)}, which a file cannot do as an Rng does; take them as an input of forward`,
  );
}

const inLayer = (layer: string): string => (layer ? ` in ${layer}` : '');

function mapped(e: Entry, c: Call): Value {
  const { op, layer, output } = e;
  const mapping = MAPPINGS[op!];
  try {
    if (!mapping) throw new Unmapped('has no mapping');
    if (output > 0) throw new Unmapped(`has no mapping for its result ${output}`);
    return mapping(c);
  } catch (error) {
    if (error instanceof FixedBatch) throw new FixedBatch(`${op}${inLayer(layer)}: ${error.message}`);
    if (!(error instanceof Unmapped)) throw error;
    throw new Error(
      `exportOnnx: ${op}${inLayer(layer)} ${error.message}; write the layer in other ops, or export the module up to there`,
    );
  }
}

/** A value that is written into the file, under the name of the parameter that it is, or is a reshaped one of. */
function constant(program: Program, g: Graph, entry: Entry): Value {
  const values = program.values.get(entry.id);
  if (!values) throw new Error(`exportOnnx: ${entry.op ?? 'a leaf'}${inLayer(entry.layer)} has no value`);
  let named = entry;
  while (named.op === 'reshape' || named.op === 'permute') named = program.entries[named.inputs[0]! - 1]!;
  const name = program.names.get(named.id) ?? (entry.layer ? `${entry.layer}/constant` : 'constant');
  return new Value(g, entry.shape, {}, { values, name });
}

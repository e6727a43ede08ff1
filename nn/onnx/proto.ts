/**
 * The messages of an ONNX file that an export needs, as a table: names and field numbers are those of the public schema,
 * onnx.proto3 (https://onnx.ai/onnx/repo-docs/IR.html). pbf writes the bytes: next to no code in a bundle, no generated
 * functions (which a page's security policy may forbid), types of its own.
 */
import { PbfWriter } from 'pbf';

/** Element types of ONNX tensors. */
export const DataType = { FLOAT: 1, INT64: 7, BOOL: 9 } as const;
export type DataType = (typeof DataType)[keyof typeof DataType];

/** Kinds of attributes. */
export const AttributeType = { FLOAT: 1, INT: 2, STRING: 3, INTS: 7 } as const;

export interface TensorProto {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: DataType;
  /** Little-endian. */
  readonly rawData: Uint8Array;
}

export interface AttributeProto {
  readonly name: string;
  readonly type: (typeof AttributeType)[keyof typeof AttributeType];
  readonly f?: number;
  readonly i?: number;
  readonly s?: string;
  readonly ints?: readonly number[];
}

export interface NodeProto {
  readonly name: string;
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly AttributeProto[];
}

/** A size, or the name of one that is known when the model runs. */
export type Dimension = { readonly dimValue: number } | { readonly dimParam: string };

export interface ValueInfoProto {
  readonly name: string;
  readonly type: {
    readonly tensorType: { readonly elemType: DataType; readonly shape: { readonly dim: Dimension[] } };
  };
}

export interface GraphProto {
  readonly name: string;
  readonly docString: string;
  readonly node: readonly NodeProto[];
  readonly initializer: readonly TensorProto[];
  readonly input: readonly ValueInfoProto[];
  readonly output: readonly ValueInfoProto[];
}

export interface ModelProto {
  readonly irVersion: number;
  readonly producerName: string;
  readonly graph: GraphProto;
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
}

type Scalar = 'int' | 'float' | 'string' | 'bytes' | 'ints';
type Field = readonly [tag: number, type: Scalar | keyof typeof MESSAGES];

const MESSAGES = {
  Model: { irVersion: [1, 'int'], producerName: [2, 'string'], graph: [7, 'Graph'], opsetImport: [8, 'OperatorSet'] },
  OperatorSet: { domain: [1, 'string'], version: [2, 'int'] },
  Graph: {
    node: [1, 'Node'],
    name: [2, 'string'],
    initializer: [5, 'Tensor'],
    docString: [10, 'string'],
    input: [11, 'ValueInfo'],
    output: [12, 'ValueInfo'],
  },
  Node: {
    input: [1, 'string'],
    output: [2, 'string'],
    name: [3, 'string'],
    opType: [4, 'string'],
    attribute: [5, 'Attribute'],
  },
  Attribute: {
    name: [1, 'string'],
    f: [2, 'float'],
    i: [3, 'int'],
    s: [4, 'string'],
    ints: [8, 'ints'],
    type: [20, 'int'],
  },
  Tensor: { dims: [1, 'ints'], dataType: [2, 'int'], name: [8, 'string'], rawData: [9, 'bytes'] },
  ValueInfo: { name: [1, 'string'], type: [2, 'Type'] },
  Type: { tensorType: [1, 'TensorType'] },
  TensorType: { elemType: [1, 'int'], shape: [2, 'Shape'] },
  Shape: { dim: [1, 'Dimension'] },
  Dimension: { dimValue: [1, 'int'], dimParam: [2, 'string'] },
} as const satisfies Record<string, Record<string, readonly [number, string]>>;

function write(message: string, value: object, out: PbfWriter): void {
  const fields = MESSAGES[message as keyof typeof MESSAGES] as Readonly<Record<string, Field>>;
  for (const [name, v] of Object.entries(value) as [string, unknown][]) {
    const field = fields[name];
    if (!field) throw new Error(`onnx: ${message} has no field ${name}`);
    const [tag, type] = field;
    if (type === 'ints') out.writePackedVarint(tag, v as number[]);
    else if (type === 'bytes') out.writeBytesField(tag, v as Uint8Array);
    else for (const one of (Array.isArray(v) ? v : [v]) as unknown[]) writeOne(tag, type, one, out);
  }
}

function writeOne(tag: number, type: Exclude<Field[1], 'ints' | 'bytes'>, value: unknown, out: PbfWriter): void {
  if (type === 'int') out.writeVarintField(tag, value as number);
  else if (type === 'float') out.writeFloatField(tag, value as number);
  else if (type === 'string') out.writeStringField(tag, value as string);
  else out.writeMessage(tag, (v: object, inner) => write(type, v, inner), value as object);
}

/** The bytes of an ONNX file. */
export function encodeModel(model: ModelProto): Uint8Array<ArrayBuffer> {
  // Room for the weights from the start: a buffer that grows is copied each time.
  const size = model.graph.initializer.reduce((n, t) => n + t.rawData.length + 256, 4096);
  const out = new PbfWriter(new Uint8Array(size));
  write('Model', model, out);
  return new Uint8Array(out.finish());
}

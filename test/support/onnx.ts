/** Runs ONNX files with onnxruntime, reads what is in them, and holds them against the modules that they came from. */
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-web';
import { PbfReader } from 'pbf';
import * as assert from 'uvu/assert';
import { Rng, type Shape, scope, type Tensor, tensor } from '../../engine/index.ts';
import * as nn from '../../nn/index.ts';

/** Functions as modules: what they take and give, and layers that they use. */
export class Fn extends nn.Module<Tensor[], Tensor | Tensor[]> {
  readonly layers: readonly nn.AnyModule[];
  private readonly fn: (...x: Tensor[]) => Tensor | Tensor[];

  constructor(fn: (...x: Tensor[]) => Tensor | Tensor[], ...layers: nn.AnyModule[]) {
    super();
    this.fn = fn;
    this.layers = layers;
  }

  override forward(...x: Tensor[]): Tensor | Tensor[] {
    return this.fn(...x);
  }
}

/** An input: its shape, and the end of its indices if it holds such. */
export type Input = Shape | { readonly shape: Shape; readonly below: number };

const shapeOf = (x: Input): Shape => ('below' in x ? x.shape : x);

const rng = new Rng(11);

function valuesFor(x: Input, batch: number | undefined): Tensor {
  const given = shapeOf(x);
  const shape = batch === undefined ? given : [batch, ...given.slice(1)];
  return 'below' in x ? rng.uniform(shape, { low: 0, high: x.below }).floor() : rng.normal(shape);
}

/** What is in a file. */
export interface Contents {
  readonly nodes: readonly { readonly opType: string; readonly name: string }[];
  readonly initializers: ReadonlyMap<string, readonly number[]>;
  /** The sizes of the inputs, symbolic ones by name. */
  readonly inputs: readonly (readonly (number | string)[])[];
  readonly outputs: readonly (readonly (number | string)[])[];
}

/** Reads a file by the numbers of the public schema, not by those of the writer. */
export function contentsOf(bytes: Uint8Array): Contents {
  const nodes: { opType: string; name: string }[] = [];
  const initializers = new Map<string, number[]>();
  const inputs: (number | string)[][] = [];
  const outputs: (number | string)[][] = [];
  type Reader = (tag: number, pbf: PbfReader) => void;
  const into = (pbf: PbfReader, read: Reader) => pbf.readMessage((tag, _, p) => read(tag, p), undefined);
  const sizes = (pbf: PbfReader, list: (number | string)[][]) => {
    const dims: (number | string)[] = [];
    const shape: Reader = (tag, p) =>
      tag === 1 && into(p, (t, d) => void dims.push(t === 1 ? d.readVarint() : d.readString()));
    const tensorType: Reader = (tag, p) => tag === 2 && into(p, shape);
    into(pbf, (tag, p) => tag === 2 && into(p, (t, q) => t === 1 && into(q, tensorType)));
    list.push(dims);
  };
  const graph: Reader = (tag, pbf) => {
    if (tag === 1) {
      const node = { opType: '', name: '' };
      into(pbf, (t, p) => {
        if (t === 3) node.name = p.readString();
        if (t === 4) node.opType = p.readString();
      });
      nodes.push(node);
    } else if (tag === 5) {
      let [name, dims] = ['', [] as number[]];
      into(pbf, (t, p) => {
        if (t === 1) dims = p.readPackedVarint();
        if (t === 8) name = p.readString();
      });
      initializers.set(name, dims);
    } else if (tag === 11) sizes(pbf, inputs);
    else if (tag === 12) sizes(pbf, outputs);
  };
  new PbfReader(bytes).readFields((tag, _, pbf) => void (tag === 7 && into(pbf, graph)), undefined);
  return { nodes, initializers, inputs, outputs };
}

/** How often each kind of node occurs. */
export const countsOf = ({ nodes }: Contents): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { opType } of nodes) counts[opType] = (counts[opType] ?? 0) + 1;
  return counts;
};

/** Options of {@link agree}. */
export interface Agreement {
  /** Default 1e-5, relative for values above 1. */
  readonly tolerance?: number;
  /** The batch has one size in the file. Default false. */
  readonly fixed?: boolean;
  readonly options?: nn.OnnxOptions;
}

/** Exports a module, and runs file and module on the same random inputs, of several batch sizes unless that is fixed. */
export async function agree(
  m: nn.AnyModule,
  inputs: readonly Input[],
  { tolerance = 1e-5, fixed = false, options = {} }: Agreement = {},
): Promise<Contents> {
  const module = m as unknown as nn.Module<Tensor[], Tensor | Tensor[]>;
  const bytes = await nn.exportOnnx(module, inputs.map(shapeOf), options);
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const contents = contentsOf(bytes);
  assert.is(contents.inputs[0]![0] === 'batch', !fixed, `the first input is [${contents.inputs[0]}]`);
  module.eval();
  for (const batch of fixed ? [undefined] : [shapeOf(inputs[0]!)[0]!, 1, 5]) {
    const xs = inputs.map((x) => valuesFor(x, batch));
    const feeds: Record<string, OrtTensor> = {};
    for (const [i, x] of xs.entries()) {
      const name = session.inputNames[i]!;
      feeds[name] = new OrtTensor('float32', Float32Array.from(await x.data()), x.shape);
    }
    // The module sees what float32 leaves of the inputs.
    const seen = xs.map((x, i) => tensor(feeds[session.inputNames[i]!]!.data as Float32Array, { shape: x.shape }));
    const wanted = scope(() => {
      const y = module.forward(...seen);
      return (Array.isArray(y) ? y : [y]).map((t) => ({ shape: t.shape, values: t.data() }));
    });
    const results = await session.run(feeds);
    for (const [i, { shape, values }] of wanted.entries()) {
      const found = results[session.outputNames[i]!]!;
      assert.equal([...found.dims], [...shape], `output ${i} for a batch of ${batch}`);
      const data = found.data as Float32Array;
      (await values).forEach((v, k) => {
        const error = Math.abs(data[k]! - v) / Math.max(1, Math.abs(v));
        const same = Object.is(data[k], v) || (Number.isNaN(v) && Number.isNaN(data[k])) || data[k] === v;
        if (!same && !(error <= tolerance))
          assert.unreachable(`output ${i}, element ${k}, for a batch of ${batch}: ${data[k]}, not ${v}`);
      });
    }
  }
  await session.release();
  return contents;
}

/** ONNX export: files against the modules that they came from, run by onnxruntime. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { conv2d, Generator, init, keep, scope, trace, zeros } from '../engine/index.ts';
import { MAPPINGS } from '../nn/onnx/ops/table.ts';
import { agree, Fn } from './support/onnx.ts';
import { onnxCases } from './support/onnxOps.ts';

const test = suite('onnx');
await init({ device: 'reference' });
const rng = new Generator(3);
const opaque = (op: string) => op in MAPPINGS;
const seen = new Set<string>();

for (const [name, { fn, inputs, agreement }] of Object.entries(onnxCases)) {
  test(name, async () => {
    const shapes = inputs.map((x) => ('below' in x ? x.shape : x));
    for (const e of scope(() => trace(() => fn(...shapes.map((s) => zeros(s))), { opaque })).entries)
      seen.add(e.op ?? '');
    await agree(new Fn(fn), inputs, agreement);
    if (shapes[0]!.length !== 4 || 'below' in inputs[0]!) return;
    // Behind a convolution the image lies with its channels first.
    const c = shapes[0]![3]!;
    const w = keep(rng.normal([1, 1, c, c]));
    await agree(new Fn((x, ...rest) => fn(conv2d(x!, w), ...rest)), inputs, { tolerance: 3e-5, ...agreement });
  });
}

test('every row of the mapping table has a case', () => {
  assert.equal(
    Object.keys(MAPPINGS).filter((op) => !seen.has(op)),
    [],
  );
});

test.run();

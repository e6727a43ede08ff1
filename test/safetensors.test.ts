import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCheckpoint, saveCheckpoint } from '../nn/io/checkpoint.node.ts';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../nn/io/safetensors.ts';

const tensors = new Map<string, StoredTensor>([
  ['z/bytes', { shape: [3], data: Uint8Array.of(1, 2, 255) }],
  ['b', { shape: [2, 2], data: Float32Array.of(1.5, -2, Number.NaN, Number.NEGATIVE_INFINITY) }],
  ['a "quoted" é', { shape: [1, 1], data: Int32Array.of(-7) }],
  ['10', { shape: [], data: Float64Array.of(Math.PI) }],
  ['2', { shape: [], data: Float64Array.of(-0) }],
  ['none', { shape: [0, 4], data: new Float32Array(0) }],
  ['__proto__', { shape: [1], data: Float32Array.of(4) }],
]);
const metadata = { step: '12', format: 'wgrad "1"' };

/** A file with this header and so many bytes of data. */
function file(header: string | Uint8Array, size = 0, length?: bigint): Uint8Array {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.length + size);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const info = (begin: unknown, end: unknown, shape: unknown = [1], dtype: unknown = 'F32') =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

test('gives back names, shapes, bits and metadata', () => {
  const read = decodeSafetensors(encodeSafetensors(tensors, metadata));
  assert.equal([...read.tensors.keys()].sort(), [...tensors.keys()].sort());
  for (const [name, { shape, data }] of tensors) {
    const found = read.tensors.get(name)!;
    assert.equal([found.shape, found.data.constructor], [shape, data.constructor], name);
    assert.equal(Buffer.from(found.data.buffer), Buffer.from(data.buffer), name);
  }
  assert.equal(read.metadata, metadata);
  assert.equal(decodeSafetensors(encodeSafetensors(new Map())).tensors.size, 0);
});

test('writes the bytes of the format: padded header, wide dtypes first, then names in order', () => {
  const bytes = encodeSafetensors(tensors, metadata);
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  assert.is(length % 8, 0);
  const text = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  assert.match(text, /^\{"__metadata__":\{"format":"wgrad \\"1\\"","step":"12"\},"10":\{"dtype":"F64","shape":\[\],/);
  const order = [...text.matchAll(/"([^"]*)":\{"dtype":"(...?)"/g)].map(([, , dtype]) => dtype);
  assert.equal(order, ['F64', 'F64', 'F32', 'F32', 'F32', 'I32', 'U8']);
  const backwards = new Map([...tensors].reverse());
  assert.equal(encodeSafetensors(backwards, { format: metadata.format, step: '12' }), bytes);
});

test('stores the elements of a view, not its buffer', () => {
  const view = Float32Array.of(1, 2, 3, 4).subarray(1, 3);
  const { tensors } = decodeSafetensors(encodeSafetensors(new Map([['v', { shape: [2], data: view }]])));
  assert.equal(tensors.get('v')!.data, Float32Array.of(2, 3));
});

test('reads a header that is not padded, in a view that is not aligned', () => {
  const bytes = file(`{"v":${info(0, 4)}, "w":${info(4, 5, [1], 'U8')}}`, 5);
  bytes.set([0, 0, 128, 63, 9], bytes.length - 5);
  const shifted = Buffer.concat([Buffer.from([1]), bytes]).subarray(1);
  const { tensors } = decodeSafetensors(shifted);
  assert.equal([tensors.get('v')!.data, tensors.get('w')!.data], [Float32Array.of(1), Uint8Array.of(9)]);
  shifted.fill(0);
  assert.equal(tensors.get('v')!.data, Float32Array.of(1), 'tensors are copies');
});

test('names what is wrong with a malformed file', () => {
  const one = info(0, 4);
  const cases: readonly [RegExp, Uint8Array][] = [
    [/0 bytes are fewer than the 8/, new Uint8Array(0)],
    [/7 bytes are fewer than the 8/, new Uint8Array(7)],
    [/header of 100000001 bytes is longer than the 100000000 allowed/, file('{}', 0, 100_000_001n)],
    [/header of 18446744073709551615 bytes is longer/, file('{}', 0, 2n ** 64n - 1n)],
    [/header asks for 3 of the 2 bytes left/, file('{}', 0, 3n)],
    [/header does not start with "\{"/, file('')],
    [/header does not start with "\{"/, file('[]')],
    [/header does not start with "\{"/, file(' {}')],
    [/header is not UTF-8/, file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d))],
    [/header is not JSON \(.*\)/, file('{"a":}')],
    [/header is not JSON/, file('{} {}')],
    [/header has the key "a" twice/, file(`{"a":${one},"a":${one}}`, 4)],
    [/header has the key "a" twice/, file(`{"a":${one},"b":{"\\"":":"},"\\u0061":${one}}`, 4)],
    [/header has the key "shape" twice/, file('{"a":{"shape":[1],"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4)],
    [/__metadata__ is not an object/, file('{"__metadata__":[]}')],
    [/__metadata__ "step" is not a string/, file('{"__metadata__":{"step":3}}')],
    [/tensor "a" is not an object with dtype/, file('{"a":null}')],
    [
      /tensor "a" has dtype "BF16"; convert it to one of F64, F32, I32, U8/,
      file(`{"a":${info(0, 2, [1], 'BF16')}}`, 2),
    ],
    [/tensor "a" has dtype "constructor"/, file(`{"a":${info(0, 4, [1], 'constructor')}}`, 4)],
    [/tensor "a" has dtype undefined/, file('{"a":{}}')],
    [/tensor "a" has shape "x"/, file(`{"a":${info(0, 4, 'x')}}`, 4)],
    [/tensor "a" has shape \[-1\]; a shape is a list of integers >= 0/, file(`{"a":${info(0, 4, [-1])}}`, 4)],
    [/tensor "a" has shape \[1.5\]/, file(`{"a":${info(0, 6, [1.5])}}`, 6)],
    [/tensor "a" has data_offsets \[4,0\]/, file(`{"a":${info(4, 0)}}`, 4)],
    [/tensor "a" has data_offsets \[0,null\]/, file(`{"a":${info(0, null)}}`, 4)],
    [/tensor "a" has data_offsets \[0,4,8\]/, file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}', 4)],
    [/tensor "a", F32 \[2\], takes 8 bytes but has 4/, file(`{"a":${info(0, 4, [2])}}`, 4)],
    [/tensor "a", F32 \[9007199254740991,2\], takes/, file(`{"a":${info(0, 4, [2 ** 53 - 1, 2])}}`, 4)],
    [/tensor "a" ends at byte 8, the file's data at 4: it was cut short/, file(`{"a":${info(0, 8, [2])}}`, 4)],
    [
      /tensor "b" starts at byte 2 .*, tensor "a" ends at 4: tensors must not overlap/,
      file(`{"b":${info(2, 6)},"a":${one}}`, 6),
    ],
    [/tensor "b" starts at byte 8 .*: no byte may lie between/, file(`{"a":${one},"b":${info(8, 12)}}`, 12)],
    [/tensor "a" starts at byte 4 .*, the header ends at 0: no byte/, file(`{"a":${info(4, 8)}}`, 8)],
    [/the last 3 bytes, after tensor "a", belong to no tensor/, file(`{"a":${one}}`, 7)],
    [/the last 1 bytes, after the header, belong to no tensor/, file('{}', 1)],
  ];
  for (const [expected, bytes] of cases) {
    assert.throws(
      () => decodeSafetensors(bytes, 'x'),
      (error: Error) => {
        assert.match(error.message, expected);
        return error.message.startsWith('x: ');
      },
    );
  }
});

test('a file cut at any byte is an error, never a wrong tensor', () => {
  const bytes = encodeSafetensors(tensors, metadata);
  for (let length = 0; length < bytes.length; length++)
    assert.throws(() => decodeSafetensors(bytes.subarray(0, length)));
});

test('does not write what it could not read', () => {
  const data = new Float32Array(2);
  const encode = (name: string, shape: number[]) => encodeSafetensors(new Map([[name, { shape, data }]]));
  assert.throws(() => encode('w', [3]), /tensor "w" has shape \[3\] but 2 elements/);
  assert.throws(() => encode('w', [-1, -2]), /tensor "w" has shape \[-1,-2\]/);
  assert.throws(() => encode('__metadata__', [2]), /cannot be named "__metadata__"/);
});

test('checkpoints replace the file whole, and errors name the path', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'wgrad-'));
  const path = join(folder, 'model.safetensors');
  try {
    await writeFile(path, 'old');
    await saveCheckpoint(path, tensors, metadata);
    assert.equal(new Uint8Array(await readFile(path)), encodeSafetensors(tensors, metadata));
    assert.equal((await loadCheckpoint(path)).tensors.get('2')!.data, Float64Array.of(-0));
    assert.equal(await readdir(folder), ['model.safetensors']);
    await writeFile(path, '{}');
    for (const [file, expected] of [
      [path, `${path}: 2 bytes are fewer`],
      [join(folder, 'none'), `cannot read ${join(folder, 'none')}: no such file`],
    ]) {
      const message = await loadCheckpoint(file!).then(String, (error: Error) => error.message);
      assert.ok(message.startsWith(expected!), message);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.run();

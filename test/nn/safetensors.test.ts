/** The safetensors format in memory: round trips, bits, and files that break a rule. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { reference, withDevice } from '../../engine/index.ts';
import { decodeSafetensors, encodeSafetensors, fromPyTorch, Linear, type StoredTensor } from '../../nn/index.ts';

const tensors = new Map<string, StoredTensor>([
  ['z/bytes', { shape: [3], data: Uint8Array.of(1, 2, 255) }],
  ['b', { shape: [2, 2], data: Float32Array.of(1.5, -2, Number.NaN, Number.NEGATIVE_INFINITY) }],
  ['a "quoted" é', { shape: [1, 1], data: Int32Array.of(-7) }],
  ['10', { shape: [], data: Float64Array.of(Math.PI) }],
  ['2', { shape: [], data: Float64Array.of(-0) }],
  ['none', { shape: [0, 4], data: new Float32Array(0) }],
  ['__proto__', { shape: [1], data: Float32Array.of(4) }],
  ['i64', { shape: [2], data: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n) }],
  ['u64', { shape: [1], data: BigUint64Array.of(2n ** 64n - 1n) }],
  ['u32', { shape: [1], data: Uint32Array.of(2 ** 32 - 1) }],
  ['i16', { shape: [1], data: Int16Array.of(-32768) }],
  ['u16', { shape: [1], data: Uint16Array.of(65535) }],
  ['i8', { shape: [2], data: Int8Array.of(-128, 127) }],
  ['bool', { shape: [2], data: Uint8Array.of(1, 0), dtype: 'BOOL' }],
  ['f16', { shape: [3], data: Float32Array.of(0.5, -65504, 2 ** -24), dtype: 'F16' }],
  ['bf16', { shape: [2], data: Float32Array.of(3.140625, -(2 ** 127)), dtype: 'BF16' }],
]);
const metadata = { step: '12', format: 'wgrad "1"' };

const bytesOf = ({ data }: StoredTensor): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** A file with this header and so many bytes of data. */
function file(header: string | Uint8Array, size = 0, length?: bigint): Uint8Array {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.length + size);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const info = (begin: unknown, end: unknown, shape: unknown = [1], dtype: unknown = 'F32'): string =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

test('gives back names, shapes, bits and metadata', () => {
  const read = decodeSafetensors(encodeSafetensors(tensors, metadata));
  assert.equal([...read.tensors.keys()].sort(), [...tensors.keys()].sort());
  for (const [name, { shape, data }] of tensors) {
    const found = read.tensors.get(name)!;
    assert.equal([found.shape, found.data.constructor], [shape, data.constructor], name);
    assert.equal(bytesOf(found), bytesOf({ shape, data }), name);
  }
  assert.equal(encodeSafetensors(read.tensors, metadata), encodeSafetensors(tensors, metadata), 'dtypes are kept');
  assert.equal(read.metadata, metadata);
  assert.equal(decodeSafetensors(encodeSafetensors(new Map())).tensors.size, 0);
});

test('writes the bytes of the format: padded header, wide dtypes first, then names in order', () => {
  const bytes = encodeSafetensors(tensors, metadata);
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  assert.is(length % 8, 0);
  const text = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  assert.match(text, /^\{"__metadata__":\{"format":"wgrad \\"1\\"","step":"12"\},"u64":\{"dtype":"U64","shape":\[1\],/);
  const order = [...text.matchAll(/"([^"]*)":\{"dtype":"(\w+)"/g)].map(([, , dtype]) => dtype);
  const wide = ['U64', 'I64', 'F64', 'F64', 'F32', 'F32', 'F32', 'U32', 'I32'];
  assert.equal(order, [...wide, 'BF16', 'F16', 'U16', 'I16', 'I8', 'U8', 'BOOL']);
  const named = encodeSafetensors(new Map(['\u{1f600}', '\uff61', 'z'].map((n) => [n, tensors.get('b')!])));
  assert.match(new TextDecoder().decode(named), /"z".*"\uff61".*"\u{1f600}"/u, 'in the order of UTF-8');
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
  const shifted = Uint8Array.of(1, ...bytes).subarray(1);
  const { tensors } = decodeSafetensors(shifted);
  assert.equal([tensors.get('v')!.data, tensors.get('w')!.data], [Float32Array.of(1), Uint8Array.of(9)]);
  shifted.fill(0);
  assert.equal(tensors.get('v')!.data, Float32Array.of(1), 'tensors are copies');
});

test('names what is wrong with a malformed file', () => {
  const one = info(0, 4);
  const cases: (readonly [RegExp, Uint8Array])[] = [
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
    [/tensor "a", F8_E4M3 \[2\], takes 2 bytes but has 1; write/, file(`{"a":${info(0, 1, [2], 'F8_E4M3')}}`, 1)],
    [/tensor "a", C64 \[2\], takes 16 bytes but has 8/, file(`{"a":${info(0, 8, [2], 'C64')}}`, 8)],
    [/tensor "a", F4 \[2,2\], takes 2 bytes but has 4/, file(`{"a":${info(0, 4, [2, 2], 'F4')}}`, 4)],
    [/tensor "a", F4 \[3\], takes 1.5 bytes but has 2/, file(`{"a":${info(0, 2, [3], 'F4')}}`, 2)],
    [/tensor "b" starts at byte 0 .*: tensors must not/, file(`{"a":${one},"b":${info(0, 4, [1], 'Q99')}}`, 4)],
    [/the last 1 bytes, after tensor "a", belong to no/, file(`{"a":${info(0, 4, [1], 'Q99')}}`, 5)],
    [
      /tensor "a", Q99 \[9007199254740991,2\], has a size beyond/,
      file(`{"a":${info(0, 4, [2 ** 53 - 1, 2], 'Q99')}}`, 4),
    ],
    [/tensor "a" has dtype "f8_e4m3"; convert it to one of U64, I64/, file(`{"a":${info(0, 1, [1], 'f8_e4m3')}}`, 1)],
    [/tensor "a" has dtype \["F32"\]/, file(`{"a":${info(0, 4, [1], ['F32'])}}`, 4)],
    [/tensor "a" has dtype "f32"/, file(`{"a":${info(0, 4, [1], 'f32')}}`, 4)],
    [/tensor "a": BOOL elements are 0 or 1, not 2; store/, file(`{"a":${info(0, 1, [1], 'BOOL')}}`, 1).fill(2, -1)],
    [/tensor "__proto__" is not an object with dtype/, file('{"__proto__":[]}')],
    [/tensor "a" has dtype undefined/, file('{"a":{"__proto__":{"dtype":"F32"}}}')],
    [/__metadata__ "__proto__" is not a string/, file('{"__metadata__":{"__proto__":{}}}')],
    [/__metadata__ is not an object/, file('{"__metadata__":null}')],
    [
      /tensor "a" nests lists or objects in its lists/,
      file('{"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}}', 4),
    ],
    [/nests lists or objects in its lists/, file(`{"a":${'['.repeat(1e6)}${']'.repeat(1e6)}}`)],
    [/the name "\\ud800" holds half a character/, file('{"\\ud800":{}}')],
    ...['1.0', '1e0', '-0', '10E-1', '1e999'].map((n): [RegExp, Uint8Array] => [
      new RegExp(`tensor "a" has the number ${n}; write whole numbers in plain digits`),
      file(`{"a":{"dtype":"F32","shape":[${n}],"data_offsets":[0,4]}}`, 4),
    ]),
    [/tensor "a" has data_offsets "0,4"/, file('{"a":{"dtype":"F32","shape":[1],"data_offsets":"0,4"}}', 4)],
    [/tensor "a" has data_offsets \[9007199254740992/, file(`{"a":${info(2 ** 53, 2 ** 53 + 4)}}`, 4)],
    [/has a size beyond 2\^53 bytes/, file(`{"a":${info(0, 0, [...Array(40).fill(2 ** 52), 0])}}`)],
    [/tensor "b" starts at byte 0 .*: tensors must not overlap/, file(`{"a":${one},"b":${one}}`, 4)],
    [/tensor "a" has dtype "constructor"/, file(`{"a":${info(0, 4, [1], 'constructor')}}`, 4)],
    [/tensor "a" has dtype undefined/, file('{"a":{}}')],
    [/tensor "a" has shape "x"/, file(`{"a":${info(0, 4, 'x')}}`, 4)],
    [/tensor "a" has shape \[-1\]; a shape is a list of integers >= 0/, file(`{"a":${info(0, 4, [-1])}}`, 4)],
    [/tensor "a" has shape \[1.5\]/, file(`{"a":${info(0, 6, [1.5])}}`, 6)],
    [/tensor "a" has data_offsets \[4,0\]/, file(`{"a":${info(4, 0)}}`, 4)],
    [/tensor "a" has data_offsets \[0,null\]/, file(`{"a":${info(0, null)}}`, 4)],
    [/tensor "a" has data_offsets \[0,4,8\]/, file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}', 4)],
    [/tensor "a", F32 \[2\], takes 8 bytes but has 4/, file(`{"a":${info(0, 4, [2])}}`, 4)],
    [/tensor "a", F32 \[9007199254740991,2\], has a size beyond/, file(`{"a":${info(0, 4, [2 ** 53 - 1, 2])}}`, 4)],
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

/** What `fn` gives, and what it warns of. */
function warnings<T>(fn: () => T): [T, string[]] {
  const said: string[] = [];
  const real = console.warn;
  console.warn = (text: string) => void said.push(text);
  try {
    return [fn(), said];
  } finally {
    console.warn = real;
  }
}

test('tensors of types that are not known cost themselves alone: a warning, and the error of who needs one, name them', () => {
  for (const [dtype, size] of [
    ['F8_E4M3', 1],
    ['F8_E5M2', 1],
    ['C64', 8],
    ['NEXT_7', 3],
  ] as const) {
    const bytes = file(`{"w\\u001b":${info(0, size, [1], dtype)},"bias":${info(size, size + 4)}}`, size + 4);
    new DataView(bytes.buffer).setFloat32(bytes.length - 4, 1.5, true);
    const [{ tensors, unread }, said] = warnings(() => decodeSafetensors(bytes, 'x'));
    assert.equal([...tensors], [['bias', { shape: [1], data: Float32Array.of(1.5), dtype: 'F32' }]]);
    assert.equal([...unread], [['w\u001b', { dtype, shape: [1] }]]);
    assert.is(said.length, 1);
    assert.ok(
      said[0]!.startsWith(`x: 1 of 2 tensors are not read, as their types are not known here: "w\\u001b" (${dtype})`),
    );
  }
  const bytes = file(`{"weight":${info(0, 1, [1, 1], 'F8_E4M3')},"bias":${info(1, 5)}}`, 5);
  const [{ tensors }] = warnings(() => decodeSafetensors(bytes));
  withDevice(reference, () => {
    const model = new Linear(1, 1);
    assert.throws(
      () => model.loadStateDict(tensors),
      /^loadStateDict: weight is of type F8_E4M3 in the file, which is not read here: convert it to F32$/,
    );
    assert.throws(() => fromPyTorch(model, tensors), /weight .*is of type F8_E4M3 in the file/);
  });
});

test('a file of another format is named, and one of PyTorch comes with the lines that convert it', () => {
  const starts: [RegExp, number[], string][] = [
    [/it is a zip archive, as torch\.save writes, not safetensors/, [0x50, 0x4b, 3, 4, 0, 0, 8, 8], 'net.pt'],
    [/it is a pickle, as torch\.save wrote before 1\.6, not/, [0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46], 'net.pth'],
    [/it is a pickle, not safetensors/, [0x80, 4, 0x95, 1, 2, 3, 4, 5], 'net.bin'],
    [/it is of PyTorch, by its name, not safetensors/, [1, 2, 3, 4, 5, 6, 7, 8], 'a/net.ckpt'],
    [/it is a zip archive/, [0x50, 0x4b, 3, 4], 'net'],
  ];
  for (const [pattern, start, name] of starts) {
    let message = '';
    try {
      decodeSafetensors(Uint8Array.from([...start, ...new Uint8Array(start.length > 4 ? 100 : 0)]), name);
    } catch (error) {
      ({ message } = error as Error);
    }
    assert.match(message, pattern);
    assert.ok(message.startsWith(`${name}: `));
    assert.match(message, '\n  import torch, safetensors.torch\n  safetensors.torch.save_file({');
    assert.match(message, `torch.load("${name.split('/').at(-1)}", map_location="cpu")`);
    assert.match(message, '"net.safetensors")');
  }
  assert.throws(
    () => decodeSafetensors(Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 9)),
    /an array of NumPy/,
  );
  // A header of 0x280 bytes begins as a pickle does.
  const small = new Map([['x', { shape: [1], data: Float32Array.of(2) }]]);
  const header = new TextDecoder().decode(encodeSafetensors(small).subarray(8)).split('}}')[0]!;
  const long = file(`${header}}}`.padEnd(0x280), 4);
  assert.equal([long[0], long[1]], [0x80, 2]);
  assert.is(decodeSafetensors(long, 'net.pt').tensors.size, 1);
});

test('a header of other fields, deep names and spaces is read: more than the rules is not asked', () => {
  const extra = '"scale":1.5,"note":{"by":["x"]}';
  const bytes = file(
    `{ "__metadata__" : {} ,\n"a{\\"[:1.0":{${extra.replace('"by":["x"]', '"by":1.0')},${info(0, 4).slice(1)} }  `,
    4,
  );
  const read = decodeSafetensors(bytes);
  assert.equal([...read.tensors], [['a{"[:1.0', { shape: [1], data: Float32Array.of(0), dtype: 'F32' }]]);
  assert.is(
    Object.getPrototypeOf(decodeSafetensors(encodeSafetensors(tensors, { ['__proto__']: 'x' })).metadata),
    Object.prototype,
  );
});

/** One element as `dtype` in a file, and as the float32 that is read from it. */
const through = (value: number, dtype: 'F16' | 'BF16'): number => {
  const bytes = encodeSafetensors(new Map([['x', { shape: [1], data: Float32Array.of(value), dtype }]]));
  return (decodeSafetensors(bytes).tensors.get('x')!.data as Float32Array)[0]!;
};

test('every float16 and bfloat16 is read to the float32 of its value, and written back to the last bit', () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
  for (const [dtype, exponentBits] of [
    ['F16', 5],
    ['BF16', 8],
  ] as const) {
    const bytes = encodeSafetensors(new Map([['x', { shape: [65536], data: bits }]]));
    const text = new TextDecoder().decode(bytes.subarray(8)).split('}}')[0]!;
    const renamed = file(`${text.replace('U16', dtype)}}}`.padEnd(64), 131072);
    renamed.set(new Uint8Array(bits.buffer), renamed.length - 131072);
    const { tensors } = decodeSafetensors(renamed);
    const { data } = tensors.get('x')!;
    const fractionBits = 15 - exponentBits;
    const bias = 2 ** (exponentBits - 1) - 1;
    bits.forEach((b, i) => {
      const exponent = (b >> fractionBits) & (2 ** exponentBits - 1);
      const fraction = (b & (2 ** fractionBits - 1)) / 2 ** fractionBits;
      const size = exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
      const special = fraction === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
      const wanted = (exponent === 2 ** exponentBits - 1 ? special : size) * (b >> 15 ? -1 : 1);
      if (!Object.is(data[i], wanted)) assert.is(data[i], wanted, `${dtype} ${b}`);
    });
    const again = encodeSafetensors(tensors);
    assert.equal(again.subarray(-131072), renamed.subarray(-131072), dtype);
  }
});

test('float32 is rounded to the nearest float16 and bfloat16, ties to even', () => {
  const half: [number, number][] = [
    [1 + 2 ** -11, 1],
    [1 + 3 * 2 ** -11, 1 + 2 ** -9],
    [1 + 2 ** -11 + 2 ** -20, 1 + 2 ** -10],
    [65519, 65504],
    [65520, Number.POSITIVE_INFINITY],
    [-1e9, Number.NEGATIVE_INFINITY],
    [2 ** -25, 0],
    [2 ** -25 + 2 ** -40, 2 ** -24],
    [3 * 2 ** -25, 2 ** -23],
    [-(2 ** -30), -0],
    [2 ** -14 - 2 ** -30, 2 ** -14],
  ];
  for (const [given, wanted] of half) assert.ok(Object.is(through(given, 'F16'), wanted), `F16 ${given}`);
  const bfloat: [number, number][] = [
    [1 + 2 ** -8, 1],
    [1 + 3 * 2 ** -8, 1 + 2 ** -6],
    [1 + 2 ** -8 + 2 ** -20, 1 + 2 ** -7],
    [3.4e38, Number.POSITIVE_INFINITY],
  ];
  for (const [given, wanted] of bfloat) assert.ok(Object.is(through(given, 'BF16'), wanted), `BF16 ${given}`);
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
  assert.throws(() => encode('\udc00', [2]), /the name "\\udc00" holds half a character/);
  const one = (tensor: StoredTensor) => encodeSafetensors(new Map([['w', tensor]]));
  assert.throws(() => one({ shape: [2], data, dtype: 'I32' }), /"w" is I32 but held in Float32Array; convert/);
  assert.throws(
    () => one({ shape: [1], data: Uint8Array.of(3), dtype: 'BOOL' }),
    /"w": BOOL elements are 0 or 1, not 3/,
  );
  const step = { step: 3 } as unknown as Record<string, string>;
  assert.throws(() => encodeSafetensors(new Map(), step), /__metadata__ "step" is not a string/);
  const wrong = (value: unknown) => encodeSafetensors(new Map([['z', value as StoredTensor]]));
  assert.throws(() => wrong(3), /tensor "z" is 3; give \{ shape, data \} with a typed array/);
  assert.throws(() => wrong({ a: { shape: [1], data } }), /tensor "z" is \{ a: \{\.\.\.\} \}; give/);
  assert.throws(() => wrong(undefined), /tensor "z" is undefined; give/);
  assert.throws(() => wrong({ shape: [2], data: [1, 2] }), /tensor "z" is an object whose data are \[1,2\]; give/);
  assert.throws(() => wrong({ shape: [2], data, dtype: 'F8' }), /tensor "z" is to be of type "F8"; choose one of U64/);
  assert.throws(() => encodeSafetensors({ z: data } as never), /^encodeSafetensors: the tensors are a Map by name/);
  const numbered = new Map([[1, { shape: [data.length], data }]]) as never;
  assert.throws(() => encodeSafetensors(numbered), /^the name of a tensor is 1; names are text/);
});

test.run();

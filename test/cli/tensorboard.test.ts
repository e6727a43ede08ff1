import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { PbfReader } from 'pbf';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openTensorBoard, writeTensorBoard } from '../../cli/pages/tensorboard.node.ts';
import { crc32c, maskedCrc32c } from '../../nn/io/crc32c.ts';
import { makeRun } from '../support/runFolders.ts';

type Message = Record<number, unknown[]>;
/** The fields of a message; those named are messages themselves, or floats. */
function fields(bytes: Uint8Array, kinds: Record<number, 'float' | 'double' | 'bytes' | 'varint'>): Message {
  return new PbfReader(bytes).readFields((tag: number, out: Message, pbf: PbfReader) => {
    const kind = kinds[tag];
    const value =
      kind === 'float'
        ? pbf.readFloat()
        : kind === 'double'
          ? pbf.readDouble()
          : kind === 'bytes'
            ? pbf.readBytes()
            : pbf.readVarint();
    out[tag] = [...(out[tag] ?? []), value];
  }, {} as Message);
}

/** The records of a file, each held to its checksums. */
function records(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const found: Uint8Array[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(view.getBigUint64(at, true));
    assert.is(view.getUint32(at + 8, true), maskedCrc32c(file.subarray(at, at + 8)));
    const data = file.subarray(at + 12, at + 12 + length);
    assert.is(view.getUint32(at + 12 + length, true), maskedCrc32c(data));
    found.push(data);
    at += 16 + length;
  }
  return found;
}

const text = (bytes: unknown): string => new TextDecoder().decode(bytes as Uint8Array);

test('CRC-32C of the vectors of RFC 3720, B.4', () => {
  assert.is(crc32c(new TextEncoder().encode('123456789')), 0xe3069283);
  assert.is(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.is(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  const counted = Uint8Array.from({ length: 32 }, (_, i) => i);
  assert.is(crc32c(counted), 0x46dd794e);
  for (let cut = 0; cut <= 32; cut++) {
    assert.is(crc32c(counted.subarray(cut), crc32c(counted.subarray(0, cut))), 0x46dd794e, 'in two pieces');
  }
  assert.is(maskedCrc32c(new Uint8Array(0)), 0xa282ead8);
});

test('scalars and grids of a run are read back', async () => {
  const root = mkdtempSync(join(tmpdir(), 'wgrad-events-'));
  try {
    const run = await makeRun(root, 'run', { steps: 20, grids: [0, 20] });
    const path = writeTensorBoard(run, { now: new Date(1_700_000_000_500) });
    assert.is(basename(path), 'events.out.tfevents.1700000000.wgrad');
    const events = records(readFileSync(path)).map((r) => fields(r, { 1: 'double', 3: 'bytes', 5: 'bytes' }));
    assert.is(text(events[0]![3]![0]), 'brain.Event:2');
    assert.is(events[0]![1]![0], 1_700_000_000.5);
    assert.is(events.length, 1 + 20 + 4 + 2);
    const values = (i: number) =>
      fields(events[i]![5]![0] as Uint8Array, { 1: 'bytes' })[1]!.map((v) =>
        fields(v as Uint8Array, { 1: 'bytes', 2: 'float', 4: 'bytes' }),
      );
    assert.is(events[3]![2]![0], 3);
    assert.equal(
      values(3).map((v) => text(v[1]![0])),
      ['criticLoss', 'generatorLoss', 'wasserstein', 'penalty'],
    );
    const row = JSON.parse(readFileSync(join(run, 'metrics.jsonl'), 'utf8').split('\n')[2]!);
    assert.is(values(3)[0]![2]![0], Math.fround(row.criticLoss));
    const [picture] = values(events.length - 1);
    const image = fields(picture![4]![0] as Uint8Array, { 4: 'bytes' });
    assert.equal([image[1], image[2], image[3]], [[138], [138], [3]]);
    assert.equal(Buffer.from(image[4]![0] as Uint8Array), readFileSync(join(run, 'samples-000020.png')));
    const log = openTensorBoard(root, { now: new Date(5000) });
    log.scalars({ step: 3, none: null });
    log.scalars({ loss: 1 });
    assert.throws(() => log.image('x', 1, new Uint8Array(4)), /picture x of step 1 is not a whole PNG/);
    log.close();
    assert.is(records(readFileSync(log.path)).length, 1, 'nothing without a number or a step');
    assert.throws(() => openTensorBoard(root, { now: new Date(5000) }), /it exists already/);
  } finally {
    rmSync(root, { recursive: true });
  }
});

test.run();

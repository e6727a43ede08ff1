import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { PbfWriter } from 'pbf';
import { fileError } from '../../engine/platform/atomicWrite.node.ts';
import { pngHeader } from '../../gan/pictures/pngHeader.ts';
import type { Row } from '../../gan/row.ts';
import { maskedCrc32c } from '../../nn/io/crc32c.ts';
import { readRun } from '../run/read.node.ts';

/**
 * Field numbers of TensorFlow's messages Event, Summary, Summary.Value and Summary.Image (event.proto and summary.proto).
 * Times are seconds since 1970.
 */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5 } as const;
const SUMMARY = { value: 1 } as const;
const VALUE = { tag: 1, simpleValue: 2, image: 4 } as const;
const IMAGE = { height: 1, width: 2, colorspace: 3, encoded: 4 } as const;

/** A log that TensorBoard shows. */
export interface TensorBoardLog {
  /** Absolute path of the file. */
  readonly path: string;
  /** Adds the numbers of a row, save `step` itself, under their names; what is null is left out. A row without a step is not kept. */
  scalars(row: Row, time?: Date): void;
  /** Adds a picture. @param png the file's bytes @throws TypeError where they are no PNG file */
  image(tag: string, step: number, png: Uint8Array, time?: Date): void;
  /** Ends the file. */
  close(): void;
}

/**
 * Starts a file for TensorBoard in a folder, named as it wants them: `events.out.tfevents.SECONDS.wgrad`.
 *
 * @param options.now the time in its name and of its first event; the present unless given
 * @throws Error naming the path when it exists already or cannot be written
 */
export function openTensorBoard(folder: string, options: { readonly now?: Date } = {}): TensorBoardLog {
  const now = options.now ?? new Date();
  const path = join(folder, `events.out.tfevents.${String(Math.floor(now.getTime() / 1000)).padStart(10, '0')}.wgrad`);
  const attempt = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw fileError('write', path, error);
    }
  };
  const descriptor = attempt(() => openSync(path, 'ax'));
  const add = (time: Date, step: number, fill: (event: PbfWriter) => void): void => {
    const event = new PbfWriter();
    event.writeDoubleField(EVENT.wallTime, time.getTime() / 1000);
    if (step > 0) event.writeVarintField(EVENT.step, step);
    fill(event);
    const bytes = record(event.finish());
    attempt(() => {
      for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
    });
  };
  add(now, 0, (event) => event.writeStringField(EVENT.fileVersion, 'brain.Event:2'));
  const summary = (values: readonly ((value: PbfWriter) => void)[]) => (event: PbfWriter) =>
    event.writeMessage(
      EVENT.summary,
      (_, pbf) => {
        for (const fill of values) pbf.writeMessage(SUMMARY.value, (_none, value) => fill(value), undefined);
      },
      undefined,
    );
  return {
    path,
    scalars({ step, ...numbers }, time = new Date()) {
      const known = Object.entries(numbers).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
      if (typeof step !== 'number' || known.length === 0) return;
      const values = known.map(([tag, number]) => (value: PbfWriter) => {
        value.writeStringField(VALUE.tag, tag);
        value.writeFloatField(VALUE.simpleValue, number);
      });
      add(time, step, summary(values));
    },
    image(tag, step, png, time = new Date()) {
      const header = pngHeader(png);
      if (!header) throw new TypeError(`the picture ${tag} of step ${step} is not a whole PNG file`);
      const fill = (value: PbfWriter): void => {
        value.writeStringField(VALUE.tag, tag);
        value.writeMessage(
          VALUE.image,
          (_, image) => {
            image.writeVarintField(IMAGE.height, header.height);
            image.writeVarintField(IMAGE.width, header.width);
            image.writeVarintField(IMAGE.colorspace, header.channels);
            image.writeBytesField(IMAGE.encoded, png);
          },
          undefined,
        );
      };
      add(time, step, summary([fill]));
    },
    close: () => attempt(() => closeSync(descriptor)),
  };
}

/**
 * Writes all that a run folder has, scalars of both logs and grids, into a new file for TensorBoard in that folder.
 *
 * @returns absolute path of the file
 * @throws Error for a folder that does not exist or holds no run
 */
export function writeTensorBoard(runFolder: string, options: { readonly now?: Date } = {}): string {
  const run = readRun(runFolder);
  const log = openTensorBoard(run.path, options);
  try {
    for (const row of run.metrics) log.scalars(row, options.now);
    for (const row of run.timing) log.scalars(row, options.now);
    for (const { step, bytes } of run.pictures) if (step !== undefined) log.image('samples', step, bytes, options.now);
  } finally {
    log.close();
  }
  return log.path;
}

/** A record of a TFRecord file: length, its CRC, the data, its CRC; all little-endian. */
function record(data: Uint8Array): Uint8Array {
  const out = new Uint8Array(16 + data.length);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(out.subarray(0, 8)), true);
  out.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return out;
}

import { fileError } from '../../engine/platform/atomicWrite.node.ts';
import type { Row } from '../../gan/row.ts';
import { readText } from './readJson.node.ts';

/** The text of a log, and where it was found. */
export interface LogText {
  readonly path: string;
  /** Undefined where there is no such file. */
  readonly text: string | undefined;
}

/** Reads a log. @throws Error naming a path that cannot be read, or is no file */
export function readLog(path: string): LogText {
  try {
    return { path, text: readText(path) };
  } catch (error) {
    throw fileError('read', path, error);
  }
}

/** A line of a log that is a row. */
export interface LogLine {
  /** Counted from 1. */
  readonly line: number;
  readonly row: Row;
  /** The line as it is, without its end. */
  readonly text: string;
}

/** What a log's text holds. */
export interface ParsedLog {
  readonly lines: readonly LogLine[];
  readonly rows: Row[];
  /** Lines that are no rows, counted from 1, with the reason. */
  readonly broken: { readonly line: number; readonly cause: unknown }[];
  /** Whether the last line breaks off: a process that writes, was killed, or a copy that was cut. It is in none of the lists. */
  readonly unfinished: boolean;
}

/** Reads the lines of a log: a row is an object of numbers, or nulls for those that JSON lacks. */
export function parseJsonLines(text: string): ParsedLog {
  const all = text.split('\n');
  const lines: LogLine[] = [];
  const broken: { line: number; cause: unknown }[] = [];
  let unfinished = false;
  for (const [index, line] of all.entries()) {
    const last = index === all.length - 1;
    if (last && line === '') continue;
    try {
      lines.push({ line: index + 1, row: parseRow(line), text: line });
    } catch (cause) {
      if (last) unfinished = true;
      else broken.push({ line: index + 1, cause });
    }
  }
  return { lines, rows: lines.map(({ row }) => row), broken, unfinished };
}

function parseRow(line: string): Row {
  const row: unknown = JSON.parse(line);
  if (typeof row !== 'object' || row === null || Array.isArray(row)) throw new Error('it is no object');
  if (Object.values(row).every((v) => typeof v === 'number' || v === null)) return row as Row;
  throw new Error('it holds something else than numbers');
}

/** Lines or steps for people: `5 to 9, 12`, the first ones of many. */
export function spans(sorted: readonly number[]): string {
  const found: [number, number][] = [];
  for (const n of sorted) {
    const last = found.at(-1);
    if (last && n === last[1] + 1) last[1] = n;
    else found.push([n, n]);
  }
  const words = found.slice(0, SPANS).map(([from, to]) => (from === to ? `${from}` : `${from} to ${to}`));
  return `${words.join(', ')}${found.length > SPANS ? `, and ${found.length - SPANS} more such places` : ''}`;
}

const SPANS = 5;

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileError } from '../../engine/platform/atomicWrite.node.ts';
import type { Row } from '../../gan/row.ts';
import { parseJsonLines } from './jsonLines.node.ts';
import { logProblems, unreadable } from './problems.node.ts';
import { parseJson, readText } from './readJson.node.ts';

/** The files of a run folder as they are: what is missing or broken goes into `problems`. */
export class RunFiles {
  /** The absolute path of the folder. */
  readonly path: string;
  /** The names of its files. */
  readonly names: readonly string[];
  /** What is missing or broken, a sentence each. */
  readonly problems: string[] = [];

  /** @throws Error in one line for a folder that does not exist or holds no run */
  constructor(folder: string) {
    this.path = resolve(folder);
    try {
      this.names = readdirSync(this.path);
    } catch (error) {
      throw fileError('read the run folder', this.path, error);
    }
    if (!this.has('config.json') && !this.has('metrics.jsonl')) {
      throw new Error(
        `${this.path} holds no run: it has neither config.json nor metrics.jsonl; name a folder of wgrad train`,
      );
    }
  }

  has(name: string): boolean {
    return this.names.includes(name);
  }

  /** When a file was written last, in milliseconds since 1970; 0 without it. */
  changed(name: string): number {
    return this.has(name) ? statSync(join(this.path, name)).mtimeMs : 0;
  }

  /** A file's bytes, if it can be read. */
  bytes(name: string): Buffer | undefined {
    try {
      return readFileSync(join(this.path, name));
    } catch (error) {
      this.problems.push(unreadable(name, error));
      return undefined;
    }
  }

  /**
   * A JSON object; an empty one if there is none.
   * @param missing what is wrong without the file; nothing unless given
   */
  json(name: string, missing?: string): Readonly<Record<string, unknown>> {
    if (!this.has(name)) {
      if (missing) this.problems.push(missing);
      return {};
    }
    try {
      const text = readText(join(this.path, name)) ?? '';
      const value = text === '' ? undefined : parseJson(text);
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
      this.problems.push(`${name} is not a JSON object${text === '' ? ': it is empty' : ''}`);
    } catch (error) {
      this.problems.push(unreadable(name, error));
    }
    return {};
  }

  /** The rows of a log that are whole. */
  log(name: string): Row[] {
    if (!this.has(name)) {
      this.problems.push(`${name} is missing`);
      return [];
    }
    let text = '';
    try {
      text = readText(join(this.path, name)) ?? '';
    } catch (error) {
      this.problems.push(unreadable(name, error));
    }
    const { rows, broken, unfinished } = parseJsonLines(text);
    if (broken.length > 0) {
      const lines = broken.slice(0, 5).map(({ line }) => line);
      this.problems.push(
        `${name}: ${broken.length} of its lines are not JSON objects of numbers and left out (line ${lines.join(', ')}${broken.length > 5 ? ', ...' : ''})`,
      );
    }
    if (unfinished) this.problems.push(`${name} breaks off in its last line, which is left out`);
    for (const problem of logProblems(name, rows)) this.problems.push(problem);
    return rows;
  }
}

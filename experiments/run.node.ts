import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readJson } from '../cli/run/readJson.node.ts';
import { commit, version } from '../cli/run/version.node.ts';
import { terminal } from '../cli/terminal/terminal.node.ts';
import { type AdapterName, destroy, init } from '../engine/index.ts';
import { writeFileAtomic } from '../engine/platform/atomicWrite.node.ts';
import { codeOf } from './code.node.ts';
import type { Experiment, Session } from './experiment.ts';

/** Options of {@link runExperiment}. */
export interface ExperimentOptions {
  /** Where the JSON and the pictures go. Default docs/experiments. */
  readonly out?: string;
  /** Where finished parts are kept. Default runs/experiments. */
  readonly parts?: string;
  readonly quick?: boolean;
  readonly adapter?: AdapterName;
  /** Does finished parts again. */
  readonly fresh?: boolean;
  /** Takes what there is to say, line by line. Default: prints it. */
  readonly say?: (text: string) => void;
  /** Stops after the part under way, which is kept. */
  readonly signal?: AbortSignal;
}

/** An experiment was asked to stop. Its finished parts are kept. */
export class StoppedError extends Error {
  /** 'StoppedError'. */
  override name = 'StoppedError';
}

/**
 * Runs an experiment on an adapter and writes `NAME.json` and its pictures.
 * @returns whether all its claims hold
 * @throws StoppedError where `signal` asked to stop before the last part was done
 */
export async function runExperiment(experiment: Experiment, options: ExperimentOptions = {}): Promise<boolean> {
  const {
    out = 'docs/experiments',
    parts = 'runs/experiments',
    quick = false,
    adapter,
    fresh = false,
    signal,
  } = options;
  const { say = (text: string): void => terminal.out.text(text) } = options;
  const { hash: code } = await codeOf(experiment.code);
  const device = await init({ adapter });
  const began = performance.now();
  // Of parts that an earlier run finished: how many, and the seconds that they took then.
  const earlier = { parts: 0, seconds: 0 };
  const now = commit() ?? UNKNOWN;
  const commits = new Set<string>();
  const session: Session = {
    quick,
    say,
    async part(key, settings, work) {
      const mark = createHash('sha256')
        .update(JSON.stringify({ key, settings, quick, device: device.name, code }))
        .digest('hex')
        .slice(0, 12);
      const folder = resolve(parts, experiment.name);
      const file = join(folder, `${key.replace(/[^\w.-]+/g, '_')}-${mark}.json`);
      const known = fresh ? undefined : readPart(file);
      if (known) {
        earlier.parts++;
        earlier.seconds += known.seconds;
        commits.add(known.commit ?? UNKNOWN);
        return known.value as never;
      }
      if (signal?.aborted) {
        throw new StoppedError(`stopped before ${key}; the same command goes on there, from the parts in ${folder}`);
      }
      const since = performance.now();
      const value = await work();
      const took = (performance.now() - since) / 1000;
      say(`${key}: ${took.toFixed(1)} s`);
      mkdirSync(folder, { recursive: true });
      commits.add(now);
      const text = JSON.stringify({ key, settings, commit: now, seconds: took, value });
      await writeFileAtomic(file, `${text}\n`);
      return JSON.parse(text).value; // as a run that goes on will find it
    },
  };
  try {
    say(`${experiment.title}\n${device.name}`);
    const { findings: found, pictures } = await experiment.run(session);
    const findings = JSON.parse(JSON.stringify(found)); // as the claims will be made of them again
    const claims = experiment.claims(findings);
    const seconds = Math.round((performance.now() - began) / 1000 + earlier.seconds);
    const folder = resolve(out);
    mkdirSync(folder, { recursive: true });
    const about = {
      name: experiment.name,
      title: experiment.title,
      about: experiment.about,
      quick,
      command: `npm run experiment ${experiment.name}${quick ? ' -- --quick' : ''}`,
      adapter: device.name,
      ...{
        version: version(),
        commit: now === UNKNOWN ? null : now,
        code,
        date: new Date().toISOString().slice(0, 10),
        seconds,
        reusedParts: earlier.parts,
        ...(earlier.parts > 0 && { commits: [...commits].sort() }),
      },
    };
    await writeFileAtomic(
      join(folder, `${experiment.name}.json`),
      `${JSON.stringify({ ...about, claims, figures: findings }, null, 2)}\n`,
    );
    for (const [name, picture] of Object.entries(pictures)) {
      await writeFileAtomic(join(folder, `${experiment.name}-${name}`), picture);
    }
    for (const { text, value, holds } of claims)
      say(`${holds ? 'holds' : 'DOES NOT HOLD'}: ${text}: ${value.toPrecision(4)}`);
    say(
      `${seconds} s${earlier.parts > 0 ? `, with the time of ${earlier.parts} parts from an earlier run` : ''}; ${join(folder, `${experiment.name}.json`)}`,
    );
    return claims.every((c) => c.holds);
  } finally {
    destroy();
  }
}

/** Where the commit is not known. */
const UNKNOWN = 'unknown';

/** A finished part, if there is one; `commit` is what computed it, which parts of old did not keep. */
function readPart(
  file: string,
): { readonly value: unknown; readonly seconds: number; readonly commit?: string } | undefined {
  return readJson(file, 'remove it, and that part is done again') as ReturnType<typeof readPart>;
}

import { basename, dirname } from 'node:path';
import type { RunRecord } from '../run/read.node.ts';
import { FACTS, shownValue } from './pageParts.node.ts';

/** Keys in which runs of a group may differ: the seed, and what is never twice the same. */
const FREE = ['seed', 'started', 'out', 'quiet', 'command'];

/** Runs that differ in the seed only. */
export interface RunGroup {
  /** The run's name; of several runs what sets them apart from the other groups. No two groups have the same. */
  readonly label: string;
  /** What sets it apart from the other groups, such as `objective wasserstein, batch 64`; empty where nothing does, or it is the label. */
  readonly differs: string;
  /** The runs in the order of their seeds. */
  readonly runs: readonly RunRecord[];
}

/** Runs by what they were asked for. */
export interface Grouping {
  readonly groups: readonly RunGroup[];
  /** Keys of config.json that tell the groups apart. */
  readonly differing: readonly string[];
  /** Keys with the same value in all runs. */
  readonly common: readonly string[];
}

const text = (run: RunRecord, key: string): string => (key in run.config ? JSON.stringify(run.config[key]) : '');

/**
 * Puts runs together that differ in the seed only. Another adapter, version or commit is a difference. Runs without a config stand
 * alone, by their folders' names.
 */
export function groupRuns(runs: readonly RunRecord[]): Grouping {
  const keys = [...new Set(runs.flatMap(({ config }) => Object.keys(config)))].filter((key) => !FREE.includes(key));
  const differing = keys.filter((key) => new Set(runs.map((run) => text(run, key))).size > 1);
  const common = keys.filter((key) => !differing.includes(key));
  const byLook = new Map<string, RunRecord[]>();
  for (const run of runs) {
    const known = Object.keys(run.config).length > 0;
    const look = known ? JSON.stringify(differing.map((key) => text(run, key))) : `folder ${run.path}`;
    byLook.set(look, [...(byLook.get(look) ?? []), run]);
  }
  // What was asked for says more than where it ran.
  const telling = [...differing].sort((a, b) => Number(FACTS.includes(a)) - Number(FACTS.includes(b)));
  const groups = [...byLook.values()].map((own): RunGroup => {
    const sorted = own.sort((a, b) => Number(a.config.seed ?? 0) - Number(b.config.seed ?? 0));
    const first = sorted[0]!;
    const said = telling.map((key) => `${key} ${shownValue(first.config[key])}`).join(', ');
    const bare = Object.keys(first.config).length === 0 || differing.length === 0;
    if (own.length > 1) return { label: bare ? `${own.length} seeds` : said, differs: '', runs: sorted };
    return { label: first.name, differs: bare ? '' : said, runs: sorted };
  });
  return { groups: distinct(groups), differing, common };
}

/** The groups under names of their own: with the folder above where two runs have one name, and a number where that does not tell them apart. */
function distinct(groups: readonly RunGroup[]): RunGroup[] {
  const twice = (label: string, all: readonly RunGroup[]) => all.filter((group) => group.label === label).length > 1;
  const named = groups.map((group) =>
    twice(group.label, groups)
      ? { ...group, label: `${basename(dirname(group.runs[0]!.path))}/${group.label}` }
      : group,
  );
  return named.map((group, i) =>
    twice(group.label, named) ? { ...group, label: `${group.label} (${i + 1})` } : group,
  );
}

import type { RunSettings } from '../../gan/runSettings.ts';
import type { System } from '../../gan/system.ts';
import { rowConfig } from '../../gan/systems/configure.ts';
import type { Experiment, Session } from '../experiment.ts';
import { recordOf } from '../tables.ts';
import type { Study, StudyFindings } from './study.ts';
import { drawStudy } from './studyPictures.node.ts';
import { type Measured, type ShownPixels, type SystemResult, systemRun } from './systemRun.node.ts';

/** The experiment of a study: each way and seed is a part. */
export const experimentOf = <O extends object, S extends string, T extends System<S>, W extends string>(
  study: Study<O, S, T, W>,
): Experiment<StudyFindings<W>> => {
  const { name, title, about, code, claims, page } = study;
  return { name, title, about, code, claims, page, run: (session) => runStudy(session, study) };
};

async function runStudy<O extends object, S extends string, T extends System<S>, W extends string>(
  session: Session,
  { name, row, open, ways, seeds, brief, looks, shown }: Study<O, S, T, W>,
) {
  const set = await open(session.quick);
  const names = Object.keys(ways) as W[];
  const results = recordOf(names, (): SystemResult[] => []);
  const used = session.quick ? seeds.slice(0, 1) : seeds;
  for (const seed of used) {
    for (const way of names) {
      const given = { ...ways[way].given, ...(session.quick && brief), seed } as Partial<O & RunSettings>;
      const settings = { ...rowConfig(row, set.kind, given), looks, data: set.title, print: set.fingerprint };
      // One picture of each way is enough, and is kept with the first seed.
      const options = { looks, ...(shown !== undefined && { shown }) };
      results[way].push(
        await session.part(`${way}/seed-${seed}`, settings, () => systemRun(name, row, set, given, options)),
      );
    }
  }
  const { seed: _, ...settings } = rowConfig(row, set.kind, { ...(session.quick && brief) } as Partial<
    O & RunSettings
  >);
  const findings: StudyFindings<W> = {
    data: set.title,
    settings: settings as Readonly<Record<string, unknown>>,
    measures: Object.fromEntries(
      Object.entries(row.measures ?? {}).map(([key, { title, better }]) => [key, { title, better }]),
    ),
    ways: recordOf(names, (way) => ({
      title: ways[way].title,
      words: results[way][0]!.words,
      runs: results[way].map(({ steps, measured, controls }, i) => ({
        ...{ seed: used[i]!, steps },
        ...{
          measured: measured.map(short),
          controls: Object.fromEntries(Object.entries(controls).map(([key, found]) => [key, short(found)])),
        },
      })),
    })),
  };
  const first = names.flatMap((way): [string, ShownPixels][] => {
    const { shown: picture } = results[way][0]!;
    return picture ? [[way, picture]] : [];
  });
  return { findings, pictures: await drawStudy(findings, first) };
}

/** To five digits. */
const short = (found: Measured): Measured =>
  Object.fromEntries(Object.entries(found).map(([key, value]) => [key, Number(value.toPrecision(5))]));

import { picture, section, table } from '../markdown.ts';
import { type MeanSpread, meanSpread, plusMinus } from '../tables.ts';
import type { StudyFindings } from './study.ts';

/** A measure of a way at the end of its trainings, over the seeds. */
export const atEnd = <W extends string>({ ways }: StudyFindings<W>, way: W, measure: string): MeanSpread =>
  meanSpread(ways[way].runs.map(({ measured }) => measured.at(-1)![measure]!));

/** A measure of a way before its first step, over the seeds. */
export const untrained = <W extends string>({ ways }: StudyFindings<W>, way: W, measure: string): MeanSpread =>
  meanSpread(ways[way].runs.map(({ measured }) => measured[0]![measure]!));

/** What stands beside a measure of a way, such as copying, over the seeds. */
export const control = <W extends string>(
  { ways }: StudyFindings<W>,
  way: W,
  measure: string,
  name: string,
): MeanSpread => meanSpread(ways[way].runs.map(({ controls }) => controls[measure]![name]!));

/** The end of a study's section: pictures, settings, a row of the table for each way and control, and what to look at. */
export function studyPage<W extends string>(
  name: string,
  findings: StudyFindings<W>,
  { digits = 3, look }: { readonly digits?: number; readonly look: readonly string[] },
): string {
  const { data, settings, measures, ways } = findings;
  const keys = Object.keys(measures);
  const names = Object.keys(ways) as W[];
  const cells = (of: (measure: string) => MeanSpread | undefined) =>
    keys.map((key) => {
      const found = of(key);
      return found ? plusMinus(found, digits) : '';
    });
  const [usual] = names as [W];
  const { runs } = ways[usual];
  const controls = [...new Set(keys.flatMap((key) => Object.keys(runs[0]!.controls[key] ?? {})))];
  const rows = [
    ...names.map((way) => [ways[way].title, ...cells((key) => atEnd(findings, way, key))]),
    ['untrained', ...cells((key) => untrained(findings, usual, key))],
    ...controls.map((one) => [
      one,
      ...cells((key) => (runs[0]!.controls[key]?.[one] === undefined ? undefined : control(findings, usual, key, one))),
    ]),
  ];
  const said = Object.entries(settings).flatMap(([key, value]) =>
    typeof value === 'object' || key === 'snapshots' || key === 'data' ? [] : [`${key} ${value}`],
  );
  const blocks = [
    ...names.map((way) => picture(name, `${way}.png`, `${ways[way].title}, first seed`)),
    picture(name, 'measures.svg', 'Measures over the steps'),
    `Pictures, in this order: ${names.map((way) => ways[way].title).join('; ')}. ${data}; ${said.join(', ')}.`,
    table(['', ...keys.map((key) => `${measures[key]!.title}; ${measures[key]!.better} is better`)], rows),
  ];
  return section(blocks, look);
}

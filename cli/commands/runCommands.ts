import { type Command, InvalidArgumentError, Option } from 'commander';
import { ranges } from '../../engine/internal.ts';
import { largest } from '../../gan/extremes.ts';
import { metrics } from '../../gan/metrics/table.ts';
import { rowOf, systemNames } from '../../gan/systems/table.ts';
import type { CompareCommandOptions } from './compare.node.ts';
import type { EvaluateCommandOptions } from './options.ts';
import type { ReportCommandOptions } from './report.node.ts';
import { comparisons, pictures, type SampleOptions, truncations } from './sampleOptions.ts';
import { integer, list, notEmpty, number, numberIn } from './values.ts';

const seed = numberIn(ranges.seed);

/** The pictures and measures of all systems. */
const namesOf = (of: 'shows' | 'measures'): string[] => [
  ...new Set(systemNames.flatMap((name) => Object.keys(rowOf(name)[of] ?? {}))),
];
const [showNames, measureNames] = [namesOf('shows'), namesOf('measures')];

const dataFolder = (): Option =>
  new Option('--data-folder <path>', 'where the data lie, if they were moved since the run').argParser(
    notEmpty('folder'),
  );

/** Adds `wgrad sample`. */
export function addSample(wgrad: Command, adapter: Option, action: (options: SampleOptions) => Promise<void>): void {
  wgrad
    .command('sample')
    .description('Draw from a trained run: grids, ways between codes, arithmetic, truncation, neighbours, animations.')
    .argument('<run>', 'run folder, or the checkpoint in one', notEmpty('run folder'))
    .addOption(new Option('--what <picture>', 'what to draw').choices([...pictures, ...showNames]).default('grid'))
    .option('--count <n>', 'samples in a grid (default: 64), rows of the other pictures (default: 8)', integer(1, 4096))
    .option('--seed <n>', 'of the latent codes', seed, 0)
    .option('--codes <numbers>', "codes by their numbers in the seed's grid, with commas between them", numbers)
    .addOption(new Option('--mode <way>', 'between two codes').choices(['linear', 'spherical']))
    .option('--corners', 'of an interpolation: a grid between four codes')
    .option('--psi <value>', 'how far codes may lie from the mean', number(0, 100))
    .addOption(
      new Option('--truncation <kind>', 'draw again what is beyond psi, or move codes to the mean').choices(
        truncations,
      ),
    )
    .addOption(
      new Option('--compare <what>', 'neighbours by pixels, or by what a digit classifier sees').choices(comparisons),
    )
    .option('--out <file>', 'picture to write (default: sample-<what> in the run folder)', notEmpty('file'))
    .addOption(dataFolder())
    .addOption(adapter)
    .option('--quiet', 'print nothing but errors', false)
    .addHelpText(
      'after',
      `
Examples:
  $ wgrad sample runs/digits
  $ wgrad sample runs/digits --what interpolate --codes 3,17,40 --out way.gif
  $ wgrad sample runs/digits --what neighbours --compare digits
  $ wgrad sample runs/digits --what animate`,
    )
    .action((run: string, options: Omit<SampleOptions, 'run'>) => action({ run, ...options }));
}

/** Adds `wgrad evaluate`. */
export function addEvaluate(
  wgrad: Command,
  adapter: Option,
  action: (options: EvaluateCommandOptions) => Promise<void>,
): void {
  const width = largest(Object.keys(metrics).map((name) => name.length)) + 2;
  wgrad
    .command('evaluate')
    .description(
      "Measure a trained run's samples against held-out data; the scores go to evaluation.json in its folder.",
    )
    .argument('<run>', 'run folder, or the checkpoint in one', notEmpty('run folder'))
    .option('--metrics <names>', 'which, with commas between them (default: all that suit the data)', metricNames)
    .option('--count <n>', 'samples to measure (default: 10,000 images or 2,500 points)', integer(2, 1_000_000))
    .option('--seed <n>', 'of the latent codes and of what metrics draw', seed, 0)
    .option('--no-baselines', 'leave out the scores of real samples and of noise, in a third of the time')
    .addOption(dataFolder())
    .addOption(adapter)
    .option('--json', 'print JSON', false)
    .option('--quiet', 'print nothing but errors', false)
    .addHelpText(
      'after',
      `
Metrics:
${Object.entries(metrics)
  .map(([name, { title }]) => `  ${name.padEnd(width)}${title}`)
  .join('\n')}

Examples:
  $ wgrad evaluate runs/digits
  $ wgrad evaluate runs/digits --metrics fid,kid --json`,
    )
    .action((run: string, options: Omit<EvaluateCommandOptions, 'run'>) => action({ run, ...options }));
}

/** Adds `wgrad report` and `wgrad compare`. */
export function addPages(
  wgrad: Command,
  actions: {
    report(options: ReportCommandOptions): Promise<void>;
    compare(options: CompareCommandOptions): Promise<void>;
  },
): void {
  const folders = 'run folders, such as runs/*';
  wgrad
    .command('report')
    .description('Write a page of each run: curves, grids over time, scores and configuration, in one file.')
    .argument('<runs...>', folders)
    .option('--out <file>', 'of the page of one run (default: report.html in the run folder)', notEmpty('file'))
    .addHelpText('after', '\nExample:\n  $ wgrad report runs/digits')
    .action((runs: string[], options: Omit<ReportCommandOptions, 'runs'>) => actions.report({ runs, ...options }));
  wgrad
    .command('compare')
    .description('Write one page of many runs: what differs, curves over each other, grids side by side, best scores.')
    .argument('<runs...>', folders)
    .option('--out <file>', 'the page', notEmpty('file'), 'compare.html')
    .addHelpText('after', '\nExample:\n  $ wgrad compare runs/* --out runs.html')
    .action((runs: string[], options: Omit<CompareCommandOptions, 'runs'>) => actions.compare({ runs, ...options }));
}

const numbers = (text: string): number[] => list(text).map(integer(0, 1e6));

const metricNames = (text: string): string[] => {
  const known = [...Object.keys(metrics), ...measureNames];
  const names = list(text);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return names;
  throw new InvalidArgumentError(`There is no metric ${unknown}; there are ${known.join(', ')}.`);
};

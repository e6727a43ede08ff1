import { type Command, InvalidArgumentError, Option } from 'commander';
import type { AdapterName } from '../../engine/index.ts';
import { defined, ranges } from '../../engine/internal.ts';
import { dataSettings, type RunSettings, runSettings } from '../../gan/runSettings.ts';
import type { Setting } from '../../gan/settings.ts';
import { rowOf, type SystemName, settingsOf, systemNames, USUAL_SYSTEM } from '../../gan/systems/table.ts';
import type { TrainOptions } from './options.ts';
import { duration, notEmpty, numberIn } from './values.ts';

/** The options as commander gives them: those of the configuration under the names of their flags, and others. */
type Flags = Readonly<Record<string, unknown>> & {
  readonly preset?: string;
  readonly resume?: string;
  readonly out?: string;
  readonly adapter?: AdapterName;
  readonly quiet: boolean;
};

/** Settings of every run that stand beside the data or have flags of their own. */
const APART: readonly string[] = ['data', 'dataOptions'] satisfies readonly (keyof RunSettings)[];

/** A setting with a flag; of an option of a data set the data set knows the default. */
type Flagged = Omit<Setting<unknown>, 'default'> & Partial<Pick<Setting<unknown>, 'default'>>;

/** Options without a value behind them. */
const ALONE: readonly string[] = ['--grey', '--quiet', '--help', '-h'];

/**
 * The system that the arguments of the command line name, before commander reads them: whose options there are depends on it. Undefined where
 * they name none, or one that there is not.
 */
export function namedSystem(argv: readonly string[]): SystemName | undefined {
  if (argv[0] !== 'train') return undefined;
  let i = 1;
  while (argv[i]?.startsWith('-')) i += ALONE.includes(argv[i]!) || argv[i]!.includes('=') ? 1 : 2;
  return systemNames.find((name) => name === argv[i]);
}

/**
 * Adds `wgrad train`, with the options of one system.
 * @param named the system that the command line names
 */
export function addTrain(
  wgrad: Command,
  {
    named,
    datasets,
    adapter,
  }: { readonly named: SystemName | undefined; readonly datasets: readonly string[]; readonly adapter: Option },
  action: (options: TrainOptions) => Promise<void>,
): void {
  const system = named ?? USUAL_SYSTEM;
  const row = rowOf(system);
  const table = settingsOf(system);
  const presets = Object.entries(row.presets ?? {});
  const command = wgrad
    .command('train')
    .description(
      `Train a system, from nothing or where a run left off; keep samples, curves, metrics and weights in a run folder.\n\n${system}: ${row.about} (${row.paper}).`,
    )
    .argument('[system]', `what is trained; \`wgrad systems\` describes them (default: ${USUAL_SYSTEM})`, knownSystem)
    .optionsGroup('What is learnt:');
  if (presets.length > 0) {
    const about = `what decides where no other option does (default: ${presets[0]![0]})`;
    command.addOption(new Option('--preset <name>', about).choices(presets.map(([name]) => name)));
  }
  const usualData = table.data!.default;
  command.addOption(
    new Option('--data <name>', `data set (default: ${usualData}); \`wgrad data\` describes them`).choices(datasets),
  );
  const [keys, dataKeys] = [new Map<string, string>(), new Map<string, string>()];
  const add = (to: Map<string, string>, name: string, setting: Flagged, decided: boolean): void => {
    const option = optionOf(name, setting, decided);
    to.set(option.attributeName(), name);
    command.addOption(option);
  };
  for (const [name, setting] of Object.entries(dataSettings)) add(dataKeys, name, setting, false);
  command.optionsGroup(`What ${system} has of its own:`);
  const own = Object.keys(table).filter((name) => !Object.hasOwn(runSettings, name));
  const common = Object.keys(runSettings).filter((name) => !APART.includes(name));
  for (const name of own) add(keys, name, table[name]!, presets.length === 0);
  command.optionsGroup('The run:');
  for (const name of common) add(keys, name, table[name]!, presets.length === 0);
  command
    .option('--resume <run>', 'go on with this run where its last checkpoint is', notEmpty('run folder'))
    .option('--out <folder>', 'run folder, new or empty (default: runs/<date-time>)', notEmpty('folder'))
    .addOption(adapter)
    .option('--quiet', 'print nothing but errors', false)
    .addHelpText('after', helpOf(system))
    .action((name: string | undefined, flags: Flags) => {
      // Its options are known by now: those of another system were offered and read.
      if (name !== undefined && name !== system)
        throw new Error(`name ${name} right behind train: wgrad train ${name}`);
      return action(optionsOf(named, { keys, dataKeys }, flags));
    });
}

function knownSystem(text: string): string {
  if ((systemNames as readonly string[]).includes(text)) return text;
  throw new InvalidArgumentError(`There is no system ${text}; there are ${systemNames.join(', ')}.`);
}

/** The flag of a setting: its name with hyphens, unless the table says another. */
const flagOf = (name: string, { flag }: Pick<Setting<unknown>, 'flag'>): string =>
  flag ?? `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** @param decided whether the table alone says the default, which the help then gives: no preset does */
function optionOf(name: string, setting: Flagged, decided: boolean): Option {
  const { about, value = 'n', choices } = setting;
  if (setting.range === ranges.flag) return new Option(flagOf(name, setting), about);
  const usual = decided && setting.default !== null ? ` (default: ${setting.default})` : '';
  const option = new Option(`${flagOf(name, setting)} <${value}>`, `${about}${usual}`);
  if (choices) return option.choices(choices);
  if (name === 'seconds') return option.argParser(duration);
  const { read, range } = setting;
  if (!read) return option.argParser(numberIn(range));
  return option.argParser((text: string, before: unknown) => {
    const found = reading(() => read(text, before));
    if (range.holds(found)) return found;
    throw new InvalidArgumentError(`Use ${range.says}.`);
  });
}

/** What `read` makes of a text; its errors are those of the option. */
function reading(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message.replace(/^[a-z]\w*: /, ''));
  }
}

function helpOf(system: SystemName): string {
  const presets = Object.entries(rowOf(system).presets ?? {});
  const named = presets.map(([name, { title }]) => `  ${name.padEnd(10)}${title}`).join('\n');
  const name = system === USUAL_SYSTEM ? '' : ` ${system}`;
  const examples = [
    `wgrad train${name}`,
    ...(presets.length > 0
      ? [
          'wgrad train --preset dcgan --time 15m --out runs/dcgan',
          'wgrad train --data grid --objective hinge --regularizer r1=1 --regularizer spectral-norm',
          'wgrad train --data-folder photographs --size 64 --preset sngan --time 2h',
        ]
      : [`wgrad train${name} --time 10m --out runs/${system}`]),
    `wgrad train --resume runs/${system === USUAL_SYSTEM ? 'dcgan' : system} --time 30m`,
  ];
  return `
${presets.length > 0 ? `Presets:\n${named}\n\n` : ''}Ctrl-C, SIGTERM and SIGHUP stop after the step under way and keep what was learnt; a second one stops at once. --resume
goes on, to the same numbers as a run that was never stopped; --steps and --time may then be larger than they were.
One process at a time writes in a run folder; \`wgrad sample\`, \`evaluate\` and \`report\` may read it meanwhile.

Examples:
${examples.map((line) => `  $ ${line}`).join('\n')}`;
}

function optionsOf(
  system: SystemName | undefined,
  { keys, dataKeys }: Readonly<Record<'keys' | 'dataKeys', ReadonlyMap<string, string>>>,
  flags: Flags,
): TrainOptions {
  const { preset, resume, out, adapter, quiet, data } = flags;
  const takesImages = !rowOf(system ?? USUAL_SYSTEM).needs.includes('pairs');
  const under = (names: ReadonlyMap<string, string>) =>
    defined(Object.fromEntries([...names].map(([flag, name]) => [name, flags[flag]])));
  const dataOptions = under(dataKeys);
  const given = defined({
    ...under(keys),
    // A folder alone is one of images, unless the system learns from none; a data set that lies elsewhere is named beside its folder.
    data: data ?? ('folder' in dataOptions && resume === undefined && takesImages ? 'folder' : undefined),
    dataOptions: Object.keys(dataOptions).length > 0 ? dataOptions : undefined,
  });
  if (resume !== undefined && out !== undefined) throw new Error('a run that goes on stays in its folder: drop --out');
  if (resume !== undefined && preset !== undefined)
    throw new Error('a run that goes on keeps its preset: drop --preset, or start a new run');
  return { given, quiet, ...defined({ system, preset, resume, out, adapter }) } as TrainOptions;
}

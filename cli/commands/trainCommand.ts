import { type Command, InvalidArgumentError, Option } from 'commander';
import { type AdapterName, defined } from '../../engine/index.ts';
import { criticNorms } from '../../gan/networks/parts.ts';
import { objectiveNames } from '../../gan/objectives/objective.ts';
import { regularizerNames } from '../../gan/objectives/regularizer.ts';
import { parseRegularizer } from '../../gan/train/assemble.ts';
import { optimizerNames, type PresetName, presets, type TrainConfig } from '../../gan/train/config.ts';
import { dataSettings, settings } from '../../gan/train/settings.ts';
import type { TrainOptions } from './options.ts';
import { duration, list, notEmpty, numberIn } from './values.ts';

/** The options as commander gives them: those of the configuration by its own names, and others. */
interface Flags extends Omit<Partial<TrainConfig>, 'dataOptions' | 'regularizers'> {
  readonly preset?: PresetName;
  readonly resume?: string;
  readonly out?: string;
  readonly adapter?: AdapterName;
  readonly quiet: boolean;
  readonly dataFolder?: string;
  readonly classes?: readonly string[];
  readonly size?: number;
  readonly grey?: boolean;
  readonly vendor?: string;
  readonly hand?: string;
  readonly regularizer?: readonly string[];
  readonly ema?: number;
  readonly time?: number;
}

const PRESET: PresetName = 'wgan-gp';

/** Adds `wgrad train`. @param models, datasets what there is */
export function addTrain(
  wgrad: Command,
  {
    models,
    datasets,
    adapter,
  }: { readonly models: readonly string[]; readonly datasets: readonly string[]; readonly adapter: Option },
  action: (options: TrainOptions) => Promise<void>,
): void {
  wgrad
    .command('train')
    .description(
      'Train a model, from nothing or where a run left off; keep samples, curves, metrics and weights in a run folder.',
    )
    .optionsGroup('What is learnt:')
    .addOption(
      new Option('--preset <name>', `what decides where no other option does (default: ${PRESET})`).choices(
        Object.keys(presets),
      ),
    )
    .addOption(new Option('--data <name>', 'data set (default: mnist); `wgrad data` describes them').choices(datasets))
    .option(
      '--data-folder <path>',
      'folder with your images, or with the files of --data; of --resume, where they lie now',
      notEmpty('folder'),
    )
    .option('--classes <names>', 'only these classes of the data set, such as 3,8 or bag,sandal', list)
    .option('--size <pixels>', 'height and width of the images', numberIn(dataSettings.size))
    .option('--grey', 'grey images, of a folder of images')
    .option('--vendor <name>', 'whose emoji: google, apple, twitter or facebook', notEmpty('vendor'))
    .option('--hand <name>', 'the hand of Chinese characters: ming, hei or kai', notEmpty('hand'))
    .optionsGroup('Networks and objective:')
    .addOption(new Option('--model <name>', 'networks').choices(models))
    .option('--latent <n>', 'length of a latent code', numberIn(settings.latent))
    .option('--width <n>', 'channels or units of the generator', numberIn(settings.width))
    .addOption(new Option('--critic-norm <kind>', 'normalisation in the critic').choices(criticNorms))
    .addOption(new Option('--objective <name>', 'what critic and generator minimise').choices(objectiveNames))
    .option('--label-smoothing <share>', 'one-sided label smoothing', numberIn(settings.labelSmoothing))
    .option(
      '--regularizer <name[=strength]>',
      `any of ${regularizerNames.join(', ')}; or none; may be given several times`,
      (text: string, before: readonly string[] | undefined) => [...(before ?? []), regularizerOf(text)],
    )
    .option(
      '--instance-noise <sigma>',
      'noise on what the critic sees, which fades to 0',
      numberIn(settings.instanceNoise),
    )
    .optionsGroup('How it is learnt:')
    .option('--steps <n>', 'updates of the generator', numberIn(settings.steps))
    .option('--time <duration>', 'such as 90s, 10m or 1h30m: as many steps as fit, pictures included', duration)
    .option('--batch <n>', 'samples in a batch', numberIn(settings.batch))
    .option('--accumulate <n>', 'batches whose mean gradient makes one update', numberIn(settings.accumulate))
    .option('--critic-steps <n>', 'updates of the critic before each of the generator', numberIn(settings.criticSteps))
    .addOption(new Option('--optimizer <name>', 'of both networks').choices(optimizerNames))
    .option('--critic-rate <rate>', "the critic's learning rate", numberIn(settings.criticRate))
    .option('--generator-rate <rate>', "the generator's learning rate", numberIn(settings.generatorRate))
    .option('--betas <a,b>', "Adam's decay rates", betas)
    .option(
      '--rate-decay <share>',
      'the learning rates fall in a straight line to this share',
      numberIn(settings.rateDecay),
    )
    .option(
      '--ema <decay>',
      "average of the generator's weights that samples come from; 0 for none",
      numberIn(settings.emaDecay),
    )
    .option('--seed <n>', 'the same seed on the same adapter gives the same run', numberIn(settings.seed))
    .optionsGroup('The run:')
    .option('--resume <run>', 'go on with this run where its last checkpoint is', notEmpty('run folder'))
    .option('--out <folder>', 'run folder, new or empty (default: runs/<date-time>)', notEmpty('folder'))
    .option('--snapshots <n>', 'grids, measurements and checkpoints in a run', numberIn(settings.snapshots))
    .option('--checkpoint-every <steps>', 'checkpoints between them', numberIn(settings.checkpointEvery))
    .addOption(adapter)
    .option('--quiet', 'print nothing but errors', false)
    .addHelpText(
      'after',
      `
Presets:
${Object.entries(presets)
  .map(([name, { title }]) => `  ${name.padEnd(10)}${title}`)
  .join('\n')}

Ctrl-C, SIGTERM and SIGHUP stop after the step under way and keep what was learnt; a second one stops at once. --resume
goes on, to the same numbers as a run that was never stopped; --steps and --time may then be larger than they were.
One process at a time writes in a run folder; \`wgrad sample\`, \`evaluate\` and \`report\` may read it meanwhile.

Examples:
  $ wgrad train
  $ wgrad train --preset dcgan --time 15m --out runs/dcgan
  $ wgrad train --data grid --objective hinge --regularizer r1=1 --regularizer spectral-norm
  $ wgrad train --data-folder photographs --size 64 --preset sngan --time 2h
  $ wgrad train --resume runs/dcgan --time 30m`,
    )
    .action((flags: Flags) => action(optionsOf(flags)));
}

function optionsOf(flags: Flags): TrainOptions {
  const { preset = PRESET, resume, out, adapter, quiet, regularizer, ema, time, ...rest } = flags;
  const { dataFolder, classes, size, grey, vendor, hand, ...config } = rest;
  const dataOptions = defined({ folder: dataFolder, classes, size, grey, vendor, hand });
  const given = defined({
    ...config,
    // A folder alone is one of images; a data set that lies elsewhere is named beside its folder.
    data: config.data ?? (dataFolder !== undefined && resume === undefined ? 'folder' : undefined),
    emaDecay: ema,
    seconds: time,
    regularizers: regularizer?.filter((r) => r !== 'none'),
    dataOptions: Object.keys(dataOptions).length > 0 ? dataOptions : undefined,
  });
  if (resume !== undefined && out !== undefined) throw new Error('a run that goes on stays in its folder: drop --out');
  if (resume !== undefined && flags.preset !== undefined)
    throw new Error('a run that goes on keeps its preset: drop --preset, or start a new run');
  return { preset, given, quiet, ...defined({ resume, out, adapter }) };
}

function regularizerOf(text: string): string {
  if (text === 'none') return text;
  try {
    parseRegularizer(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message.replace(/^regularizer: /, ''));
  }
  return text;
}

function betas(text: string): [number, number] {
  const [a, b, ...rest] = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const value = [a, b, ...rest] as [number, number];
  if (settings.betas.holds(value)) return value;
  throw new InvalidArgumentError(`Use ${settings.betas.says}.`);
}

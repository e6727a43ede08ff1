import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { adapterNames } from '../engine/index.ts';
import { dataSets } from '../gan/data/datasets.node.ts';
import type { CompareCommandOptions } from './commands/compare.node.ts';
import { listDataSets } from './commands/listDataSets.node.ts';
import { listSystems } from './commands/listSystems.ts';
import type { DoctorOptions, EvaluateCommandOptions, TrainOptions } from './commands/options.ts';
import type { PlaygroundOptions } from './commands/playground.node.ts';
import type { ReportCommandOptions } from './commands/report.node.ts';
import { addEvaluate, addPages, addSample } from './commands/runCommands.ts';
import type { SampleOptions } from './commands/sampleOptions.ts';
import { addTrain, namedSystem } from './commands/trainCommand.ts';
import { quoted } from './run/commandNow.ts';
import { version } from './run/version.node.ts';
import { onStopSignals, stoppedStatus } from './signals.node.ts';
import { commanderOutput, flushOutput, terminal } from './terminal/terminal.node.ts';

/** What the commands do; the tests put others in their place. */
export interface Actions {
  /** Returns when the run is complete, or has stopped because `signal` asked for it and has kept what it learnt. */
  train(options: TrainOptions, signal: AbortSignal): Promise<void>;
  sample(options: SampleOptions): Promise<void>;
  report(options: ReportCommandOptions): Promise<void>;
  compare(options: CompareCommandOptions): Promise<void>;
  evaluate(options: EvaluateCommandOptions): Promise<void>;
  doctor(options: DoctorOptions): Promise<void>;
  /** Returns when `signal` asks for it. */
  playground(options: PlaygroundOptions, signal: AbortSignal): Promise<void>;
  /** Returns the exit code. */
  bench(args: readonly string[]): Promise<number>;
}

/** Loaded only when called, so that `--help` and wrong options are answered at once. */
const lazyActions: Actions = {
  train: async (options, signal) => (await import('./run/train.node.ts')).train(options, signal),
  sample: async (options) => void (await (await import('./commands/sample.node.ts')).sample(options)),
  report: async (options) => (await import('./commands/report.node.ts')).report(options),
  compare: async (options) => (await import('./commands/compare.node.ts')).compare(options),
  evaluate: async (options) => (await import('./commands/evaluate.node.ts')).evaluate(options),
  doctor: async (options) => (await import('./commands/doctor.node.ts')).doctor(options),
  playground: async (options, signal) => (await import('./commands/playground.node.ts')).playground(options, signal),
  bench: async (args) => (await import('./commands/bench.node.ts')).bench(args),
};

/**
 * The `wgrad` command line. Errors are one line on standard error (with the stack where WGRAD_DEBUG is set).
 *
 * @param argv the arguments after the program's name
 * @returns the exit code: 0 = done, 1 = failed, 2 = wrong usage, 130, 143, 129 = stopped by Ctrl-C, SIGTERM, SIGHUP after what was learnt was kept; of `bench` its own
 */
export async function main(argv: readonly string[], actions: Actions = lazyActions): Promise<number> {
  const interrupt = new AbortController();
  let code = 0;
  const exit = (given: number): void => {
    code = given;
  };
  try {
    await program(actions, interrupt, argv, exit).parseAsync(argv, { from: 'user' }).catch(helped);
    await flushOutput();
    return interrupt.signal.aborted ? stoppedStatus(interrupt.signal) : code;
  } catch (error) {
    if (error instanceof CommanderError) return 2;
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    terminal.err.text(`wgrad: ${process.env.WGRAD_DEBUG ? stack : oneLine(message)}`);
    return 1;
  }
}

/** Lets help and the version end the program, which commander tells as errors. */
function helped(error: unknown): void {
  if (!(error instanceof CommanderError && error.exitCode === 0)) throw error;
}

function program(
  actions: Actions,
  interrupt: AbortController,
  argv: readonly string[],
  exit: (code: number) => void,
): Command {
  const command = commandLine(argv);
  const wgrad = new Command('wgrad')
    .description('Train generative adversarial networks on an engine of hand-written WebGPU shaders.')
    .version(version())
    .exitOverride()
    .configureOutput({
      ...commanderOutput,
      outputError: (text, write) => write(`wgrad: ${oneLine(text.replace(/^error: /, ''))}\n`),
    })
    .addHelpText('after', '\nSet WGRAD_DEBUG=1 to see the stack of an error.');

  const datasets = dataSets.map(({ name }) => name);
  const known = { named: namedSystem(argv), datasets, adapter: adapterOption() };
  addTrain(wgrad, known, async (options) => {
    const release = onStopSignals(interrupt, 'the step under way');
    await actions.train({ ...options, command }, interrupt.signal).finally(release);
  });
  addSample(wgrad, adapterOption(), actions.sample);
  addEvaluate(wgrad, adapterOption(), actions.evaluate);
  addPages(wgrad, actions);

  wgrad
    .command('systems')
    .description('List what can be trained: what it claims, whose it is, its data, pictures and measures.')
    .action(() => terminal.out.text(listSystems()));

  wgrad
    .command('data')
    .description('List the data sets: what they hold, where they come from, their licences and how to get them.')
    .action(() => terminal.out.text(listDataSets()));

  wgrad
    .command('doctor')
    .description('Show the adapter, its limits and speed, and test its kernels against float64.')
    .addOption(adapterOption())
    .option('--json', 'print JSON', false)
    .addHelpText('after', '\nExamples:\n  $ wgrad doctor\n  $ wgrad doctor --adapter swiftshader --json')
    .action((options: DoctorOptions) => actions.doctor(options));

  wgrad
    .command('playground')
    .description('Open a page on which GANs train on points, step by step, with critic, slopes and penalty to see.')
    .option('--port <n>', 'the port to serve at, on this machine alone; any that is free unless given', portOf, 0)
    .option('--no-open', 'open no browser')
    .option('--file', 'print where the page lies as one file, which needs no server', false)
    .action(async (options: PlaygroundOptions) => {
      const release = onStopSignals(interrupt, 'the requests under way');
      await actions.playground(options, interrupt.signal).finally(release);
    });

  wgrad
    .command('bench')
    .description(
      'Time the engine against TensorFlow.js and jax-js on one adapter; `wgrad bench --help` for its options.',
    )
    .argument('[options...]')
    .helpOption(false)
    .allowUnknownOption()
    .action(async (args: readonly string[]) => exit(await actions.bench(args)));

  return wgrad;
}

/** A port of the command line. */
function portOf(text: string): number {
  const port = Number(text);
  if (text.trim() !== '' && Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw new InvalidArgumentError('a port is a whole number from 0 to 65535');
}

const adapterOption = (): Option =>
  new Option('--adapter <kind>', 'where to compute; the best that the machine has unless given')
    .choices(adapterNames)
    .env('WGRAD_ADAPTER');

/** The command as a shell takes it, to run it again: without the folder, which is taken. */
const commandLine = (argv: readonly string[]): string =>
  ['npx', 'wgrad', ...argv]
    .filter((word, i, all) => !/^--(quiet|out|out=.*)$/.test(word) && all[i - 1] !== '--out')
    .map(quoted)
    .join(' ');

const oneLine = (text: string): string => text.trim().replace(/\s*\n\s*/g, ' ');

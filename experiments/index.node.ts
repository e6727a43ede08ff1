import { Command, Option } from 'commander';
import { onStopSignals, stoppedStatus } from '../cli/signals.node.ts';
import { commanderOutput, terminal } from '../cli/terminal/terminal.node.ts';
import { adapterNames } from '../engine/index.ts';
import { experiments } from './experiments.node.ts';
import { checkCode, updatePage } from './page.node.ts';
import { type ExperimentOptions, runExperiment, StoppedError } from './run.node.ts';

const interrupt = new AbortController();

const program = new Command('npm run experiment --')
  .configureOutput(commanderOutput)
  .description('Reproduce a claim of the papers; findings and pictures go to docs/experiments.')
  .argument(
    '<name>',
    `one of ${Object.keys(experiments).join(', ')}; all; page, which makes the claims of all findings again and writes docs/experiments.md; or check, which says of which findings the code has changed since`,
  )
  .option('--quick', 'a minute or less each with lavapipe: to see that it runs, not whether the claim holds')
  .option('--fresh', 'do finished parts of an interrupted run again')
  .option(
    '--out <folder>',
    'where findings and pictures go (default: docs/experiments; with --quick: runs/experiments/quick)',
  )
  .addOption(new Option('--adapter <kind>', 'where to compute').choices(adapterNames).env('WGRAD_ADAPTER'))
  .action(async (name: string, options: ExperimentOptions) => {
    const load = () => Promise.all(Object.values(experiments).map((one) => one()));
    if (name === 'page') return updatePage(await load());
    if (name === 'check') {
      const checks = await checkCode(await load());
      for (const { says } of checks) terminal.out.line(says);
      const stale = checks.filter(({ current }) => !current).length;
      if (stale > 0) {
        terminal.out.line(
          `${stale} of ${checks.length} are not of the code of today: what they claim may hold all the same; npm run experiment NAME finds out`,
        );
        process.exitCode = 1;
      }
      return;
    }
    const names = name === 'all' ? Object.keys(experiments) : [name];
    onStopSignals(interrupt, 'the part under way');
    for (const one of names) {
      // Not `experiments[one]` alone, which knows `toString` too.
      const load = Object.hasOwn(experiments, one) ? experiments[one] : undefined;
      if (!load)
        return program.error(`there is no experiment ${one}; there are ${Object.keys(experiments).join(', ')}`);
      const out = options.out ?? (options.quick ? 'runs/experiments/quick' : 'docs/experiments');
      const holds = await runExperiment(await load(), { ...options, out, signal: interrupt.signal });
      if (!holds && !options.quick) process.exitCode = 1;
    }
  });

await program.parseAsync().catch((error: Error) => {
  terminal.err.text(`experiment: ${process.env.WGRAD_DEBUG ? error.stack : error.message}`);
  process.exitCode = error instanceof StoppedError ? stoppedStatus(interrupt.signal) : 1;
});

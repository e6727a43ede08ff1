/** `npm run bench`: wgrad, tfjs and jax-js in turn on one adapter, with the same shapes and data. See RESULTS.md. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { commanderOutput, isOutputClosed, terminal } from '../cli/terminal/terminal.node.ts';
import { adapterNames } from '../engine/adapters.ts';
import { writeFileAtomic } from '../engine/platform/atomicWrite.node.ts';
import { freshRows, freshShape } from './fresh.ts';
import { htmlReport } from './report/html.ts';
import { heading, listText, rowText } from './report/table.ts';
import { measure, type Row, Workers } from './run.ts';
import { ops } from './suites/ops.ts';
import { overhead } from './suites/overhead.ts';
import { train } from './suites/train.ts';
import { type Case, LIBRARIES, type Library, SUITES, type Suite } from './task.ts';

interface Options {
  readonly suite: Suite | 'all';
  readonly adapter?: string;
  readonly peers: readonly Library[];
  readonly only: readonly string[];
  readonly quick: boolean;
  readonly list: boolean;
  readonly rounds?: number;
  readonly json?: string;
  readonly html?: string;
}

const CASES: Readonly<Record<Suite, readonly Case[]>> = { ops, train, overhead };

/** The peers have no float64 device. */
const ADAPTERS: readonly string[] = adapterNames.filter((name) => name !== 'reference');

function positive(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError('It is a whole number, 1 or more.');
  return n;
}

function peers(text: string): Library[] {
  return text.split(',').flatMap((name): Library[] => {
    const library = LIBRARIES.find((l) => l === name && l !== 'wgrad');
    if (!library && name !== 'none') throw new InvalidArgumentError('Choose from tfjs and jaxjs, or none.');
    return library ? [library] : [];
  });
}

const command = new Command('bench')
  .configureOutput(commanderOutput)
  .description(
    'Times wgrad, tfjs and jax-js in turn on one adapter: medians of interleaved rounds, after their results were compared.',
  )
  .addOption(new Option('--suite <name>', 'what to time').choices([...SUITES, 'all']).default('all'))
  .addOption(
    new Option('--adapter <name>', 'default: $WGRAD_ADAPTER, else hardware, lavapipe or swiftshader').choices(ADAPTERS),
  )
  .option('--peers <names>', 'comma-separated: tfjs, jaxjs; or none', peers, ['tfjs', 'jaxjs'])
  .option(
    '--only <texts>',
    'comma-separated: rows whose name and shape contain one of them',
    (text) => text.split(','),
    [''],
  )
  .option('--quick', 'a few rows, few rounds; about a minute', false)
  .option('--list', 'print the rows that there are, of the suite, --only and --quick, and time nothing', false)
  .option('--rounds <n>', 'rounds of each row (default: 7, quick 3)', positive)
  .option('--json <file>', 'write all figures there')
  .option('--html <file>', 'write a page with charts there');

async function main({ suite, adapter, peers, only, quick, list, rounds, json, html }: Options): Promise<void> {
  const suites = suite === 'all' ? SUITES : [suite];
  const matches = ({ name, shape }: Case) => only.some((text) => `${name} ${shape}`.includes(text));
  const cases = suites.flatMap((name) => CASES[name].filter((one) => matches(one) && (!quick || one.quick)));
  // A process of its own for each library and row takes its time, and is not for the quick run.
  const fresh = suites.includes('overhead') && !quick ? train.filter(matches) : [];
  if (cases.length + fresh.length === 0) throw new Error(`no row matches ${only.join(', ')}`);
  if (list) {
    const firsts = fresh.flatMap(({ name, shape }) =>
      ['first step', 'peak memory'].map((what) => ({
        suite: 'overhead' as const,
        name: what,
        shape: freshShape(name, shape),
      })),
    );
    terminal.out.text(listText([...cases, ...firsts]));
    return;
  }
  const chosen = adapter ?? (process.env.WGRAD_ADAPTER || undefined);
  if (chosen && !ADAPTERS.includes(chosen))
    throw new Error(`WGRAD_ADAPTER=${chosen}: choose from ${ADAPTERS.join(', ')}`);
  const workers = new Workers({
    libraries: ['wgrad', ...peers],
    rounds: rounds ?? (quick ? 3 : 7),
    sample: quick ? 10 : 40,
    slow: quick ? 300 : 3000,
    environment: chosen ? { WGRAD_ADAPTER: chosen } : {},
  });
  try {
    await workers.start();
    const roofs = await workers.roofs();
    let best = roofs;
    const rows: Row[] = [];
    const print = terminal.out.text;
    print(heading(workers.adapter, roofs));
    // Files hold every row so far: a run of an hour that ends early has not been for nothing.
    const add = async (row: Row) => {
      if (rows.at(-1)?.suite !== row.suite) print(`\n${row.suite}`);
      print(rowText(row));
      rows.push(row);
      const report = { adapter: workers.adapter, roofs: best, rows };
      if (json) await writeFileAtomic(json, `${JSON.stringify(report, null, 2)}\n`);
      if (html) await writeFileAtomic(html, htmlReport(report));
    };
    for (const one of cases) {
      if (isOutputClosed() && !json && !html) return; // nobody is left to read the rows
      // The machine may be busier now than it was: a row is held against the roofs of its own minute.
      const now = quick ? roofs : await workers.roofs();
      best = { gflops: Math.max(best.gflops, now.gflops), gbps: Math.max(best.gbps, now.gbps) };
      await add(await measure(one, workers, now));
    }
    workers.stop();
    for (const one of fresh) for (const row of await freshRows(one, workers)) await add(row);
  } finally {
    workers.stop();
  }
}

command.parse();
main(command.opts()).catch((error: Error) => {
  terminal.err.text(`bench: ${error.message}`);
  process.exitCode = 1;
});

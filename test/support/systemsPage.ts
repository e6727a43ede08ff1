/** docs/systems.md, made of the table of systems. */
import { type AnySettings, type SystemName, settingsOf, systemNames } from '../../gan/index.ts';
import { rangeOf } from '../../gan/settings.ts';
import { rowOf } from '../../gan/systems/table.ts';

const flagOf = (name: string, flag?: string): string =>
  flag ?? `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

const lines = (head: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  [head, head.map(() => '---'), ...rows].map(
    (cells) => `| ${cells.map((c) => c.replaceAll('|', '\\|')).join(' | ')} |`,
  );

function options(table: AnySettings, presets: boolean): string[] {
  const rows = Object.entries(table).map(([name, setting]) => [
    `\`${flagOf(name, setting.flag)}\``,
    setting.about,
    rangeOf(setting).says,
    presets ? 'by the preset' : `${setting.default ?? 'what suits'}`,
  ]);
  return rows.length > 0 ? ['', ...lines(['option', 'what it is', 'what it may be', 'default'], rows)] : [];
}

/** @param experiments the names of those that there are: a system whose claim is one is shown there */
function section(name: SystemName, experiments: readonly string[]): string[] {
  const { title, about, paper, options: own, measures = {}, shows = {}, presets = {} } = rowOf(name);
  const table = settingsOf(name);
  const ownTable = Object.fromEntries(Object.keys(own).map((key) => [key, table[key]!]));
  const { data, steps, batch } = table;
  const usual =
    Object.keys(presets).length > 0
      ? `Data \`${data!.default}\`. Presets: ${Object.entries(presets)
          .map(([key, preset]) => `\`${key}\` (${preset.title})`)
          .join(', ')}.`
      : `Data \`${data!.default}\`; ${steps!.default} steps of ${batch!.default} samples.`;
  return [
    `## ${name}`,
    '',
    `${title}: ${about}. ${paper}.`,
    '',
    usual,
    ...Object.entries(measures).map(
      ([key, { title: measured, better, controls = {} }], i) =>
        `${i === 0 ? '\n' : ''}- Measured by \`wgrad evaluate RUN --metrics ${key}\`: ${measured}; ${better} is better. Beside it stand ${[...Object.keys(controls), 'untrained'].join(', ')}.`,
    ),
    ...Object.entries(shows).map(
      ([key, { title: shown }]) => `- Drawn by \`wgrad sample RUN --what ${key}\`: ${shown}.`,
    ),
    ...options(ownTable, Object.keys(presets).length > 0),
    ...(experiments.includes(name)
      ? [
          '',
          `What it claims, done again with three seeds beside what must fail: [experiments](experiments.md), \`npm run experiment ${name}\`.`,
        ]
      : []),
    '',
  ];
}

/** test/repo/readme.test.ts runs it as it stands on the page. */
const PROGRAM = `
import { destroy, init } from 'wgrad';
import { configure, createSystem, disposeSystem, streamsOf, systems, train } from 'wgrad/gan';
import { openData } from 'wgrad/gan/node';

await init();
const set = await openData('mnist', { classes: ['3'] });
const config = configure('linear-autoencoder', set.kind, { code: 8, batch: 100, steps: 50 });
const system = createSystem(config, set);
for await (const row of train(system, streamsOf(config, set), { until: config.steps })) {
  if (row.step % 25 === 0) console.log(row.step, row.loss);
}
const { angle } = systems['linear-autoencoder'].measures;
console.log(angle.title, await angle.compute({ system, set, seed: 1 }));
disposeSystem(system);
destroy();
`;

/** The text of the page. */
export const systemsPage = (experiments: readonly string[]): string =>
  [
    '# Systems',
    '',
    'What `wgrad train NAME` trains. Each is one file and one row of a table, from which the command line, its help and this page come: `wgrad systems` lists them, `wgrad train NAME --help` says what each can be told. A run folder is drawn, measured, reported and gone on with by `wgrad sample`, `evaluate`, `report` and `train --resume`, whatever it holds. How to add one is in [the design](design/extending.md#a-system). This page is written by `WGRAD_WRITE=1 npx tsx test/gan/systemsPage.test.ts`.',
    '',
    'The same in code, without a folder, in Node or a page:',
    '',
    '```js',
    PROGRAM.trim(),
    '```',
    '',
    ...systemNames.flatMap((name) => section(name, experiments)),
  ].join('\n');

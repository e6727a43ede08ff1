/** The values of the steps. */
import type { JSX } from 'preact';
import { estimates } from '../setup/choices.ts';
import type { Row } from '../worker/messages.ts';
import { Chart, type Curve, shortly, thinned } from './chart.tsx';
import { Modes, Slopes } from './histograms.tsx';
import { distances, ghosts, rows, setup } from './store.ts';

/** The last value of a name in the rows. */
function lastOf(name: string): number | undefined {
  if (name === 'distance') return distances.value.at(-1)?.distance;
  // From the end: a half step has the numbers of its half alone.
  for (let i = rows.value.length - 1; i >= 0; i--)
    if (name in rows.value[i]!.values) return rows.value[i]!.values[name];
  return undefined;
}

const column = (list: readonly Row[], name: string): (number | null)[] =>
  list.map(({ values }) => (Number.isFinite(values[name]) ? values[name]! : null));

/** Losses of both networks. */
function Losses(): JSX.Element {
  const curves: Curve[] = [
    { name: 'criticLoss', title: 'critic', colour: 'critic', last: lastOf('criticLoss') },
    { name: 'generatorLoss', title: 'generator', colour: 'fake', last: lastOf('generatorLoss') },
    ...(setup.value.regularizers.length > 0
      ? [{ name: 'penalty', title: 'penalty', colour: 'line', last: lastOf('penalty') }]
      : []),
  ];
  return (
    <Chart
      title="Losses"
      curves={curves}
      data={() => {
        const list = thinned(rows.value);
        return [list.map(({ step }) => step), ...curves.map(({ name }) => column(list, name))];
      }}
    />
  );
}

/** What the critic estimates, beside the exact distance of 128 samples. */
function Distances(): JSX.Element {
  const name = Object.keys(estimates).find((n) => rows.value.some(({ values }) => n in values));
  const [estimate, exact] = [name === undefined ? undefined : lastOf(name), lastOf('distance')];
  const curves: Curve[] = [
    ...(name ? [{ name, title: estimates[name]!, colour: 'critic', last: estimate }] : []),
    { name: 'distance', title: 'exact W₁', colour: 'ink', last: exact },
    ...(ghosts.value.length > 0 && name ? [{ name: 'ghost', title: 'before', colour: 'faint', dash: [4, 4] }] : []),
  ];
  return (
    <>
      <Chart
        title="Distance"
        curves={curves}
        data={() => {
          const list = thinned(rows.value);
          const gone = thinned(ghosts.value);
          const exactly = thinned(distances.value);
          const steps = [...new Set([...list, ...gone, ...exactly].map(({ step }) => step))].sort((a, b) => a - b);
          const at = <T extends { readonly step: number }>(
            from: readonly T[],
            value: (one: T) => number | undefined,
          ) => {
            const found = new Map(from.map((one) => [one.step, value(one)]));
            return steps.map((step) => found.get(step) ?? null);
          };
          return [
            steps,
            ...(name ? [at(list, ({ values }) => values[name])] : []),
            at(exactly, ({ distance }) => distance),
            ...(ghosts.value.length > 0 && name ? [at(gone, ({ values }) => values[name])] : []),
          ];
        }}
      />
      {name === 'wasserstein' && estimate !== undefined && exact !== undefined && exact > 0 && (
        <p class="small">
          K = critic’s W / W₁ = <output>{shortly(estimate / exact)}</output>: the slope that the critic has used so far
        </p>
      )}
    </>
  );
}

/** All values. */
export function Charts(): JSX.Element {
  return (
    <section class="charts" aria-label="Values">
      <Modes />
      <Distances />
      <Losses />
      <Slopes />
    </section>
  );
}

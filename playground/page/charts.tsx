/** Curves over the steps, and the slopes at the penalty's points. */
import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { Row } from '../worker/messages.ts';
import { distances, ghosts, look, rows, setup } from './store.ts';

/** A curve: its name in a row, what it is called, its colour in the style sheet. */
interface Curve {
  readonly name: string;
  readonly title: string;
  readonly colour: string;
  readonly dash?: number[];
}

/** Points of a curve that are drawn: more than a screen has. */
const MOST = 1500;

/** Every so many-th row, so that no more are drawn than can be seen. */
const thinned = <T,>(list: readonly T[]): readonly T[] => {
  const every = Math.ceil(list.length / MOST);
  return every <= 1 ? list : list.filter((_, i) => i % every === 0 || i === list.length - 1);
};

const shortly = (v: number | null | undefined): string => (v === null || v === undefined ? '–' : v.toPrecision(3));

/** Curves of the rows in one frame. */
function Chart({ title, curves, data }: { readonly title: string; readonly curves: readonly Curve[]; readonly data: () => uPlot.AlignedData }): JSX.Element {
  const ref = useRef<HTMLDivElement>(null);
  const held = useRef<{ plot: uPlot; names: string; resized: ResizeObserver } | undefined>(undefined);
  useSignalEffect(() => {
    const values = data();
    const box = ref.current;
    if (!box) return;
    const names = curves.map(({ name }) => name).join();
    if (held.current?.names !== names) {
      held.current?.plot.destroy();
      held.current?.resized.disconnect();
      const style = getComputedStyle(box);
      const ink = style.getPropertyValue('--faint').trim();
      const axis = { stroke: ink, grid: { stroke: ink, width: 0.25 }, ticks: { stroke: ink, width: 0.25 }, size: 34 };
      const plot = new uPlot(
        {
          width: box.clientWidth || 280,
          height: 130,
          cursor: { drag: { x: false, y: false } },
          legend: { show: false },
          scales: { x: { time: false } },
          axes: [{ ...axis, size: 24, space: 60 }, { ...axis, size: 46 }],
          series: [
            { label: 'step' },
            ...curves.map(({ title, colour, dash }) => ({
              label: title,
              stroke: style.getPropertyValue(`--${colour}`).trim(),
              width: 1.5,
              spanGaps: true,
              points: { show: false },
              ...(dash && { dash }),
            })),
          ],
        },
        values,
        box,
      );
      const resized = new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: 130 }));
      resized.observe(box);
      held.current = { plot, names, resized };
      return;
    }
    held.current.plot.setData(values);
  });
  const last = (name: string): number | undefined => lastOf(name);
  return (
    <figure class="chart">
      <figcaption>
        {title}
        <span class="legend">
          {curves.map(({ name, title, colour }) => (
            <span key={name}>
              <i style={{ background: `var(--${colour})` }} /> {title} <output>{shortly(last(name))}</output>
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={ref} aria-hidden="true" />
    </figure>
  );
}

/** The last value of a name in the rows. */
function lastOf(name: string): number | undefined {
  if (name === 'distance') return distances.value.at(-1)?.distance;
  // From the end: a half step has the numbers of its half alone.
  for (let i = rows.value.length - 1; i >= 0; i--) if (name in rows.value[i]!.values) return rows.value[i]!.values[name];
  return undefined;
}

const column = (list: readonly Row[], name: string): (number | null)[] =>
  list.map(({ values }) => (Number.isFinite(values[name]) ? values[name]! : null));

/** Losses of both networks. */
function Losses(): JSX.Element {
  const curves: Curve[] = [
    { name: 'criticLoss', title: 'critic', colour: 'critic' },
    { name: 'generatorLoss', title: 'generator', colour: 'fake' },
    ...(setup.value.regularizers.length > 0 ? [{ name: 'penalty', title: 'penalty', colour: 'line' }] : []),
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

const estimates: Readonly<Record<string, string>> = {
  wasserstein: 'critic’s W',
  jsd: 'critic’s JSD',
  totalVariation: 'critic’s TV',
  triangular: 'critic’s Δ',
};

/** What the critic estimates, beside the exact distance of 128 samples. */
function Distances(): JSX.Element {
  const name = Object.keys(estimates).find((n) => rows.value.some(({ values }) => n in values));
  const curves: Curve[] = [
    ...(name ? [{ name, title: estimates[name]!, colour: 'critic' }] : []),
    { name: 'distance', title: 'exact W₁', colour: 'ink' },
    ...(ghosts.value.length > 0 && name ? [{ name: 'ghost', title: 'before', colour: 'faint', dash: [4, 4] }] : []),
  ];
  const [estimate, exact] = [name === undefined ? undefined : lastOf(name), lastOf('distance')];
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
          const at = <T extends { readonly step: number }>(from: readonly T[], value: (one: T) => number | undefined) => {
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

/** Bins of the histogram of slopes: their left ends, in powers of √2 around 1. */
const EDGES = Array.from({ length: 17 }, (_, i) => 2 ** ((i - 8) / 2));

/** The slopes at the penalty's points. */
function Slopes(): JSX.Element | null {
  const slopes = look.value?.lines?.slopes;
  if (!slopes) return null;
  const counts = new Array<number>(EDGES.length - 1).fill(0);
  for (const s of slopes) {
    const bin = Math.max(0, Math.min(counts.length - 1, Math.floor(2 * Math.log2(Math.max(s, 1e-9)) + 8)));
    counts[bin]!++;
  }
  const most = Math.max(...counts);
  const mean = slopes.reduce((sum, s) => sum + s, 0) / slopes.length;
  return (
    <figure class="chart">
      <figcaption>
        Slopes ‖∇f‖ between real and generated
        <span class="legend">
          mean <output>{shortly(mean)}</output>
        </span>
      </figcaption>
      <svg viewBox="0 0 160 46" role="img" aria-label={`Slopes: mean ${shortly(mean)}`}>
        {counts.map((n, i) => (
          <rect
            key={EDGES[i]}
            x={i * 10 + 0.5}
            y={36 - (34 * n) / (most || 1)}
            width={9}
            height={(34 * n) / (most || 1)}
            class={i < 8 ? 'below' : 'above'}
          />
        ))}
        <line x1={80} x2={80} y1={0} y2={37} />
        {[0, 4, 8, 12, 16].map((i) => (
          <text key={i} x={i * 10} y={45} text-anchor={i === 0 ? 'start' : i === 16 ? 'end' : 'middle'}>
            {shortly(EDGES[i])}
          </text>
        ))}
      </svg>
    </figure>
  );
}

/** How many samples each mode has. */
function Modes(): JSX.Element | null {
  const coverage = look.value?.coverage;
  if (!coverage) return null;
  const { counts, covered, modes, highQuality, reverseKl } = coverage;
  const total = counts.reduce((a, b) => a + b, 0);
  const most = Math.max(...counts);
  return (
    <figure class="chart">
      <figcaption>
        Modes <output id="modes">{`${covered} of ${modes}`}</output>
        <span class="legend">
          within 3σ <output>{`${(100 * highQuality).toFixed(0)} %`}</output> reverse KL <output>{shortly(reverseKl)}</output>
        </span>
      </figcaption>
      <svg viewBox={`0 0 ${Math.max(160, 10 * modes)} 40`} role="img" aria-label={counts.map((n) => `${((100 * n) / total).toFixed(0)} %`).join(', ')}>
        {counts.map((n, i) => (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: a mode is its place
            key={i}
            x={(i * Math.max(160, 10 * modes)) / modes + 1}
            width={Math.max(160, 10 * modes) / modes - 2}
            y={38 - (36 * n) / most}
            height={(36 * n) / most + 0.5}
            class="mode"
          />
        ))}
        <line
          x1={0}
          x2={Math.max(160, 10 * modes)}
          y1={38 - (36 * total) / modes / most}
          y2={38 - (36 * total) / modes / most}
        />
      </svg>
    </figure>
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

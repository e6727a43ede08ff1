/** Curves over the steps in one frame. */
import { useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import uPlot from 'uplot';

/** A curve: its name in a row, what it is called, its colour in the style sheet. */
export interface Curve {
  readonly name: string;
  readonly title: string;
  readonly colour: string;
  readonly dash?: number[];
  /** Its last value. */
  readonly last?: number | undefined;
}

/** Points of a curve that are drawn: more than a screen has. */
const MOST = 1500;

/** Every so many-th row, so that no more are drawn than can be seen. */
export const thinned = <T,>(list: readonly T[]): readonly T[] => {
  const every = Math.ceil(list.length / MOST);
  return every <= 1 ? list : list.filter((_, i) => i % every === 0 || i === list.length - 1);
};

/** A number in three digits. */
export const shortly = (v: number | null | undefined): string =>
  v === null || v === undefined ? '–' : v.toPrecision(3);

/** Curves of the rows in one frame. */
export function Chart({
  title,
  curves,
  data,
}: {
  readonly title: string;
  readonly curves: readonly Curve[];
  readonly data: () => uPlot.AlignedData;
}): JSX.Element {
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
          axes: [
            { ...axis, size: 24, space: 60 },
            { ...axis, size: 46 },
          ],
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
  return (
    <figure class="chart">
      <figcaption>
        {title}
        <span class="legend">
          {curves.map(({ name, title, colour, last }) => (
            <span key={name}>
              <i style={{ background: `var(--${colour})` }} /> {title} <output>{shortly(last)}</output>
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={ref} aria-hidden="true" />
    </figure>
  );
}

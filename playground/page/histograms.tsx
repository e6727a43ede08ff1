/** The slopes at the penalty's points, and the modes. */
import type { JSX } from 'preact';
import { shortly } from './chart.tsx';
import { look } from './store.ts';

/** Bins of the histogram of slopes: their left ends, in powers of √2 around 1. */
const EDGES = Array.from({ length: 17 }, (_, i) => 2 ** ((i - 8) / 2));

/** The slopes at the penalty's points. */
export function Slopes(): JSX.Element | null {
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
        Slopes of f between real and generated
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
export function Modes(): JSX.Element | null {
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
          within 3σ <output>{`${(100 * highQuality).toFixed(0)} %`}</output> reverse KL{' '}
          <output>{shortly(reverseKl)}</output>
        </span>
      </figcaption>
      <svg
        viewBox={`0 0 ${Math.max(160, 10 * modes)} 40`}
        role="img"
        aria-label={counts.map((n) => `${((100 * n) / total).toFixed(0)} %`).join(', ')}
      >
        {counts.map((n, i) => (
          <rect
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

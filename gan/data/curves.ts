import { checked, checkRange, ranges } from '../../engine/internal.ts';
import { type Distribution, generatorOf } from './distribution.ts';

/** Options of {@link moons} and {@link swissRoll}. */
export interface NoiseOptions {
  /** Standard deviation of the Gaussian noise along each axis, 0 or more; 0 leaves the bare curve. */
  readonly noise?: number;
}

/** Options of {@link spirals}. */
export interface SpiralsOptions extends NoiseOptions {
  /** How often each arm winds around the centre, above 0. Default 1.5. */
  readonly turns?: number;
  /** The distance of the arms' ends from the middle, above 0. Default 2. */
  readonly radius?: number;
}

/** Options of {@link segment} and {@link segments}. */
export interface SegmentOptions {
  /** First coordinate of the (second) segment. */
  readonly theta?: number;
}

/**
 * Two spiral arms r = radius · φ / (2π · turns), the second half a turn from the first, with Gaussian noise (default 0.05).
 * φ² is uniform, which spreads the points about evenly along the arms: r² / radius² is uniform in [0, 1].
 * @throws RangeError for an option out of range
 */
export function spirals(options: SpiralsOptions = {}): Distribution {
  const { turns = 1.5, radius = 2, noise = 0.05 } = checked('spirals', options, ['turns', 'radius', 'noise']);
  checkRange('spirals', 'turns', ranges.positive, turns);
  checkRange('spirals', 'radius', ranges.positive, radius);
  return curve('spirals', 'two spirals', noise, (arm, u) => {
    const r = Math.sqrt(u);
    const angle = 2 * Math.PI * turns * r + Math.PI * arm;
    return [radius * r * Math.cos(angle), radius * r * Math.sin(angle)];
  });
}

/**
 * Two interleaved half circles of radius 1, the upper one around (0, 0) and the lower around (1, 0.5), uniform in the angle,
 * with Gaussian noise (default 0.05): scikit-learn's `make_moons`.
 * @throws RangeError for noise below 0
 */
export function moons(options: NoiseOptions = {}): Distribution {
  const { noise = 0.05 } = checked('moons', options, ['noise']);
  return curve('moons', 'two moons', noise, (lower, u) => {
    const [x, y] = [Math.cos(Math.PI * u), Math.sin(Math.PI * u)];
    return lower ? [1 - x, 0.5 - y] : [x, y];
  });
}

/**
 * The spiral (t cos t, t sin t) / 7.5 with t uniform in [1.5π, 4.5π], with Gaussian noise (default 0.25 / 7.5): the first and
 * third axis of scikit-learn's `make_swiss_roll`, at the scale of WGAN-GP's toy data (Gulrajani et al. 2017, Fig. 1).
 * @throws RangeError for noise below 0
 */
export function swissRoll(options: NoiseOptions = {}): Distribution {
  const { noise = 0.25 / 7.5 } = checked('swissRoll', options, ['noise']);
  return curve('swiss-roll', 'Swiss roll', noise, (_, u) => {
    const t = 1.5 * Math.PI * (1 + 2 * u);
    return [(t / 7.5) * Math.cos(t), (t / 7.5) * Math.sin(t)];
  });
}

/**
 * Uniform on the segment {theta} x [0, 1] (theta is 0 unless given): the learned distribution of the parallel lines, Example 1
 * of Arjovsky et al. 2017. Between the segments at a and b, W1 is |a - b| while the Jensen-Shannon divergence is log 2.
 * @throws RangeError unless theta is finite
 */
export function segment(options: SegmentOptions = {}): Distribution {
  const { theta = 0 } = checked('segment', options, ['theta']);
  checkRange('segment', 'theta', ranges.finite, theta);
  return curve('segment', `segment at ${theta}`, 0, (_, u) => [theta, u]);
}

/**
 * Uniform on both segments {0} x [0, 1] and {theta} x [0, 1] (theta is 1 unless given): data on two lines that do not meet.
 * @throws RangeError unless theta is finite
 */
export function segments(options: SegmentOptions = {}): Distribution {
  const { theta = 1 } = checked('segments', options, ['theta']);
  checkRange('segments', 'theta', ranges.finite, theta);
  return curve('segments', `segments at 0 and ${theta}`, 0, (second, u) => [second * theta, u]);
}

/** Points of two curves, equally likely, moved by Gaussian noise. `at(curve, u)`: curve is 0 or 1, u uniform in [0, 1). */
function curve(
  name: string,
  title: string,
  noise: number,
  at: (curve: number, u: number) => readonly [number, number],
): Distribution {
  checkRange(name, 'noise', ranges.notNegative, noise);
  return {
    name,
    title,
    dimension: 2,
    sample(n, rng) {
      const from = generatorOf(rng);
      const which = from.hostUniform(n);
      const along = from.hostUniform(n);
      const moved = from.hostNormal(2 * n);
      const points = new Float32Array(2 * n);
      for (let i = 0; i < n; i++) {
        const [x, y] = at(which[i]! < 0.5 ? 0 : 1, along[i]!);
        points[2 * i] = x + noise * moved[2 * i]!;
        points[2 * i + 1] = y + noise * moved[2 * i + 1]!;
      }
      return points;
    },
  };
}

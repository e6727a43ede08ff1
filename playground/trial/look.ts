/**
 * What the plane shows of a trial, as numbers: everything that is drawn is a function of the trial's state alone, with codes, points and
 * places that stay the same, so that a picture moves only where the networks do.
 * @module
 */
import { grad, noGrad, Rng, scope, type Tensor, tensor } from '../../engine/index.ts';
import { levelSet, type ModeCoverage, modeCoverage } from '../../gan/index.ts';
import { randomStreams } from '../../gan/randomStreams.ts';
import { withoutTracking } from '../../nn/index.ts';
import { EXTENT } from '../setup/points.ts';
import { idealOn } from './ideal.ts';
import { type Plan, planBetween } from './plan.ts';
import type { Trial } from './trial.ts';

/** What may be asked for. */
export interface Wanted {
  /** The critic's values and slopes on a grid. */
  readonly field: boolean;
  /** The places between real and generated samples where slopes are penalised. */
  readonly lines: boolean;
  /** Which way each generated sample is asked to go. */
  readonly arrows: boolean;
  /** The cheapest plan that carries generated samples onto real ones. */
  readonly plan: boolean;
  /** What the best discriminator would say. */
  readonly ideal: boolean;
  /** The square of latent codes, carried through the generator. */
  readonly folds: boolean;
}

/** A function of the plane and its gradient on a grid over the frame. */
export interface Field {
  /** Points along each side. */
  readonly side: number;
  /** The critic's logits, rows from the lowest y. */
  readonly values: Float32Array;
  /** The gradient by x and y at each point, one after the other. */
  readonly gradients: Float32Array;
  /** Lines of equal value: x and y of their points, one after the other. */
  readonly levels: readonly Float32Array[];
  /** D* = p/(p + q), what the best discriminator would say, if it was asked for. */
  readonly ideal: Float32Array | undefined;
}

/** Places on lines from real to generated samples. */
export interface Lines {
  /** x and y of the ends of each line: real, generated. */
  readonly ends: Float32Array;
  /** x and y of the place on it. */
  readonly at: Float32Array;
  /** ‖∇f‖ there. */
  readonly slopes: Float32Array;
}

/** A square of the plane. */
export interface Frame {
  /** x and y of its middle. */
  readonly middle: readonly [x: number, y: number];
  /** Half its side. */
  readonly reach: number;
}

/** What is drawn of a step. */
export interface Look {
  readonly step: number;
  /** The square that is drawn. */
  readonly frame: Frame;
  /** x and y of held-out points. */
  readonly real: Float32Array;
  /** x and y of generated samples, from the averaged generator where there is an average. */
  readonly fake: Float32Array;
  readonly field: Field | undefined;
  readonly lines: Lines | undefined;
  /** For each generated sample, which way its logit's loss falls. */
  readonly arrows: Float32Array | undefined;
  readonly plan: Plan | undefined;
  /** x and y of a grid of codes of `foldSide` by `foldSide`, carried through the generator. */
  readonly folds: Float32Array | undefined;
  readonly coverage: ModeCoverage | undefined;
}

/** Points drawn of each kind. */
const SHOWN = 512;
/** Samples whose modes are counted. */
const COUNTED = 1024;
/** Points along each side of the critic's field. */
const FIELD = 48;
/** Lines of equal value of the critic. */
const LEVELS = 11;
/** Lines on which slopes are shown, and points that the plan carries. */
const LINES = 128;
/** Codes along each side of the carried square. */
const FOLDS = 21;

/** What of a trial never moves: codes, places on lines, the grid. */
export class Looker {
  readonly #trial: Trial;
  /** What is drawn of the plane. */
  readonly frame: Frame;
  readonly #real: Float32Array;
  readonly #codes: Float32Array;
  readonly #places: Float32Array;
  readonly #grid: Float32Array;

  constructor(trial: Trial) {
    this.#trial = trial;
    this.#real = trial.set.test.data as Float32Array;
    // Under the hand that draws, the frame must not move.
    this.frame = trial.setup.data === 'drawn' ? { middle: [0, 0], reach: EXTENT } : frameOf(this.#real);
    const { seed, latent } = trial.setup;
    this.#codes = Float32Array.from(new Rng(seed, randomStreams.samples).hostNormal(COUNTED * latent));
    this.#places = Float32Array.from(new Rng(seed, randomStreams.measurements).hostUniform(LINES));
    this.#grid = square(FIELD, this.frame);
  }

  /** What is wanted of the trial's state now. */
  async look(wanted: Wanted): Promise<Look> {
    const trial = this.#trial;
    const { gan, set, step } = trial;
    const read = scope(() => {
      const codes = tensor(this.#codes, { shape: [COUNTED, trial.setup.latent] });
      const fake = gan.sample(codes);
      return {
        fake: fake.data(),
        field: wanted.field ? this.#field() : undefined,
        lines: wanted.lines ? this.#lines(fake) : undefined,
        arrows: wanted.arrows ? this.#arrows(fake) : undefined,
        folds: wanted.folds && trial.setup.latent <= 2 ? this.#folds() : undefined,
      };
    });
    const [all, field, lines, arrows, folds] = await Promise.all([
      read.fake,
      read.field,
      read.lines,
      read.arrows,
      read.folds,
    ]);
    const samples = Float32Array.from(all);
    const ideal = wanted.ideal ? idealOn(this.#grid, trial.set.distribution, this.#real, samples) : undefined;
    return {
      step,
      frame: this.frame,
      real: this.#real.slice(0, 2 * SHOWN),
      fake: samples.slice(0, 2 * SHOWN),
      field: field && { ...field, ideal },
      lines,
      arrows,
      folds,
      plan: wanted.plan ? planBetween(samples.subarray(0, 2 * LINES), this.#real.subarray(0, 2 * LINES)) : undefined,
      coverage:
        set.modes && samples.every(Number.isFinite)
          ? modeCoverage({ data: samples, shape: [COUNTED, 2] }, set.modes)
          : undefined,
    };
  }

  /** Logits at points [N,2] and their gradients by the points. */
  #scored(points: Tensor): { scores: Tensor; gradient: Tensor } {
    const at = points.detach().requireGrad();
    const { critic } = this.#trial.gan.networks;
    const scores = withoutTracking(() => critic.forward(at));
    const [gradient] = grad(scores.sum(), [at]);
    return { scores: scores.detach(), gradient: gradient! };
  }

  async #field(): Promise<Omit<Field, 'ideal'>> {
    const { scores, gradient } = this.#scored(tensor(this.#grid, { shape: [FIELD * FIELD, 2] }));
    const [values, gradients] = await Promise.all([scores.data(), gradient.data()]);
    const floats = Float32Array.from(values);
    return { side: FIELD, values: floats, gradients: Float32Array.from(gradients), levels: this.#levels(floats) };
  }

  /** Lines of equal value at even steps from the least to the most. */
  #levels(values: Float32Array): Float32Array[] {
    const [least, most] = values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
    if (!(Number.isFinite(most - least) && least < most)) return [];
    const { middle, reach } = this.frame;
    const side = (at: number) => [at - reach, at + reach] as const;
    const field = { box: { x: side(middle[0]), y: side(middle[1]) }, columns: FIELD, rows: FIELD, values };
    return Array.from({ length: LEVELS }, (_, i) => least + ((most - least) * (i + 1)) / (LEVELS + 1)).flatMap(
      (level) => levelSet(field, level).map((line) => Float32Array.from(line.flat())),
    );
  }

  async #lines(samples: Tensor): Promise<Lines> {
    const from = tensor(this.#real.subarray(0, 2 * LINES), { shape: [LINES, 2] });
    const to = samples.slice([[0, LINES]]);
    const share = tensor(this.#places, { shape: [LINES, 1] });
    const at = noGrad(() => to.add(share.mul(from.sub(to))));
    const { gradient } = this.#scored(at);
    const slopes = gradient.square().sum([1]).sqrt();
    const [a, b, between, norms] = await Promise.all([from.data(), to.data(), at.data(), slopes.data()]);
    const ends = new Float32Array(4 * LINES);
    for (let i = 0; i < LINES; i++) ends.set([a[2 * i]!, a[2 * i + 1]!, b[2 * i]!, b[2 * i + 1]!], 4 * i);
    return { ends, at: Float32Array.from(between), slopes: Float32Array.from(norms) };
  }

  /** Minus the gradient of the generator's loss by each sample, times the number of samples: what one sample is told. */
  async #arrows(samples: Tensor): Promise<Float32Array> {
    const { gan } = this.#trial;
    const { critic } = gan.networks;
    const at = samples
      .slice([[0, SHOWN]])
      .detach()
      .requireGrad();
    const scores = withoutTracking(() => critic.forward(at));
    const real = gan.objective.needsReal
      ? noGrad(() => {
          const points = this.#real.subarray(0, 2 * SHOWN);
          return withoutTracking(() => critic.forward(tensor(points, { shape: [SHOWN, 2] })));
        })
      : undefined;
    const [gradient] = grad(gan.objective.generatorLoss(scores, real), [at]);
    return Float32Array.from(await gradient!.mul(-SHOWN).data());
  }

  async #folds(): Promise<Float32Array> {
    const { latent } = this.#trial.setup;
    // Codes within 2.5 of 0 hold all but a hundredth of the normal's mass along an axis.
    const grid = square(FOLDS, { middle: [0, 0], reach: 2.5 });
    const codes = latent === 2 ? grid : grid.filter((_, i) => i % 2 === 0);
    const carried = this.#trial.gan.sample(tensor(codes, { shape: [FOLDS * FOLDS, latent] }));
    return Float32Array.from(await carried.data());
  }
}

/** The square around some points, and somewhat more: samples beside the data are seen too. */
function frameOf(points: Float32Array): Frame {
  const ends = [0, 1].map((axis) => {
    let [least, most] = [Infinity, -Infinity];
    for (let i = axis; i < points.length; i += 2) {
      least = Math.min(least, points[i]!);
      most = Math.max(most, points[i]!);
    }
    return [least, most] as const;
  });
  const [[left, right], [low, high]] = ends as [readonly [number, number], readonly [number, number]];
  const reach = 0.625 * Math.max(right - left, high - low);
  return { middle: [(left + right) / 2, (low + high) / 2], reach: reach > 0 ? reach : 1 };
}

/** x and y of a grid over a square, rows from the lowest y. */
function square(side: number, { middle, reach }: Frame): Float32Array {
  const at = (axis: 0 | 1, i: number): number => middle[axis] - reach + (2 * reach * i) / (side - 1);
  return Float32Array.from({ length: 2 * side * side }, (_, i) => {
    const point = i >> 1;
    return i % 2 === 0 ? at(0, point % side) : at(1, Math.floor(point / side));
  });
}

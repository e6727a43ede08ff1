import { largest, smallest } from '../../gan/extremes.ts';
import { plot } from '../../gan/pictures/plot.ts';
import type { PlotPanel, PlotSeries } from '../../gan/pictures/plotTypes.ts';
import { atLeast, atMost, over } from '../claims.ts';
import type { Claim, Experiment, Session } from '../experiment.ts';
import { picture, section, table } from '../markdown.ts';
import { recordInTurn, recordOf } from '../tables.ts';
import {
  BETAS,
  type BoundName,
  bounds,
  type ClippingResult,
  type ClippingSettings,
  clippingRun,
} from './clippingRun.ts';
import { type ClippingStart, clippingStart } from './clippingStart.ts';

/** The runs, by what bounds the critic. */
export type ClippingResults = Readonly<Record<BoundName, ClippingResult>>;

/** What the JSON holds. */
export interface ClippingFindings {
  readonly settings: ClippingSettings;
  readonly data: string;
  readonly norms: string;
  readonly results: ClippingResults;
}

const full: ClippingSettings = {
  depth: 12,
  width: 256,
  batch: 64,
  criticSteps: 5,
  steps: 100,
  every: 5,
  lr: 1e-4,
  bins: 60,
  seed: 1,
};
const brief: ClippingSettings = { ...full, width: 32, batch: 32, steps: 10, every: 2 };
const names = Object.keys(bounds) as readonly BoundName[];

/** What clipping does to a deep critic (Gulrajani et al. 2017, Fig. 1). */
export const clippingVsPenalty: Experiment<ClippingFindings> = {
  name: 'clipping-vs-penalty',
  title: 'Gradients and weights of a deep critic, with clipped weights and with a gradient penalty',
  code: import.meta.url,
  about:
    'With clipped weights the gradients of a deep WGAN critic explode or vanish, and its weights are pushed to the ends of the ' +
    'clipping range; with a gradient penalty neither happens (Gulrajani et al. 2017, section 3 and Fig. 1b).',
  async run(session) {
    const settings = session.quick ? brief : full;
    const results = await runAll(session, settings);
    return {
      findings: {
        settings,
        data: `Swiss roll; generator and critic are relu networks of the same depth and width, Adam (${BETAS.join(', ')})`,
        norms: 'of the gradient of the critic loss, without penalty, with respect to the output of each hidden layer',
        results: recordOf(names, (name) => rounded(results[name])),
      },
      pictures: { 'plot.svg': draw(results, settings) },
    };
  },
  claims: claimsOf,
  page,
};

/** Trains under each bound, each as a part of its own. */
export const runAll = (session: Session, settings: ClippingSettings): Promise<ClippingResults> =>
  recordInTurn(names, (name) => {
    // What bounds the critic, and how it learns, decide too.
    const all = { ...settings, bound: bounds[name].regularizer().title, betas: BETAS };
    return session.part(name, all, () => clippingRun(name, settings));
  });

/** The geometric mean of each layer's norm over the second half of the training; 0 where it was ever 0. */
export function layerNorms({ rows }: ClippingResult): number[] {
  const late = rows.slice(Math.floor(rows.length / 2));
  return rows[0]!.norms.map((_, layer) =>
    Math.exp(late.reduce((s, { norms }) => s + Math.log(norms[layer]!), 0) / late.length),
  );
}

/** How much larger the gradient is at the first layer than at the last one. */
export const growth = (result: ClippingResult): number => {
  const norms = layerNorms(result);
  return norms[0]! / norms.at(-1)!;
};

/** The gradient norm at the first layer at the last measurement, over that at the first. */
const grown = ({ rows }: ClippingResult): number => rows.at(-1)!.norms[0]! / rows[0]!.norms[0]!;

/** What the first weights alone give, clipped where they are to be. */
const startOf = (name: BoundName, settings: ClippingSettings): ClippingStart =>
  clippingStart(settings, bounds[name].regularizer());

/** What must hold. What holds before any training says so: of it only those with c = 0.1 are evidence of what training does. */
export function claimsOf({ settings, results }: ClippingFindings): Claim[] {
  const norms = layerNorms(results.penalty);
  const start = recordOf(names, (name) => startOf(name, settings));
  const first = (name: BoundName) => start[name].growth.toPrecision(2);
  const share = (name: BoundName) => start[name].atEnds.toPrecision(3);
  const ratio = 'gradient norm at the first layer over the last';
  const clipped = (expected: string) =>
    `; already by the first clipping: ${expected} expected, no evidence of training`;
  const untrained = (expected: string) =>
    `; already by the first weights: ${expected} expected, which training has to leave so`;
  return over(1, [
    atLeast(
      `c = 0.1: ${ratio}, at least 10; by training: ${first('clip-0.1')} expected after the first clipping`,
      growth(results['clip-0.1']),
      10,
    ),
    atLeast(
      'c = 0.1: gradient norm at the first layer at the end of the training over that at the first measurement, at least 1,000',
      grown(results['clip-0.1']),
      1000,
    ),
    atMost(`c = 0.01: ${ratio}, at most 1e-3${clipped(first('clip-0.01'))}`, growth(results['clip-0.01']), 1e-3),
    atMost(`c = 0.001: ${ratio}, at most 1e-6${clipped(first('clip-0.001'))}`, growth(results['clip-0.001']), 1e-6),
    atMost(
      `penalty: largest over smallest gradient norm of the layers, at most 30${untrained('about 1')}`,
      largest(norms) / smallest(norms),
      30,
    ),
    atLeast(
      `c = 0.01: share of the weights within 5 % of the ends of the clipping range, at least 0.5${clipped(share('clip-0.01'))}`,
      results['clip-0.01'].atEnds,
      0.5,
    ),
    atMost(
      `penalty: share of the weights within 5 % of the largest, at most 0.01${untrained(share('penalty'))}`,
      results.penalty.atEnds,
      0.01,
    ),
  ]);
}

function page({ settings, data, norms, results }: ClippingFindings): string {
  const { depth, width, batch, criticSteps, steps, lr } = settings;
  const percent = (share: number) => (100 * share).toFixed(1);
  const rows = names.map((name) => {
    const means = layerNorms(results[name]);
    const start = startOf(name, settings);
    const findings = [means[0]!, means.at(-1)!, growth(results[name]), start.growth, grown(results[name])];
    const cells = findings.map((x) => x.toExponential(1));
    return [bounds[name].title, ...cells, percent(results[name].atEnds), percent(start.atEnds)];
  });
  const [before, after] = [startOf('clip-0.1', settings).atEnds, results['clip-0.1'].atEnds];
  return section(
    [
      picture('clipping-vs-penalty', 'plot.svg', 'Gradient norms by layer and histograms of the weights'),
      `${data} ${lr}; ${depth} hidden layers of ${width} units, batches of ${batch}, ${steps} generator steps with ${criticSteps} critic steps each. Norms are those ${norms}; geometric means over the second half of the training. Weights at the ends: within 5 % of the largest magnitude.`,
      table(
        [
          ...['critic', 'first layer', 'last hidden layer', 'first over last', 'the same at the start'],
          ...['first layer, end over first measurement', 'weights at the ends %', 'the same at the start'],
        ],
        rows,
      ),
      `At the start: expected of the first weights (uniform, He et al. 2015), clipped once where they are clipped, before any of them has learnt anything. Weights of up to √(6 / ${width}) = ${Math.sqrt(6 / width).toPrecision(3)} are cut to ±c, and each layer multiplies the squared norm of the gradient by ${width} E w² / 2: "first over last" is what ${depth - 1} layers make of that. With c = 0.01 and 0.001, and with the penalty, the numbers after training are about those of the start: they show what clipping does to such first weights, and nothing that training did. With c = 0.1 training makes the gradient explode: from a first layer that gets ${startOf('clip-0.1', settings).growth.toPrecision(2)} of the last layer's norm to one that gets ${Math.round(growth(results['clip-0.1'])).toLocaleString('en-GB')} times that norm.`,
      'The paper shows the same as curves without numbers: exploding for c = 0.1, vanishing for c = 0.01 and 0.001, level for the penalty.',
    ],
    [
      'On a logarithmic axis the clipped norms are straight lines over the layers: every layer multiplies by the same factor, which c sets. There is one c between vanishing and exploding, and it is another for each depth and width.',
      'The generator learns from the gradient that arrives at the input, the left end of the curves.',
      `Clipped weights sit at ±c, but the histograms alone do not show that training pushes them there, as the paper says it does: He's first weights are wider than c, so that the first clipping already moves most of them to the ends, where gradients that have vanished (below Adam's epsilon) leave them. Of the clipped critics only that with c = 0.1 has gradients that are alive, and there training has ${after < before ? 'moved weights away from the ends' : 'pushed more weights to the ends'}: ${percent(after)} % of them are there after it, ${percent(before)} % before. That part of the paper's claim is ${after < before ? 'not shown here' : 'shown by c = 0.1 alone'}.`,
      'The penalty bounds what matters, the slope, and leaves the weights free: here they stay about where they began. The few weights far from 0 are those of the first layer, which has two inputs.',
    ],
  );
}

function draw(results: ClippingResults, { depth, width, steps, criticSteps }: ClippingSettings): string {
  const at = (name: BoundName): { label: string; color: number } => ({
    label: bounds[name].title,
    color: names.indexOf(name),
  });
  const byLayer: PlotPanel = {
    title: 'Gradient norm by layer',
    x: { label: 'hidden layer of the critic, 1 at the input', min: 1, max: depth },
    y: { label: '‖∂loss/∂output‖, second half of training', log: true },
    series: names.flatMap((name): PlotSeries[] => {
      const { rows } = results[name];
      const late = rows.slice(Math.floor(rows.length / 2));
      const band = rows[0]!.norms.map((_, k) => {
        const all = late.map(({ norms }) => norms[k]!);
        return [k + 1, smallest(all), largest(all)] as const;
      });
      const mean = layerNorms(results[name]).map((x, k) => [k + 1, x] as const);
      return [
        { kind: 'band', ...at(name), points: band },
        { kind: 'line', ...at(name), points: mean, markers: true },
      ];
    }),
  };
  const inTraining: PlotPanel = {
    title: 'Gradient norm at the first layer in training',
    x: { label: 'generator steps' },
    y: { label: '‖∂loss/∂output‖', log: true },
    series: names.map((name) => ({
      kind: 'line',
      ...at(name),
      points: results[name].rows.map((r) => [r.step, r.norms[0]!] as const),
    })),
  };
  const weights = names.map((name): PlotPanel => {
    const { edges, counts } = results[name].weights;
    return {
      title: `Weights of the critic: ${bounds[name].title}`,
      x: { label: 'weight' },
      y: { label: 'weights' },
      series: [{ kind: 'histogram', label: '', color: names.indexOf(name), edges, counts }],
    };
  });
  return plot({
    title: 'A deep critic on the Swiss roll: clipping against gradient penalty',
    subtitle: `${depth} hidden relu layers of ${width} units, ${steps} generator steps with ${criticSteps} critic steps each; bands: range over the second half`,
    panels: [byLayer, inTraining, ...weights],
    columns: 2,
  });
}

/** To four digits, which the picture does not outdo. */
function rounded({ rows, weights, atEnds }: ClippingResult) {
  const short = (x: number) => Number(x.toPrecision(4));
  return {
    rows: rows.map(({ step, norms, wasserstein }) => ({
      step,
      norms: norms.map(short),
      ...(wasserstein !== undefined && { wasserstein: short(wasserstein) }),
    })),
    atEnds,
    weights: { edges: weights.edges.map(short), counts: weights.counts },
  };
}

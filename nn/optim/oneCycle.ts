import { calls, checked, checkRange, checkRanges, ranges } from '../../engine/internal.ts';
import { LRScheduler, type ScheduledOptimizer } from './scheduler.ts';

/** Options of {@link OneCycleLR}: `maxLr`, and `totalSteps` or `epochs` and `stepsPerEpoch`. */
export interface OneCycleLROptions {
  /** The highest learning rate, for all groups or for each. */
  readonly maxLr: number | readonly number[];
  /** Steps of the cycle, the first included. */
  readonly totalSteps?: number;
  /** The number of epochs; with stepsPerEpoch, it takes the place of totalSteps. */
  readonly epochs?: number;
  /** The steps of an epoch; with epochs, it takes the place of totalSteps. */
  readonly stepsPerEpoch?: number;
  /** The share of the cycle that rises. Default 0.3. */
  readonly pctStart?: number;
  /** Along half a cosine or a line. Default 'cos'. */
  readonly annealStrategy?: 'cos' | 'linear';
  /** Move the momentum (SGD, RMSprop) or the first beta (Adam) against the learning rate. Default true. */
  readonly cycleMomentum?: boolean;
  /** The momentum at the highest learning rate. Default 0.85. */
  readonly baseMomentum?: number;
  /** The momentum at the start and the end. Default 0.95. */
  readonly maxMomentum?: number;
  /** The cycle starts at maxLr / divFactor. Default 25. */
  readonly divFactor?: number;
  /** It ends at its start divided by this. Default 1e4. */
  readonly finalDivFactor?: number;
  /** Fall as far as the start in as many steps as it rose, and only then to the end. Default false. */
  readonly threePhase?: boolean;
}

const anneals = {
  cos: (from: number, to: number, part: number) => to + ((from - to) / 2) * (Math.cos(Math.PI * part) + 1),
  linear: (from: number, to: number, part: number) => (to - from) * part + from,
};

/**
 * One cycle of the learning rate, up to maxLr and down to almost nothing, and the momentum the other way (Smith and Topin
 * 2018), one `step()` after each step of the optimizer. It sets the learning rates whatever they were.
 */
export class OneCycleLR extends LRScheduler {
  /**
   * @throws RangeError for an option out of its range
   * @throws Error for an optimizer without momentum, unless cycleMomentum is false; from `step()`, behind the last step
   */
  constructor(optimizer: ScheduledOptimizer, options: OneCycleLROptions) {
    calls.checkArguments('OneCycleLR', [calls.something('optimizer'), calls.something('options')], arguments);
    const o = filled(options);
    const { groups } = optimizer;
    const maxLrs = typeof o.maxLr === 'number' ? groups.map(() => o.maxLr as number) : o.maxLr;
    if (maxLrs.length !== groups.length) {
      throw new Error(`OneCycleLR: maxLr has ${maxLrs.length} numbers for ${groups.length} groups`);
    }
    for (const lr of maxLrs) checkRange('OneCycleLR', 'maxLr', ranges.positive, lr);
    if (o.cycleMomentum && groups.some((g) => !g.betas && !g.momentum)) {
      throw new Error(
        'OneCycleLR: the optimizer has no momentum to move; make it with one, or this with cycleMomentum: false',
      );
    }
    groups.forEach((g, k) => {
      g.initialLr = maxLrs[k]! / o.divFactor;
    });
    const rise = o.pctStart * o.totalSteps - 1;
    const falls = o.threePhase ? 2 * o.pctStart * o.totalSteps - 2 : rise;
    if (rise === 0 || falls >= o.totalSteps - 1) {
      throw new RangeError(
        `OneCycleLR: pctStart ${o.pctStart} of ${o.totalSteps} steps leaves no step to ${rise === 0 ? 'rise' : 'fall'} in; take ${rise === 0 ? 'a larger one' : 'a smaller one'}, or more steps`,
      );
    }
    /** Where phases end, and which of start (0), top (1) and end (2) they lead to. */
    const phases: readonly (readonly [end: number, level: 0 | 1 | 2])[] = o.threePhase
      ? [
          [rise, 1],
          [2 * o.pctStart * o.totalSteps - 2, 0],
          [o.totalSteps - 1, 2],
        ]
      : [
          [rise, 1],
          [o.totalSteps - 1, 2],
        ];
    const anneal = anneals[o.annealStrategy];
    super(optimizer, ({ epoch, index, group }) => {
      if (epoch > o.totalSteps) {
        throw new Error(`OneCycleLR: step ${epoch} is behind the end of the cycle of ${o.totalSteps}`);
      }
      const found = phases.findIndex(([end]) => epoch <= end);
      const k = found < 0 ? phases.length - 1 : found;
      const [start, from] = phases[k - 1] ?? ([0, 0] as const);
      const [end, to] = phases[k]!;
      const part = (epoch - start) / (end - start);
      if (o.cycleMomentum) {
        const momentum = (level: number) => (level === 1 ? o.baseMomentum : o.maxMomentum);
        const moved = anneal(momentum(from), momentum(to), part);
        if (group.betas) group.betas = [moved, group.betas[1]];
        else group.momentum = moved;
      }
      const top = maxLrs[index]!;
      const low = top / o.divFactor;
      const levels = [low, top, low / o.finalDivFactor] as const;
      return anneal(levels[from], levels[to], part);
    });
  }
}

/** The options with defaults, checked. */
function filled(options: OneCycleLROptions) {
  checked('OneCycleLR', options, [
    ...(['maxLr', 'totalSteps', 'epochs', 'stepsPerEpoch', 'pctStart', 'annealStrategy', 'cycleMomentum'] as const),
    ...(['baseMomentum', 'maxMomentum', 'divFactor', 'finalDivFactor', 'threePhase'] as const),
  ]);
  const { maxLr, epochs, stepsPerEpoch } = options;
  const { pctStart = 0.3, annealStrategy = 'cos', cycleMomentum = true, threePhase = false } = options;
  const { baseMomentum = 0.85, maxMomentum = 0.95, divFactor = 25, finalDivFactor = 1e4 } = options;
  const totalSteps = options.totalSteps ?? (epochs ?? Number.NaN) * (stepsPerEpoch ?? Number.NaN);
  if (Number.isNaN(totalSteps)) throw new RangeError('OneCycleLR: give totalSteps, or epochs and stepsPerEpoch');
  const o = { totalSteps, pctStart, cycleMomentum, baseMomentum, maxMomentum, divFactor, finalDivFactor, threePhase };
  checkRanges(
    'OneCycleLR',
    {
      totalSteps: ranges.count,
      pctStart: ranges.share,
      cycleMomentum: ranges.flag,
      threePhase: ranges.flag,
      finalDivFactor: ranges.positive,
      baseMomentum: ranges.finite,
      maxMomentum: ranges.finite,
      divFactor: ranges.positive,
    },
    o,
  );
  const says = "'cos' or 'linear'";
  checkRange('OneCycleLR', 'annealStrategy', { holds: (v) => v === 'cos' || v === 'linear', says }, annealStrategy);
  return { ...o, maxLr, annealStrategy };
}

import type { Experiment, Session } from '../experiment.ts';
import { inTurn, recordInTurn, recordOf } from '../tables.ts';
import { modesPictures } from './modesPictures.node.ts';
import { publishedModes } from './modesPublished.ts';
import {
  claimsOf,
  type ModesFindings,
  type ModesResults,
  methodNames,
  mixtureNames,
  modesPage,
  summaryOf,
} from './modesResults.ts';
import { DEPTH, type MixtureName, type ModesSettings, methodWords, mixtures, modesRun } from './modesRun.ts';

const common = { batch: 128, latent: 2, width: 128, emaDecay: 0.99, rateDecay: 0.02, samples: 2500, counts: 10 };
const full: Readonly<Record<MixtureName, ModesSettings>> = {
  ring: { ...common, steps: 1000 },
  grid: { ...common, steps: 2500 },
};
const brief: ModesSettings = { ...common, width: 64, emaDecay: 0.9, steps: 60 };

/** Which GANs lose modes (Srivastava et al. 2017; Lin et al. 2018). */
export const modes: Experiment<ModesFindings> = {
  name: 'modes',
  title: 'Mode coverage on a ring of 8 and a grid of 25 Gaussians',
  code: import.meta.url,
  about:
    'A GAN loses modes of a mixture of Gaussians (Metz et al. 2017; Srivastava et al. 2017, Table 1; Lin et al. 2018, Tables 1 and 2); ' +
    'a WGAN with gradient penalty covers them (Gulrajani et al. 2017, section 3.1).',
  async run(session) {
    const seeds = session.quick ? [1] : [1, 2, 3, 4, 5];
    const settings = session.quick ? { ring: brief, grid: brief } : full;
    const results = await runAll(session, seeds, settings);
    return {
      findings: {
        settings,
        networks: 'three hidden layers of relu units in both; data scaled to a standard deviation of 1 along each axis',
        methods: recordOf(methodNames, methodWords),
        seeds,
        results: summaryOf(results),
        published: publishedModes,
      },
      pictures: await modesPictures(results, seeds),
    };
  },
  claims: claimsOf,
  page: modesPage,
};

/** Trains every method on every mixture from every seed, each as a part of its own. */
export const runAll = (
  session: Session,
  seeds: readonly number[],
  settings: Readonly<Record<MixtureName, ModesSettings>>,
): Promise<ModesResults> =>
  recordInTurn(mixtureNames, (mixture) => {
    // What method, networks and mixture are made of decides too.
    const { centres, sigma } = mixtures[mixture].make().modes;
    return recordInTurn(methodNames, (method) => {
      const all = { ...settings[mixture], method: methodWords(method), depth: DEPTH, centres: [...centres], sigma };
      const part = (seed: number) =>
        session.part(`${mixture}/${method}/seed-${seed}`, all, () =>
          modesRun(mixture, method, seed, settings[mixture]),
        );
      return inTurn(seeds, part);
    });
  });

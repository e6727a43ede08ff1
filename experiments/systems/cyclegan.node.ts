import { openData } from '../../gan/data/datasets.node.ts';
import { cyclegan as row } from '../../gan/systems/cyclegan.ts';
import { cycleganClaims, cycleganPage } from './cycleganPage.node.ts';
import { experimentOf } from './experimentOf.node.ts';

/** Translation without pairs (Zhu et al. 2017). */
export const cyclegan = experimentOf({
  name: 'cyclegan',
  title: 'CycleGAN writes characters in another hand, without having seen one in both',
  about:
    'Two translators that must undo each other keep what a picture shows while critics change how it looks, without pairs to learn from (Zhu et al. 2017). Ming to Hei, the half of the characters that is seen in one hand is not seen in the other, and what a held-out character should become is known.',
  code: import.meta.url,
  row,
  open: () => openData('glyph-pairs', {}),
  ways: {
    both: { title: 'cycle 10, identity 5', given: {} },
    'no-cycle': { title: 'identity alone', given: { cycle: 0 } },
    'no-identity': { title: 'cycle alone', given: { identity: 0 } },
    neither: { title: 'critics alone', given: { cycle: 0, identity: 0 } },
  },
  seeds: [1, 2, 3],
  brief: { steps: 3, batch: 2, width: 8, blocks: 1 },
  looks: 4,
  shown: 12,
  claims: cycleganClaims,
  page: cycleganPage,
});

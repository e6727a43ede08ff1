import { openData } from '../../gan/data/datasets.node.ts';
import { cgan as row } from '../../gan/systems/cgan.ts';
import { cganClaims, cganPage } from './cganPage.node.ts';
import { experimentOf } from './experimentOf.node.ts';

/** A conditional GAN makes the class that it is asked for (Mirza and Osindero 2014). */
export const cgan = experimentOf({
  name: 'cgan',
  title: 'A conditional GAN makes the digit that it is asked for',
  about:
    'Told the class, generator and critic learn the distribution of each class (Mirza and Osindero 2014); with the gradient penalty of Gulrajani et al. (2017) the label is held while the point of the penalty moves. A classifier that has never seen a generated digit judges.',
  code: import.meta.url,
  row,
  open: () => openData('mnist', {}),
  ways: {
    projection: { title: 'projection critic', given: {} },
    channel: { title: 'label as a channel of the critic', given: { condition: 'channel' } },
    shuffled: { title: 'labels shuffled', given: { labels: 'shuffled' } },
  },
  seeds: [1, 2, 3],
  brief: { steps: 6, batch: 8, width: 4 },
  looks: 8,
  claims: cganClaims,
  page: cganPage,
});

import { openData } from '../../gan/data/datasets.node.ts';
import { linearAutoencoder as row } from '../../gan/systems/linearAutoencoder.ts';
import { experimentOf } from './experimentOf.node.ts';
import { linearAutoencoderClaims, linearAutoencoderPage } from './linearAutoencoderPage.node.ts';

/** A linear autoencoder finds the principal components (Bourlard and Kamp 1988). */
export const linearAutoencoder = experimentOf({
  name: 'linear-autoencoder',
  title: 'A linear autoencoder finds the principal components',
  about:
    'At the least squared error the decoder of a linear autoencoder spans what the first principal components span (Bourlard and Kamp 1988; Baldi and Hornik 1989); with a relu behind the encoder it need not.',
  code: import.meta.url,
  row,
  open: () => openData('mnist', {}),
  ways: {
    linear: { title: 'linear', given: {} },
    relu: { title: 'relu behind the encoder', given: { encoder: 'relu' } },
  },
  seeds: [1, 2, 3],
  brief: { steps: 20, batch: 200 },
  looks: 10,
  claims: linearAutoencoderClaims,
  page: linearAutoencoderPage,
});

import { atLeast, atMost, over } from '../claims.ts';
import { largest, smallest } from '../critics.ts';
import type { Claim } from '../experiment.ts';
import { type CriticKind, criticOf, normsOf, type VanishingFindings } from './vanishingFindings.ts';

/** What must hold; of the critics' gradients also what tells them from those of critics that were never trained. */
export function vanishingClaims({ stages, falls, at }: VanishingFindings): Claim[] {
  const doubts = stages.map(({ critics }) => criticOf(critics, 'discriminator').doubt);
  const norms = (kind: CriticKind) => stages.map(({ critics }) => normsOf(critics, kind, 'wasserstein'));
  const clippedOnce = at.indexOf(1);
  return over(1, [
    atMost(
      `the discriminator becomes perfect: its D(g(z)) falls to at most 0.001 (largest of the stages; at least ${smallest(doubts.map((d) => d[0]!)).toPrecision(2)} before)`,
      largest(doubts.map((d) => d.at(-1)!)),
      0.001,
    ),
    atLeast(
      'the minimax gradient falls by 100 times and more (smallest of the stages)',
      smallest(falls.map((f) => f.minimax)),
      100,
    ),
    atMost(
      'the Wasserstein gradient, under a gradient penalty, stays within 3 times its least, from the first update on (largest of the stages)',
      largest(falls.map((f) => f.penalty)),
      3,
    ),
    atLeast(
      'and that critic was trained: its Wasserstein gradient after the last update is at least 1.5 times that before the first, 1 times without training (smallest of the stages)',
      smallest(norms('gradient penalty').map((n) => n.at(-1)! / n[0]!)),
      1.5,
    ),
    atLeast(
      'the clipped critic too: its Wasserstein gradient after the last update is at least 100 times that after the first, which clips the weights (smallest of the stages)',
      smallest(norms('clipping').map((n) => n.at(-1)! / n[clippedOnce]!)),
      100,
    ),
  ]);
}

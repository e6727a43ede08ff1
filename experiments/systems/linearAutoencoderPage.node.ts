import { largest, smallest } from '../../gan/extremes.ts';
import { atLeast, atMost, over } from '../claims.ts';
import type { Claim } from '../experiment.ts';
import type { StudyFindings } from './study.ts';
import { atEnd, studyPage, untrained } from './studyPage.node.ts';

type Findings = StudyFindings<'linear' | 'relu'>;

/** What must hold, of the worst seed each. */
export function linearAutoencoderClaims(findings: Findings): Claim[] {
  const { values: angles } = atEnd(findings, 'linear', 'angle');
  return over(angles.length, [
    atMost('largest principal angle to the PCA subspace, degrees, at most 5', largest(angles), 5),
    atLeast('the same, untrained, at least 80', smallest(untrained(findings, 'linear', 'angle').values), 80),
    atLeast(
      'the same, with a relu behind the encoder, at least 20',
      smallest(atEnd(findings, 'relu', 'angle').values),
      20,
    ),
    atMost(
      "squared error on held-out digits, in units of PCA's, at most 1.01",
      largest(atEnd(findings, 'linear', 'error').values),
      1.01,
    ),
    atLeast(
      'the same, with a relu behind the encoder, at least 1.1',
      smallest(atEnd(findings, 'relu', 'error').values),
      1.1,
    ),
  ]);
}

/** The end of the section. */
export const linearAutoencoderPage = (findings: Findings): string =>
  studyPage('linear-autoencoder', findings, {
    look: [
      'The angle is that of the worst direction of sixteen: at 0 degrees both span the same subspace, whatever basis each has chosen. The decoder finds the subspace, not the components themselves: its columns are neither orthogonal nor in order.',
      'The error falls to that of PCA long before the last direction has turned: the components at the end of the list hardly differ in variance, and what little the error has to say of them turns them slowly.',
      'With a relu each code pushes one way only, and sixteen of them reach fewer samples: the subspace is another, and the error stays above that of PCA.',
    ],
  });
